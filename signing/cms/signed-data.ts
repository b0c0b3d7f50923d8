/**
 * Makes detached CMS signatures after CAdES baseline B (RFC 5652, ETSI EN 319 122-1) and PAdES (EN 319 142-1).
 *
 * All that depends on the key alone is encoded once per key, with holes for the digest and the signature value:
 * sealing then costs little more than the private-key operation.
 */
import { createHash } from 'node:crypto'
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { SignatureAlgorithm, SigningIdentity, SigningKey } from '../keys/signing-key.ts'
import { readSignedData, writeSignedData } from './container.ts'

/** Name of the hash, as Node knows it, that the content is digested with for this key. */
export function contentHash(key: SigningIdentity): 'sha256' | 'sha384' | 'sha512' {
  return ALGORITHMS[key.algorithm].hash
}

/** Length in bytes of what `signDigest` returns for this key without a signing time; ECDSA: the longest. */
export function signedDataBytes(key: SigningIdentity): number {
  return templateOf(key).whole.length
}

/**
 * Signs the digest of a content that stays outside (detached).
 *
 * @param digest made with `contentHash(key)`
 * @param signingTime null for PAdES, where the attribute is forbidden (EN 319 142-1 §6.3); CAdES demands it
 * @param mimeType of the content, a signed attribute; null: not said, as in PAdES
 * @returns DER of a ContentInfo with one SignedData
 * @throws SigningError `signing/signature-failed`
 */
export async function signDigest(
  digest: Buffer,
  key: SigningKey,
  signingTime: Date | null,
  mimeType: string | null = null,
): Promise<Buffer> {
  const prepared = prepareSignedData(digest, key, signingTime, mimeType)
  const [value] = await key.sign([prepared.attributes])
  return finishSignedData(prepared, value ?? Buffer.alloc(0))
}

/** A signature that lacks only its value. */
export interface PreparedSignedData {
  /** what the key signs: DER of the signed attributes (RFC 5652 §5.4) */
  attributes: Buffer
  digest: Buffer
  key: SigningIdentity
  template: Template
}

/** The first half of `signDigest`, for keys that answer later. */
export function prepareSignedData(
  digest: Buffer,
  key: SigningIdentity,
  signingTime: Date | null,
  mimeType: string | null = null,
): PreparedSignedData {
  const template = signingTime === null ? templateOf(key) : makeTemplate(key, { signingTime, mimeType })
  const attributes = Buffer.from(template.attributes)
  digest.copy(attributes, template.digestAt)
  return { attributes, digest, key, template }
}

/**
 * The second half.
 *
 * @returns DER of the ContentInfo
 * @throws SigningError `signing/signature-failed` the value has an impossible length
 */
export function finishSignedData({ digest, key, template }: PreparedSignedData, value: Buffer): Buffer {
  if (!isPlausible(value, key)) {
    throw new SigningError('signing/signature-failed', 'the signature value has an unexpected length')
  }
  const whole = Buffer.from(template.whole)
  digest.copy(whole, template.attributesAt + template.digestAt)
  if (value.length !== key.signatureBytes) return withShorterValue(whole, value)
  value.copy(whole, whole.length - value.length)
  return whole
}

/** RSA values are as long as the modulus; ECDSA values are SEQUENCE { r, s } and vary up to `signatureBytes`. */
function isPlausible(value: Buffer, key: SigningIdentity): boolean {
  const varies = key.algorithm.startsWith('ecdsa')
  return varies ? value.length > 0 && value.length <= key.signatureBytes : value.length === key.signatureBytes
}

/** The lengths around the value change with it. */
function withShorterValue(whole: Buffer, value: Buffer): Buffer {
  const parts = readSignedData(whole)
  const signers = parts.signers.map((signer) => ({
    ...signer,
    fields: [...signer.fields.slice(0, -1), der.octetString(value)],
  }))
  return writeSignedData({ ...parts, signers })
}

interface Template {
  /** DER of the signed attributes as a SET, which is what gets signed (RFC 5652 §5.4); the digest is zero */
  attributes: Buffer
  /** where the digest lies in `attributes` */
  digestAt: number
  /** DER of the ContentInfo; the digest and the signature value (its last bytes) are zero */
  whole: Buffer
  /** where the attributes lie in `whole` */
  attributesAt: number
}

const templates = new WeakMap<SigningIdentity, Template>()

function templateOf(key: SigningIdentity): Template {
  const known = templates.get(key)
  if (known !== undefined) return known
  const template = makeTemplate(key, null)
  templates.set(key, template)
  return template
}

/** What CAdES says beyond PAdES. */
interface Claims {
  signingTime: Date
  mimeType: string | null
}

