/**
 * What node:crypto needs for each signature algorithm, and which of them a key can do: one table for every adapter.
 *
 * ECDSA over P-256, P-384, P-521 and the brainpool curves of the same sizes (RFC 5639); RSA with PKCS#1 v1.5 and PSS
 * (RFC 8017). Whether an algorithm is good enough, policies/algorithms.ts says.
 */
import { constants, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SigningError } from '../errors.ts'
import { derValueBytes } from './ecdsa-value.ts'
import type { SignatureAlgorithm } from './signing-key.ts'

export type SignatureHash = 'sha256' | 'sha384' | 'sha512'

export interface Operation {
  hash: SignatureHash
  family: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa'
  /** for crypto.sign and crypto.verify, beside the key */
  options: { padding?: number; saltLength?: number; dsaEncoding?: 'der' }
}

const pkcs1 = (hash: SignatureHash): Operation => ({
  hash,
  family: 'rsa-pkcs1',
  options: { padding: constants.RSA_PKCS1_PADDING },
})
const pss = (hash: SignatureHash): Operation => ({
  hash,
  family: 'rsa-pss',
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
})
const ecdsa = (hash: SignatureHash): Operation => ({ hash, family: 'ecdsa', options: { dsaEncoding: 'der' } })

export const OPERATIONS: Readonly<Record<SignatureAlgorithm, Operation>> = {
  'rsa-pkcs1-sha256': pkcs1('sha256'),
  'rsa-pkcs1-sha384': pkcs1('sha384'),
  'rsa-pkcs1-sha512': pkcs1('sha512'),
  'rsa-pss-sha256': pss('sha256'),
  'rsa-pss-sha384': pss('sha384'),
  'rsa-pss-sha512': pss('sha512'),
  'ecdsa-sha256': ecdsa('sha256'),
  'ecdsa-sha384': ecdsa('sha384'),
  'ecdsa-sha512': ecdsa('sha512'),
}

/** Every name of the port. */
export const SIGNATURE_ALGORITHMS = Object.keys(OPERATIONS) as SignatureAlgorithm[]

/**
 * What a key signs with unless told otherwise. ECDSA: the digest that is not weaker than the curve.
 *
 * @throws SigningError `signing/key-file-damaged` a key of another kind or on another curve
 */
export function defaultAlgorithm(publicKey: KeyObject): SignatureAlgorithm {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details = {} } = publicKey
  if (kind === 'rsa') return 'rsa-pkcs1-sha256'
  if (kind === 'rsa-pss') return PSS_BY_HASH.get(details.hashAlgorithm ?? 'sha256') ?? 'rsa-pss-sha256'
  const curve = kind === 'ec' ? CURVES.get(details.namedCurve ?? '') : undefined
  if (curve === undefined)
    throw new SigningError('signing/key-file-damaged', 'the key is of a kind that is not used here')
  return curve.algorithm
}

/** Can this key sign so? A PSS key that names its digest takes no other. ECDSA digests may be stronger, not weaker. */
export function canDo(publicKey: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details = {} } = publicKey
  const { family, hash } = OPERATIONS[algorithm]
  if (family === 'ecdsa') {
    const curve = kind === 'ec' ? CURVES.get(details.namedCurve ?? '') : undefined
    return curve !== undefined && hash >= OPERATIONS[curve.algorithm].hash
  }
  if (kind === 'rsa-pss') return family === 'rsa-pss' && (details.hashAlgorithm ?? hash) === hash
  return kind === 'rsa'
}

/** The algorithm to use; @throws SigningError `signing/algorithm-refused` the key cannot sign so */
export function chosenAlgorithm(publicKey: KeyObject, wanted: SignatureAlgorithm | undefined): SignatureAlgorithm {
  if (wanted === undefined) return defaultAlgorithm(publicKey)
  if (canDo(publicKey, wanted)) return wanted
  throw new SigningError('signing/algorithm-refused', `this key does not sign with ${wanted}`)
}

/** Length of a signature value in bytes; ECDSA in DER: the longest. */
export function signatureBytes(publicKey: KeyObject): number {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {}
  const curve = CURVES.get(namedCurve)
  return curve === undefined ? Math.ceil(modulusLength / 8) : derValueBytes(curve.bits)
}

/** Size of the curve's field in bytes; 0 for RSA. */
export function fieldBytes(publicKey: KeyObject): number {
  return Math.ceil((CURVES.get(publicKey.asymmetricKeyDetails?.namedCurve ?? '')?.bits ?? 0) / 8)
}

/** What a key signs when it is opened, to show that it belongs to its certificate. */
export const PROOF = Buffer.from('this key belongs to its certificate')

/**
 * Does this value fit? Adapters ask before a value leaves them. ECDSA in DER; over a digest weaker than the curve it
 * fits, too, though we do not sign so. Never throws for what the value is.
 */
export function valueFits(
  publicKey: KeyObject,
  algorithm: SignatureAlgorithm,
  message: Buffer,
  value: Buffer,
): boolean {
  const { hash, family, options } = OPERATIONS[algorithm]
  if ((family === 'ecdsa') !== (publicKey.asymmetricKeyType === 'ec')) return false
  try {
    return verify(hash, message, { key: publicKey, ...options }, value)
  } catch {
    return false // OpenSSL throws for some bytes that cannot be a signature at all
  }
}

/** By OpenSSL's names. */
const CURVES: ReadonlyMap<string, { bits: number; algorithm: SignatureAlgorithm }> = new Map([
  ['prime256v1', { bits: 256, algorithm: 'ecdsa-sha256' }],
  ['secp384r1', { bits: 384, algorithm: 'ecdsa-sha384' }],
  ['secp521r1', { bits: 521, algorithm: 'ecdsa-sha512' }],
  ['brainpoolP256r1', { bits: 256, algorithm: 'ecdsa-sha256' }],
  ['brainpoolP384r1', { bits: 384, algorithm: 'ecdsa-sha384' }],
  ['brainpoolP512r1', { bits: 512, algorithm: 'ecdsa-sha512' }],
])
const PSS_BY_HASH: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['sha256', 'rsa-pss-sha256'],
  ['sha384', 'rsa-pss-sha384'],
  ['sha512', 'rsa-pss-sha512'],
])
