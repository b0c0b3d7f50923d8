/**
 * Makes a key pair inside a token, reads its public key, and puts its certificate beside it. For the command line: every
 * call blocks.
 */
import { createPublicKey, hash as hashOnce } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG, bitString, decode, oid, sequence } from '../../asn1/der.ts'
import { SigningError } from '../../errors.ts'
import { parseCertificate } from '../../trust/certificate.ts'
import { OPERATIONS, defaultAlgorithm } from '../algorithms.ts'
import { toDerValue } from '../ecdsa-value.ts'
import type { KeyAlgorithm } from '../key-algorithm.ts'
import { CURVE_OIDS } from '../key-algorithm.ts'
import { loadCryptoki, ulong } from './cryptoki.ts'
import type { Attribute, Cryptoki } from './cryptoki.ts'
import { CryptokiError } from './module.ts'
import { CKA, CKF, CKK, CKM, CKO, PIN_REFUSED } from './numbers.ts'
import type { SignatureAlgorithm, SigningKey } from '../signing-key.ts'
import { findSlot, login, openTokenSession } from './session.ts'
import type { TokenPlace } from './session.ts'

/** A place with the name of one key in it. */
export type NewTokenKey = TokenPlace & { keyId: string; keyLabel: string }

/**
 * Makes a key pair that signs and never leaves the token.
 *
 * @throws SigningError `signing/key-unavailable` no such token, a key of this ID is there already, or the token cannot make
 * such a key; `signing/pin-refused`
 */
export function createTokenKey(place: NewTokenKey, algorithm: KeyAlgorithm): KeyObject {
  return withSession(place, (cryptoki, session) => {
    const id = Buffer.from(place.keyId, 'hex')
    if (cryptoki.find(session, byId(CKO.privateKey, id), 1).length > 0) {
      throw new SigningError('signing/key-unavailable', 'the token holds a key with this ID already')
    }
    const common = [
      { type: CKA.token, value: YES },
      { type: CKA.id, value: id },
      { type: CKA.label, value: Buffer.from(place.keyLabel, 'utf8') },
    ]
    const privateKey = [
      ...common,
      { type: CKA.private, value: YES },
      { type: CKA.sensitive, value: YES },
      { type: CKA.extractable, value: NO },
      { type: CKA.sign, value: YES },
    ]
    const publicKey = [...common, { type: CKA.verify, value: YES }, ...parametersOf(algorithm)]
    const type = algorithm.startsWith('rsa') ? CKM.rsaKeyPair : CKM.ecKeyPair
    cryptoki.generateKeyPair(session, { type }, { publicKey, privateKey })
    return publicKeyOf(cryptoki, session, id)
  })
}

/** The public key with this ID. @throws SigningError as createTokenKey */
export function tokenPublicKey(place: NewTokenKey): KeyObject {
  return withSession(place, (cryptoki, session) => publicKeyOf(cryptoki, session, Buffer.from(place.keyId, 'hex')))
}

/** Signs with the key of this ID, certificate or not: for the request that gets it one. Blocks while it signs. */
export function tokenSigner(place: NewTokenKey): Pick<SigningKey, 'sign' | 'algorithm'> & { publicKey: KeyObject } {
  const publicKey = tokenPublicKey(place)
  const usual = defaultAlgorithm(publicKey)
  const signAll = (messages: readonly Buffer[], algorithm: SignatureAlgorithm): Buffer[] => {
    const session = openTokenSession(loadCryptoki(place.module), { ...place, keyLabel: null })
    const { hash, family } = OPERATIONS[algorithm]
    try {
      const values = messages.map((message) => session.sign({ hash, family }, hashOnce(hash, message, 'buffer')))
      return family === 'ecdsa' ? values.map(toDerValue) : values
    } finally {
      session.close()
    }
  }
  return {
    publicKey,
    algorithm: usual,
    sign: (messages, algorithm = usual) => Promise.resolve().then(() => signAll(messages, algorithm)),
  }
}

/** Puts a certificate (DER) into the token, under the ID and label of its key. @throws SigningError as createTokenKey */
export function storeTokenCertificate(place: NewTokenKey, certificate: Buffer): void {
  const { subject } = parseCertificate(certificate)
  withSession(place, (cryptoki, session) =>
    cryptoki.createObject(session, [
      { type: CKA.class, value: ulong(CKO.certificate) },
      { type: CKA.certificateType, value: ulong(0) }, // X.509
      { type: CKA.token, value: YES },
      { type: CKA.id, value: Buffer.from(place.keyId, 'hex') },
      { type: CKA.label, value: Buffer.from(place.keyLabel, 'utf8') },
      { type: CKA.subject, value: subject.der },
      { type: CKA.value, value: certificate },
    ]),
  )
}

function withSession<T>(place: NewTokenKey, work: (cryptoki: Cryptoki, session: bigint) => T): T {
  const cryptoki = loadCryptoki(place.module)
  try {
    const slot = findSlot(cryptoki, place.token)
    const session = cryptoki.openSession(slot, CKF.readWrite)
    try {
      login(cryptoki, { slot, session, pin: place.pin })
      return work(cryptoki, session)
    } finally {
      cryptoki.closeSession(session)
    }
  } catch (cause) {
    if (!(cause instanceof CryptokiError)) throw cause
    if (PIN_REFUSED.has(cause.rv)) throw new SigningError('signing/pin-refused', 'the token refused the PIN', { cause })
    throw new SigningError('signing/key-unavailable', `the token refused: ${cause.message}`, { cause })
  }
}

function parametersOf(algorithm: KeyAlgorithm): Attribute[] {
  if (algorithm.startsWith('rsa')) {
    const bits = Number(algorithm.slice('rsa-'.length))
    return [
      { type: CKA.modulusBits, value: ulong(bits) },
      { type: CKA.publicExponent, value: Buffer.from([1, 0, 1]) },
    ]
  }
  return [{ type: CKA.ecParams, value: oid(CURVE_OIDS.get(algorithm) ?? '') }]
}

function publicKeyOf(cryptoki: Cryptoki, session: bigint, id: Buffer): KeyObject {
  const [found] = cryptoki.find(session, byId(CKO.publicKey, id), 2)
  if (found === undefined)
    throw new SigningError('signing/key-unavailable', 'the token holds no public key with this ID')
  const read = (type: number): Buffer => cryptoki.attribute(session, found, type) ?? Buffer.alloc(0)
  if (Number(read(CKA.keyType).readBigUInt64LE()) === CKK.rsa) {
    const [n, e] = [read(CKA.modulus), read(CKA.publicExponent)].map((bytes) => bytes.toString('base64url'))
    return createPublicKey({ key: { kty: 'RSA', n: n ?? '', e: e ?? '' }, format: 'jwk' })
  }
  const point = read(CKA.ecPoint)
  const bare = point[0] === TAG.octetString ? decode(point).content : point // some tokens leave the wrapping out
  const algorithm = sequence(oid('1.2.840.10045.2.1'), read(CKA.ecParams))
  return createPublicKey({ key: sequence(algorithm, bitString(bare)), format: 'der', type: 'spki' })
}

function byId(type: number, id: Buffer): Attribute[] {
  return [
    { type: CKA.class, value: ulong(type) },
    { type: CKA.id, value: id },
  ]
}

const YES = Buffer.from([1])
const NO = Buffer.from([0])
