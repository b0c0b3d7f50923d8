/**
 * Checks a detached CMS signature of the kind that signed-data.ts makes: strict DER, one signer, CAdES attributes.
 *
 * An integrity check, not a validation: it says whether digest and signature fit the certificate inside, never whether
 * that certificate can be trusted. Steps after RFC 5652 §5.4 and §5.6, RFC 5035 §3.
 */
import { X509Certificate, createHash } from 'node:crypto'
import { TAG, childrenOf, decode, decodeFirst, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { certificateParts } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import { valueFits } from '../keys/algorithms.ts'
import type { SignatureAlgorithm } from '../keys/signing-key.ts'
import { ALGORITHMS, OID } from './signed-data.ts'

export type CmsCheck =
  | { kind: 'good'; certificate: Buffer }
  /** `unknown`: not a signature of the kind that this program makes */
  | { kind: 'bad'; reason: 'unknown' | 'digest' | 'certificate' | 'signature' }

/**
 * @param cms DER, followed by nothing but zero bytes
 * @param digestOf digest of the signed content by the named hash
 */
export async function checkSignedData(
  cms: Buffer,
  digestOf: (hash: 'sha256' | 'sha384' | 'sha512') => Promise<Buffer>,
): Promise<CmsCheck> {
  const signed = parse(cms)
  if (signed === null) return { kind: 'bad', reason: 'unknown' }
  const { hash } = ALGORITHMS[signed.algorithm]
  if (!signed.messageDigest.equals(await digestOf(hash))) return { kind: 'bad', reason: 'digest' }
  const certificate = signed.certificates.find((candidate) => isSigner(candidate, signed.signer))
  if (certificate === undefined) return { kind: 'bad', reason: 'certificate' }
  const expected = createHash('sha256').update(certificate).digest()
  if (!signed.certificateHash.equals(expected)) return { kind: 'bad', reason: 'certificate' }
  return signatureFits(signed, certificate) ? { kind: 'good', certificate } : { kind: 'bad', reason: 'signature' }
}

interface Signed {
  algorithm: SignatureAlgorithm
  certificates: Buffer[]
  /** IssuerAndSerialNumber, its whole encoding */
  signer: Buffer
  /** the signed attributes as they were signed: a SET */
  attributes: Buffer
  messageDigest: Buffer
  certificateHash: Buffer
  value: Buffer
}

function parse(cms: Buffer): Signed | null {
  try {
    return parseContentInfo(cms)
  } catch (error) {
    if (error instanceof SigningError && error.code === 'signing/asn1-damaged') return null
    throw error
  }
}

function parseContentInfo(cms: Buffer): Signed | null {
  const contentInfo = decodeFirst(cms)
  if (cms.subarray(contentInfo.encoding.length).some((byte) => byte !== 0)) return null
  const [type, wrapper] = childrenOf(contentInfo, TAG.sequence)
  const [signedData, ...extra] = childrenOf(wrapper, 0xa0)
  if (readOid(type) !== OID.signedData || extra.length > 0) return null
  const [version, digests, content, certificates, signers, ...more] = childrenOf(signedData, TAG.sequence)
  const [signer, ...others] = childrenOf(signers, TAG.set)
  if (!isOne(version) || more.length > 0 || others.length > 0) return null
  const parsed = parseSigner(expect(signer, TAG.sequence))
  if (parsed === null || !isDetachedData(content)) return null
  if (!expect(digests, TAG.set).content.equals(ALGORITHMS[parsed.algorithm].digest)) return null
  return { ...parsed, certificates: childrenOf(certificates, 0xa0).map(({ encoding }) => encoding) }
}

/** RFC 5652 §5.2: the content is elsewhere, so eContent is absent. */
function isDetachedData(content: Element | undefined): boolean {
  const [contentType, ...eContent] = childrenOf(content, TAG.sequence)
  return readOid(contentType) === OID.data && eContent.length === 0
}

function parseSigner(signer: Element): Omit<Signed, 'certificates'> | null {
  const [version, sid, digest, attributes, signature, value, ...more] = childrenOf(signer, TAG.sequence)
  if (!isOne(version) || more.length > 0) return null
  const algorithm = algorithmOf(expect(digest, TAG.sequence).encoding, expect(signature, TAG.sequence).encoding)
  const asSigned = Buffer.from(expect(attributes, 0xa0).encoding)
  asSigned[0] = TAG.set // RFC 5652 §5.4
  const values = readAttributes(asSigned)
  const contentType = values?.get(OID.contentType)
  const messageDigest = values?.get(OID.messageDigest)
  const signingCertificate = values?.get(OID.signingCertificateV2)
  if (algorithm === null || !contentType || !messageDigest || !signingCertificate) return null
  if (readOid(contentType) !== OID.data) return null
  return {
    algorithm,
    signer: expect(sid, TAG.sequence).encoding,
    attributes: asSigned,
    messageDigest: expect(messageDigest, TAG.octetString).content,
    certificateHash: firstCertificateHash(signingCertificate),
    value: expect(value, TAG.octetString).content,
  }
}

/** Null when the attributes are not in DER order, one appears twice, or one has several values. */
function readAttributes(set: Buffer): Map<string, Element> | null {
  const values = new Map<string, Element>()
  let previous: Buffer | null = null
  for (const attribute of childrenOf(decode(set), TAG.set)) {
    const [type, valueSet] = childrenOf(attribute, TAG.sequence)
    const [value, ...others] = childrenOf(valueSet, TAG.set)
    const id = readOid(type)
    const sorted = previous === null || Buffer.compare(previous, attribute.encoding) < 0
    if (!sorted || value === undefined || others.length > 0 || values.has(id)) return null
    previous = attribute.encoding
    values.set(id, value)
  }
  return values
}

/** The first ESSCertIDv2 names the signer; its hash is SHA-256 when no algorithm stands before it (RFC 5035 §3). */
function firstCertificateHash(signingCertificate: Element): Buffer {
  const [certificates] = childrenOf(signingCertificate, TAG.sequence)
  const [first] = childrenOf(certificates, TAG.sequence)
  const [hash] = childrenOf(first, TAG.sequence)
  return expect(hash, TAG.octetString).content
}

function algorithmOf(digest: Buffer, signature: Buffer): SignatureAlgorithm | null {
  for (const [name, row] of Object.entries(ALGORITHMS)) {
    if (row.digest.equals(digest) && row.signature.equals(signature)) return name as SignatureAlgorithm
  }
  return null
}

function isSigner(certificate: Buffer, issuerAndSerial: Buffer): boolean {
  const { issuer, serial } = certificateParts(certificate)
  const [otherIssuer, otherSerial] = childrenOf(decode(issuerAndSerial), TAG.sequence)
  const sameIssuer = otherIssuer?.encoding.equals(issuer.encoding) ?? false
  return sameIssuer && (otherSerial?.encoding.equals(serial.encoding) ?? false)
}

function signatureFits({ algorithm, attributes, value }: Signed, certificate: Buffer): boolean {
  return valueFits(new X509Certificate(certificate).publicKey, algorithm, attributes, value)
}

function isOne(version: Element | undefined): boolean {
  return version?.encoding.equals(VERSION_1) ?? false
}

const VERSION_1 = Buffer.from([TAG.integer, 1, 1])
