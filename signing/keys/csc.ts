/**
 * A SigningKey at a remote signing service by the API of the Cloud Signature Consortium, versions 1.0.4 and 2.0.0.2.
 *
 * The service gets hashes of what is signed (signed attributes, SignedInfo), never of documents. Every value of a batch is
 * verified with the certificate that was read at the opening, against its own hash, before any of the batch is used: a
 * wrong order, count or key refuses the whole batch. Nothing is signed twice: a batch without an answer has failed.
 */
import { X509Certificate, hash as hashOnce } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG, childrenOf, decode } from '../asn1/der.ts'
import { readCertificate } from '../certificate.ts'
import { ALGORITHMS } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { algorithmOid } from '../trust/algorithm-identifier.ts'
import { OPERATIONS, SIGNATURE_ALGORITHMS, canDo, defaultAlgorithm, fieldBytes } from './algorithms.ts'
import { signatureBytes, valueFits } from './algorithms.ts'
import { createCscService, unavailable } from './csc/service.ts'
import type { CscServiceOptions } from './csc/service.ts'
import { readCredential, readProvider } from './csc/credential.ts'
import type { CscCredential } from './csc/credential.ts'
import { signBatch } from './csc/transaction.ts'
import type { CscContext } from './csc/transaction.ts'
import { toDerValue } from './ecdsa-value.ts'
import type { OpenedKey, SignatureAlgorithm, SigningKey } from './signing-key.ts'

export interface CscOptions extends Omit<CscServiceOptions, 'timeoutMs'> {
  /** ID of the credential; null: the only one */
  credential: string | null
  /** secret of an explicit authorisation; null: none */
  pin: string | null
  /** DER; when given, the service must have exactly this certificate */
  certificate?: Buffer
  algorithm?: SignatureAlgorithm
  /** version 2: let the service answer later */
  asynchronous?: boolean
  /** for one call; default 30 s */
  timeoutMs?: number
  /** waits between questions of an asynchronous signature; default by timers */
  wait?: (ms: number) => Promise<void>
}

/**
 * Asks the service who it is and for the credential with its certificate.
 *
 * @throws SigningError `signing/key-unavailable`, `signing/pin-refused`, `signing/algorithm-refused`
 */
export async function openCscKey(options: CscOptions): Promise<OpenedKey> {
  const { pin, asynchronous = false, clock, wait = later, timeoutMs = 30_000 } = options
  const service = createCscService({ ...options, timeoutMs })
  const provider = await readProvider(service)
  const credential = await readCredential(service, options.credential)
  const [own] = credential.chain
  if (options.certificate !== undefined && !options.certificate.equals(own)) {
    throw unavailable('the service has another certificate for the key than the one expected')
  }
  const publicKey = new X509Certificate(own).publicKey
  const context = { service, provider, credential, pin, asynchronous, clock, wait }
  const usual = options.algorithm ?? offeredAlgorithm(publicKey, credential)
  checkOffered(publicKey, credential, usual)
  let refused: SigningError | null = null

  const signing: SigningKey = {
    certificateChain: credential.chain,
    algorithm: usual,
    kind: readCertificate(own).kind,
    signatureBytes: signatureBytes(publicKey),
    sign: async (messages, algorithm = usual) => {
      checkOffered(publicKey, credential, algorithm)
      const values: Buffer[] = []
      for (let at = 0; at < messages.length; at += credential.multisign) {
        if (refused !== null) throw refused
        try {
          const batch = messages.slice(at, at + credential.multisign)
          values.push(...(await signVerified(context, publicKey, algorithm, batch)))
        } catch (error) {
          // as with a card: a wrong PIN is not sent again
          if (error instanceof SigningError && error.code === 'signing/pin-refused') refused = error
          throw error
        }
      }
      return values
    },
  }
  return { signing, close: () => Promise.resolve() }
}

async function signVerified(
  context: CscContext,
  publicKey: KeyObject,
  algorithm: SignatureAlgorithm,
  messages: readonly Buffer[],
): Promise<Buffer[]> {
  const { hash, family } = OPERATIONS[algorithm]
  const { digest, signature } = ALGORITHMS[algorithm]
  const named = algorithmOid(signature)
  const values = await signBatch(context, {
    hashes: messages.map((message) => hashOnce(hash, message, 'buffer')),
    hashAlgorithm: algorithmOid(digest),
    // some services know the bare RSA algorithm only; the hash is said apart
    signAlgorithm: context.credential.algorithms.has(named) || family !== 'rsa-pkcs1' ? named : RSA_ENCRYPTION,
    parameters: family === 'rsa-pss' ? (childrenOf(decode(signature), TAG.sequence)[1]?.encoding ?? null) : null,
  })
  if (values.length !== messages.length) throw doubtful('another number of values than of hashes')
  return values.map((value, index) => {
    const fitting = fittingValue(publicKey, algorithm, messages[index] ?? value, value)
    if (fitting === null) throw doubtful('a value does not fit its hash and the certificate')
    return fitting
  })
}

/** ECDSA values come as DER or as r‖s. Null: it fits in no form. */
function fittingValue(
  publicKey: KeyObject,
  algorithm: SignatureAlgorithm,
  message: Buffer,
  value: Buffer,
): Buffer | null {
  if (valueFits(publicKey, algorithm, message, value)) return value
  if (!algorithm.startsWith('ecdsa') || value.length !== 2 * fieldBytes(publicKey)) return null
  const encoded = toDerValue(value)
  return valueFits(publicKey, algorithm, message, encoded) ? encoded : null
}

/** The usual algorithm of such a key, else the first that the service offers. */
function offeredAlgorithm(publicKey: KeyObject, credential: CscCredential): SignatureAlgorithm {
  const usual = defaultAlgorithm(publicKey)
  const all = [usual, ...SIGNATURE_ALGORITHMS]
  return all.find((algorithm) => canDo(publicKey, algorithm) && isOffered(credential, algorithm)) ?? usual
}

function checkOffered(publicKey: KeyObject, credential: CscCredential, algorithm: SignatureAlgorithm): void {
  if (canDo(publicKey, algorithm) && isOffered(credential, algorithm)) return
  throw new SigningError('signing/algorithm-refused', `the service does not sign with ${algorithm}`)
}

function isOffered({ algorithms }: CscCredential, algorithm: SignatureAlgorithm): boolean {
  const bare = algorithm.startsWith('ecdsa') ? EC_PUBLIC_KEY : RSA_ENCRYPTION
  const named = algorithmOid(ALGORITHMS[algorithm].signature)
  return algorithms.size === 0 || algorithms.has(named) || (algorithms.has(bare) && !algorithm.startsWith('rsa-pss'))
}

function doubtful(what: string): SigningError {
  return new SigningError('signing/signature-failed', `the service is not to be trusted with this batch: ${what}`)
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'
const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
