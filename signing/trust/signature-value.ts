/**
 * Does a signature value fit a key and some bytes? And which algorithms are in it.
 *
 * The one place of this folder where public keys work. RSA (PKCS#1 v1.5, PSS), ECDSA as SEQUENCE or r‖s (BSI
 * TR-03111), EdDSA, DSA, with SHA-1 to SHA-3. Whether an algorithm is good enough is asked elsewhere.
 */
import { constants, createHash, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG, childrenOf, decode } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { algorithmOid, readDigest, readSignatureScheme } from './algorithm-identifier.ts'
import type { Digest, PssParameters, Scheme, SignatureScheme } from './algorithm-identifier.ts'
import { publicKeyOf } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { verifyPkcs1Digest, verifyPssDigest } from './rsa-digest.ts'

export interface ValueQuestion {
  /** AlgorithmIdentifier of the signature, DER */
  algorithm: Buffer
  /** AlgorithmIdentifier of the digest, DER, where the structure has one apart (CMS); must not contradict `algorithm` */
  digestAlgorithm?: Buffer
  /** SubjectPublicKeyInfo, DER */
  spki: Buffer
  /** the signed bytes, or their digest when they are too long to hold (RSA only) */
  signed: Buffer | { digest: Buffer }
}

/** `unsupported`: an algorithm, curve or key that this program does not know; says nothing about the value. */
export type ValueVerdict = { kind: 'good' } | { kind: 'bad' } | { kind: 'unsupported'; algorithm: string }

/** Judges one signature value. Never throws for what is in its arguments. */
export function verifyValue(question: ValueQuestion, signature: Buffer): ValueVerdict {
  try {
    return judge(question, signature)
  } catch (error) {
    // DER that cannot be read, or a value that OpenSSL cannot: no signature either way
    if (error instanceof SigningError || isOpenSslFault(error)) return BAD
    throw error
  }
}

/** Did the key of `spki` sign this certificate? The answer is kept for as long as both objects live. */
export function verifyCertificate(certificate: Certificate, spki: Buffer): ValueVerdict {
  const answers = answered.get(certificate) ?? new WeakMap<Buffer, ValueVerdict>()
  const { signatureAlgorithm: algorithm, signedAlgorithm, tbs: signed, signature } = certificate
  const same = signedAlgorithm.equals(algorithm)
  const answer = answers.get(spki) ?? (same ? verifyValue({ algorithm, spki, signed }, signature) : BAD)
  answered.set(certificate, answers.set(spki, answer))
  return answer
}

const answered = new WeakMap<Certificate, WeakMap<Buffer, ValueVerdict>>()

/** What is in a signature, for the algorithm policy and for reports. */
export interface AlgorithmFacts {
  /** `unknown`: not in the tables; its object identifier is in `oid` */
  signature: Scheme | 'unknown'
  oid: string
  /** null: EdDSA, unknown, or left open by the identifiers */
  digest: Digest | null
  keyKind: 'rsa' | 'ec' | 'ed25519' | 'ed448' | 'dsa' | 'unknown'
  /** RSA and DSA: length of the modulus; elliptic curves: size of the field */
  keyBits: number
  /** name of the curve as OpenSSL says it; null for other keys */
  curve: string | null
}

/**
 * @param digestAlgorithm counts where `algorithm` alone leaves the digest open (rsaEncryption in CMS)
 * @throws SigningError `signing/asn1-damaged`
 */
export function algorithmFacts(algorithm: Buffer, spki: Buffer, digestAlgorithm?: Buffer): AlgorithmFacts {
  const scheme = readSignatureScheme(algorithm)
  const fallback = digestAlgorithm === undefined || scheme?.scheme === 'eddsa' ? null : readDigest(digestAlgorithm)
  const oid = algorithmOid(algorithm)
  return { signature: scheme?.scheme ?? 'unknown', oid, digest: scheme?.digest ?? fallback, ...keyFacts(spki) }
}

/** Kind and size of a public key. */
function keyFacts(spki: Buffer): Pick<AlgorithmFacts, 'keyKind' | 'keyBits' | 'curve'> {
  const key = publicKeyOf(spki)
  const { modulusLength = 0, namedCurve = '' } = key?.asymmetricKeyDetails ?? {}
  const keyKind = KEY_KINDS.get(key?.asymmetricKeyType ?? '') ?? 'unknown'
  if (keyKind === 'ec') return { keyKind, keyBits: curveBits(namedCurve), curve: namedCurve }
  if (keyKind === 'rsa' || keyKind === 'dsa') return { keyKind, keyBits: modulusLength, curve: null }
  return { keyKind, keyBits: EDWARDS_BITS.get(keyKind) ?? 0, curve: null }
}

