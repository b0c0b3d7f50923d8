/**
 * One session on a token: finds the token, logs in, finds the key, signs digests. Everything here blocks; it runs in a
 * thread of its own (session.worker.ts).
 *
 * The token sees digests only: CKM_RSA_PKCS over a DigestInfo, CKM_RSA_PKCS_PSS, CKM_ECDSA (PKCS#11 mechanisms §2.1.6,
 * §2.1.10, §2.3.6). A PIN is tried once, and not at all when the token says that one try is left.
 */
import { derNull, octetString, oid, sequence } from '../../asn1/der.ts'
import { SigningError } from '../../errors.ts'
import { digestOid } from '../../trust/algorithm-identifier.ts'
import type { Operation } from '../algorithms.ts'
import { mechanismOf, ulong } from './cryptoki.ts'
import type { Attribute, Cryptoki } from './cryptoki.ts'
import { CryptokiError } from './module.ts'
import { CKA, CKF, CKM, CKO, CKR, CKU, LOST, PIN_REFUSED, PSS_NUMBERS } from './numbers.ts'
import { SessionLost } from './session-lost.ts'

/** Where the key lies. */
export interface TokenPlace {
  /** path of the vendor's shared library */
  module: string
  /** label or serial number of the token; null: the only one */
  token: string | null
  pin: string
  /** CKA_ID in hexadecimal; null: any */
  keyId: string | null
  /** CKA_LABEL; null: any */
  keyLabel: string | null
}

export interface TokenSession {
  /** certificates with the ID of the key, DER */
  certificates: Buffer[]
  /** RSA values as they are, ECDSA values as r‖s. @throws SigningError, SessionLost */
  sign(operation: Pick<Operation, 'family' | 'hash'>, digest: Buffer): Buffer
  close(): void
}

/**
 * @throws SigningError `signing/key-unavailable` no such token or key, or several; `signing/pin-refused`
 * @throws SessionLost
 */
export function openTokenSession(cryptoki: Cryptoki, place: TokenPlace): TokenSession {
  return guarded(() => {
    const slot = findSlot(cryptoki, place.token)
    const session = cryptoki.openSession(slot)
    try {
      login(cryptoki, { slot, session, pin: place.pin })
      return keySession(cryptoki, session, place)
    } catch (error) {
      close(cryptoki, session)
      throw error
    }
  })
}

/** The slot of the token with this label or serial number. @throws SigningError `signing/key-unavailable` */
export function findSlot(cryptoki: Cryptoki, token: string | null): bigint {
  const slots = cryptoki.slots().filter((slot) => {
    const { label, serial } = cryptoki.tokenInfo(slot)
    return token === null ? label !== '' : label === token || serial === token
  })
  return only(slots, 'token')
}

/** Logs in as the user of the token. @throws SigningError `signing/pin-refused`, CryptokiError */
export function login(
  cryptoki: Cryptoki,
  { slot, session, pin }: { slot: bigint; session: bigint; pin: string },
): void {
  const { flags } = cryptoki.tokenInfo(slot)
  if ((flags & CKF.loginRequired) === 0) return
  if ((flags & CKF.userPinLocked) !== 0) throw refused('the PIN of the token is locked')
  if ((flags & CKF.userPinFinalTry) !== 0) {
    throw refused('one try is left for the PIN; enter it by the tool of the vendor before it is used here again')
  }
  try {
    cryptoki.login(session, CKU.user, pin)
  } catch (error) {
    if (error instanceof CryptokiError && error.rv === CKR.userAlreadyLoggedIn) return
    throw error
  }
}

function keySession(cryptoki: Cryptoki, session: bigint, place: TokenPlace): TokenSession {
  const key = findKey(cryptoki, session, place)
  const alwaysAuthenticate = cryptoki.attribute(session, key, CKA.alwaysAuthenticate)?.[0] === 1
  const between = (): void => {
    if (alwaysAuthenticate) cryptoki.login(session, CKU.contextSpecific, place.pin)
  }
  return {
    certificates: certificatesOf(cryptoki, session, key),
    sign: ({ family, hash }, digest) =>
      guarded(() => {
        if (family === 'rsa-pkcs1') {
          const data = sequence(sequence(oid(digestOid(hash)), derNull()), octetString(digest))
          return cryptoki.sign(session, key, { mechanism: RSA_PKCS, data, between })
        }
        const mechanism = family === 'ecdsa' ? ECDSA : RSA_PSS[hash]
        return cryptoki.sign(session, key, { mechanism, data: digest, between })
      }),
    close: () => {
      close(cryptoki, session)
    },
  }
}

function findKey(cryptoki: Cryptoki, session: bigint, { keyId, keyLabel }: TokenPlace): bigint {
  const wanted: Attribute[] = [{ type: CKA.class, value: ulong(CKO.privateKey) }]
  if (keyId !== null) wanted.push({ type: CKA.id, value: Buffer.from(keyId, 'hex') })
  if (keyLabel !== null) wanted.push({ type: CKA.label, value: Buffer.from(keyLabel, 'utf8') })
  return only(cryptoki.find(session, wanted, 2), 'private key')
}

function certificatesOf(cryptoki: Cryptoki, session: bigint, key: bigint): Buffer[] {
  const id = cryptoki.attribute(session, key, CKA.id)
  if (id === null || id.length === 0) return []
  const wanted = [
    { type: CKA.class, value: ulong(CKO.certificate) },
    { type: CKA.id, value: id },
  ]
  const values = cryptoki
    .find(session, wanted, MAX_CERTIFICATES)
    .map((one) => cryptoki.attribute(session, one, CKA.value))
  return values.filter((value) => value !== null && value.length > 0) as Buffer[]
}

/** CK_RSA_PKCS_PSS_PARAMS: hash, mask, length of the salt. */
function pssMechanism({ hash, mask, salt }: (typeof PSS_NUMBERS)[Operation['hash']]): Buffer {
  return mechanismOf({ type: CKM.rsaPss, parameter: Buffer.concat([ulong(hash), ulong(mask), ulong(salt)]) })
}

const ECDSA = mechanismOf({ type: CKM.ecdsa })
const RSA_PKCS = mechanismOf({ type: CKM.rsaPkcs })
const RSA_PSS: Readonly<Record<Operation['hash'], Buffer>> = {
  sha256: pssMechanism(PSS_NUMBERS.sha256),
  sha384: pssMechanism(PSS_NUMBERS.sha384),
  sha512: pssMechanism(PSS_NUMBERS.sha512),
}

function only<T>(found: readonly T[], what: string): T {
  const [first, another] = found
  if (first === undefined) throw new SigningError('signing/key-unavailable', `there is no such ${what}`)
  if (another !== undefined) throw new SigningError('signing/key-unavailable', `there is more than one such ${what}`)
  return first
}

/** Return values of the module to faults of ours. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CryptokiError)) throw error
    if (PIN_REFUSED.has(error.rv)) throw refused('the token refused the PIN', error)
    if (LOST.has(error.rv)) throw new SessionLost('the session is gone', { cause: error })
    throw new SigningError('signing/signature-failed', 'the token did not sign', { cause: error })
  }
}

function close(cryptoki: Cryptoki, session: bigint): void {
  try {
    cryptoki.closeSession(session)
  } catch (error) {
    if (!(error instanceof CryptokiError)) throw error // gone already
  }
}

function refused(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/pin-refused', message, { cause })
}

const MAX_CERTIFICATES = 20