function makeTemplate(key: SigningIdentity, claims: Claims | null): Template {
  const { digest, signature, hash } = ALGORITHMS[key.algorithm]
  const hole = der.octetString(Buffer.alloc(createHash(hash).digest().length))
  const attributes = signedAttributes(key, hole, claims)
  const implicit = Buffer.from(attributes)
  implicit[0] = 0xa0 // RFC 5652 §5.3: signedAttrs [0] IMPLICIT; DER sorts them before, in setOf
  const signerInfo = der.sequence(
    der.integer(1),
    issuerAndSerial(key.certificateChain[0]),
    digest,
    implicit,
    signature,
    der.octetString(Buffer.alloc(key.signatureBytes)),
  )
  const certificates = der.setOf(...withoutRoot(key.certificateChain))
  certificates[0] = 0xa0 // certificates [0] IMPLICIT
  const signedData = der.sequence(
    der.integer(1), // RFC 5652 §5.1: id-data, X.509 certificates only, issuerAndSerialNumber
    der.setOf(digest),
    der.sequence(der.oid(OID.data)), // detached: eContent is absent
    certificates,
    der.setOf(signerInfo),
  )
  const whole = der.sequence(der.oid(OID.signedData), der.encode(0xa0, signedData))
  return { attributes, digestAt: attributes.indexOf(hole) + 2, whole, attributesAt: whole.indexOf(implicit) }
}

function signedAttributes(key: SigningIdentity, digestHole: Buffer, claims: Claims | null): Buffer {
  const { digest, signature } = ALGORITHMS[key.algorithm]
  const protection = Buffer.from(signature)
  protection[0] = 0xa1 // RFC 6211 §2: signatureAlgorithm [1] IMPLICIT
  const attributes = [
    attribute(OID.contentType, der.oid(OID.data)),
    attribute(OID.messageDigest, digestHole),
    attribute(OID.signingCertificateV2, signingCertificateV2(key.certificateChain[0])),
    attribute(OID.algorithmProtection, der.sequence(digest, protection)),
  ]
  if (claims !== null) attributes.push(attribute(OID.signingTime, der.time(claims.signingTime)))
  if (claims?.mimeType != null) attributes.push(attribute(OID.mimeType, der.utf8String(claims.mimeType)))
  return der.setOf(...attributes)
}

function issuerAndSerial(certificate: Buffer): Buffer {
  const { issuer, serial } = parseCertificate(certificate)
  return der.sequence(issuer.der, der.encode(der.TAG.integer, serial))
}

/** RFC 5035 §3: the hash algorithm is left out because SHA-256 is its DEFAULT. */
function signingCertificateV2(certificate: Buffer): Buffer {
  const { issuer, serial } = parseCertificate(certificate)
  const hash = der.octetString(createHash('sha256').update(certificate).digest())
  const generalNames = der.sequence(der.encode(0xa4, issuer.der))
  return der.sequence(der.sequence(der.sequence(hash, der.sequence(generalNames, der.encode(der.TAG.integer, serial)))))
}

function attribute(id: string, value: Buffer): Buffer {
  return der.sequence(der.oid(id), der.setOf(value))
}

/** The chain up to, not including, a self-issued root; a self-issued signer is all there is and stays. */
function withoutRoot(chain: readonly Buffer[]): Buffer[] {
  return chain.filter((certificate, index) => index === 0 || !parseCertificate(certificate).selfIssued)
}

const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  mimeType: '0.4.0.1733.2.1',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  algorithmProtection: '1.2.840.113549.1.9.52',
} as const

const SHA256 = der.sequence(der.oid('2.16.840.1.101.3.4.2.1'))
const SHA384 = der.sequence(der.oid('2.16.840.1.101.3.4.2.2'))
const SHA512 = der.sequence(der.oid('2.16.840.1.101.3.4.2.3'))

/** sha…WithRSAEncryption: parameters NULL, RFC 4055 §5. */
const rsa = (last: number): Buffer => der.sequence(der.oid(`1.2.840.113549.1.1.${last}`), der.derNull())

/** RSASSA-PSS: all parameters explicit, trailerField left out (RFC 4055 §3.1). */
function pss(hash: Buffer, saltBytes: number): Buffer {
  const mask = der.sequence(der.oid('1.2.840.113549.1.1.8'), hash)
  const parameters = der.sequence(
    der.encode(0xa0, hash),
    der.encode(0xa1, mask),
    der.encode(0xa2, der.integer(saltBytes)),
  )
  return der.sequence(der.oid('1.2.840.113549.1.1.10'), parameters)
}

/** ecdsa-with-SHA2: no parameters (RFC 5758 §3.2). */
const ecdsa = (last: number): Buffer => der.sequence(der.oid(`1.2.840.10045.4.3.${last}`))

/** What CMS writes for each signature algorithm. */
export const ALGORITHMS = {
  'rsa-pkcs1-sha256': { hash: 'sha256', digest: SHA256, signature: rsa(11) },
  'rsa-pkcs1-sha384': { hash: 'sha384', digest: SHA384, signature: rsa(12) },
  'rsa-pkcs1-sha512': { hash: 'sha512', digest: SHA512, signature: rsa(13) },
  'rsa-pss-sha256': { hash: 'sha256', digest: SHA256, signature: pss(SHA256, 32) },
  'rsa-pss-sha384': { hash: 'sha384', digest: SHA384, signature: pss(SHA384, 48) },
  'rsa-pss-sha512': { hash: 'sha512', digest: SHA512, signature: pss(SHA512, 64) },
  'ecdsa-sha256': { hash: 'sha256', digest: SHA256, signature: ecdsa(2) },
  'ecdsa-sha384': { hash: 'sha384', digest: SHA384, signature: ecdsa(3) },
  'ecdsa-sha512': { hash: 'sha512', digest: SHA512, signature: ecdsa(4) },
} as const satisfies Record<
  SignatureAlgorithm,
  { hash: 'sha256' | 'sha384' | 'sha512'; digest: Buffer; signature: Buffer }
>