function judge(question: ValueQuestion, signature: Buffer): ValueVerdict {
  const scheme = readSignatureScheme(question.algorithm)
  const key = publicKeyOf(question.spki)
  if (scheme === null) return { kind: 'unsupported', algorithm: algorithmOid(question.algorithm) }
  if (key === null || isOutsized(key)) return { kind: 'unsupported', algorithm: keyOid(question.spki) }
  if (!KEY_TYPES[scheme.scheme].includes(key.asymmetricKeyType ?? '')) return BAD
  const digest = agreedDigest(scheme, question.digestAlgorithm)
  if (digest === 'contradiction') return BAD
  // RSA and ECDSA with SHAKE have identifiers of their own (RFC 8702)
  if ((digest === null || digest === 'shake256') && scheme.scheme !== 'eddsa')
    return { kind: 'unsupported', algorithm: algorithmOid(question.algorithm) }
  const { signed } = question
  const agreed = { ...scheme, digest }
  if (Buffer.isBuffer(signed)) return verifyBytes(agreed, key, signed, signature)
  return verifyDigest(agreed, key, signed.digest, signature)
}

/** Made to keep others busy: no honest RSA key is longer, and no exponent needs more (FIPS 186-5 §5.1 allows 256 bits). */
function isOutsized({ asymmetricKeyDetails: details }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = details ?? {}
  return modulusLength > MAX_MODULUS_BITS || publicExponent >= MAX_EXPONENT
}

/** The digest of the signature; RFC 5652 lets CMS say it twice, and both must agree (EdDSA names none, RFC 8419). */
function agreedDigest(scheme: SignatureScheme, apart: Buffer | undefined): Digest | null | 'contradiction' {
  if (scheme.scheme === 'eddsa' || apart === undefined) return scheme.digest
  const named = readDigest(apart)
  if (scheme.digest === null) return named
  return named === scheme.digest ? named : 'contradiction'
}

function verifyBytes(scheme: SignatureScheme, key: KeyObject, signed: Buffer, value: Buffer): ValueVerdict {
  const { pss, digest } = scheme
  if (pss !== null) return verdict(verifyPss(pss, key, signed, value))
  if (scheme.scheme === 'rsa-pkcs1' && digest !== null) return verdict(verifyPkcs1(digest, key, signed, value))
  const dsaEncoding = scheme.scheme === 'ecdsa-plain' ? 'ieee-p1363' : 'der'
  return verdict(verify(digest, signed, { key, dsaEncoding }, value))
}

/** The library wants NULL parameters inside the value; those that leave them out are right too (RFC 8017 §A.2.4). */
function verifyPkcs1(digest: Digest, key: KeyObject, signed: Buffer, value: Buffer): boolean {
  if (verify(digest, signed, { key, padding: constants.RSA_PKCS1_PADDING }, value)) return true
  return verifyPkcs1Digest(digest, key, createHash(digest).update(signed).digest(), value)
}

/** The library takes one digest for message and mask; where they differ, the padding is read here. */
function verifyPss(pss: PssParameters, key: KeyObject, signed: Buffer, value: Buffer): boolean {
  if (pss.digest !== pss.maskDigest)
    return verifyPssDigest(pss, key, createHash(pss.digest).update(signed).digest(), value)
  const { saltLength } = pss
  return verify(pss.digest, signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, value)
}

function verifyDigest(scheme: SignatureScheme, key: KeyObject, signed: Buffer, value: Buffer): ValueVerdict {
  const { pss, digest } = scheme
  if (pss !== null) return verdict(verifyPssDigest(pss, key, signed, value))
  if (scheme.scheme === 'rsa-pkcs1' && digest !== null) return verdict(verifyPkcs1Digest(digest, key, signed, value))
  return { kind: 'unsupported', algorithm: `${scheme.scheme} over a digest` }
}

const verdict = (fits: boolean): ValueVerdict => (fits ? { kind: 'good' } : BAD)

function keyOid(spki: Buffer): string {
  return algorithmOid(childrenOf(decode(spki), TAG.sequence)[0]?.encoding ?? EMPTY)
}

/** OpenSSL's names end in the size of the field, apart from the letters of a variant. */
function curveBits(name: string): number {
  return Number(/(\d{3})(?:[a-z]\d)?$/.exec(name.replace(/v\d$/, ''))?.[1] ?? 0)
}

function isOpenSslFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_')
}

const BAD: ValueVerdict = { kind: 'bad' }
const EMPTY = Buffer.alloc(0)
const MAX_MODULUS_BITS = 8192
const MAX_EXPONENT = 1n << 64n
/** by the names of the library */
const KEY_KINDS: ReadonlyMap<string, AlgorithmFacts['keyKind']> = new Map([
  ['rsa', 'rsa'],
  ['rsa-pss', 'rsa'],
  ['dsa', 'dsa'],
  ['ec', 'ec'],
  ['ed25519', 'ed25519'],
  ['ed448', 'ed448'],
])
const EDWARDS_BITS: ReadonlyMap<string, number> = new Map([
  ['ed25519', 255],
  ['ed448', 448],
])
const KEY_TYPES: Readonly<Record<Scheme, readonly string[]>> = {
  'rsa-pkcs1': ['rsa'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ecdsa: ['ec'],
  'ecdsa-plain': ['ec'],
  eddsa: ['ed25519', 'ed448'],
  dsa: ['dsa'],
}
