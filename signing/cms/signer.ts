/**
 * Does one SignerInfo fit its content and a certificate? Integrity, not trust (RFC 5652 §5.4, §5.6, RFC 5035 §5).
 */
import { createHash } from 'node:crypto'
import { berChildren, berOctets, readBer } from '../asn1/ber.ts'
import { TAG, decode, expect, readOid } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { digestOf, readDigest } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { verifyValue } from '../trust/signature-value.ts'
import type { ValueQuestion } from '../trust/signature-value.ts'
import { signedAttributesOf } from './container.ts'
import type { Attribute, SignedDataParts, SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'

export type SignerVerdict =
  | { kind: 'good'; certificate: Certificate }
  | {
      kind: 'bad'
      reason:
        | 'attributes' // missing, repeated, with several values, or content-type differs
        | 'digest' // the content is another
        | 'certificate' // none that the signing-certificate attribute names
        | 'signature'
        | 'unsupported-algorithm'
    }

/**
 * Judges `signer` with the certificates inside and `others`.
 *
 * Signed attributes with a signing-certificate reference are demanded, as AdES and time-stamp tokens have them.
 *
 * @param contentDigest digest of the content by this algorithm
 * @throws SigningError `signing/asn1-damaged` an attribute cannot be read
 */
export async function verifySigner(
  parts: SignedDataParts,
  signer: SignerParts,
  contentDigest: (digest: Digest) => Promise<Buffer> | Buffer,
  others: readonly Certificate[] = [],
): Promise<SignerVerdict> {
  const values = singleValues(signer) ?? new Map<string, Buffer>()
  const contentType = values.get(ATTRIBUTE.contentType)
  const messageDigest = values.get(ATTRIBUTE.messageDigest)
  if (!contentType || !messageDigest || readOid(decode(contentType)) !== parts.contentType) return bad('attributes')
  const digest = readDigest(signer.digestAlgorithm)
  if (digest === null) return bad('unsupported-algorithm')
  if (!berOctets(readBer(messageDigest)).equals(await contentDigest(digest))) return bad('digest')
  const certificate = candidates(parts, signer, others).find((candidate) => isNamed(candidate, values))
  if (certificate === undefined) return bad('certificate')
  const { kind } = verifyValue(question(signer, certificate), signer.value)
  if (kind === 'unsupported') return bad('unsupported-algorithm')
  return kind === 'good' ? { kind, certificate } : bad('signature')
}

/** RFC 5652 §5.4: what is signed are the signed attributes, as a SET. */
function question(signer: SignerParts, { spki }: Certificate): ValueQuestion {
  const { signatureAlgorithm: algorithm, digestAlgorithm } = signer
  return { algorithm, digestAlgorithm, spki, signed: signedBytes(signer) }
}

/** Certificates inside and from outside that the SignerIdentifier names. */
export function candidates(
  parts: SignedDataParts,
  { sid }: SignerParts,
  others: readonly Certificate[] = [],
): Certificate[] {
  return [...readableCertificates(parts.certificates), ...others].filter((certificate) => fits(certificate, sid))
}

/** The X.509 certificates among these; what cannot be read names nobody and is left out. */
export function readableCertificates(encodings: readonly Buffer[]): Certificate[] {
  return encodings.flatMap((encoding) => {
    if (encoding[0] !== TAG.sequence) return []
    try {
      return [parseCertificate(encoding)]
    } catch (error) {
      if (error instanceof SigningError) return []
      throw error
    }
  })
}

/** The signed attributes as they were signed: a SET (RFC 5652 §5.4). */
function signedBytes({ signedAttributes }: SignerParts): Buffer {
  const bytes = Buffer.from(signedAttributes ?? Buffer.alloc(1))
  bytes[0] = TAG.set
  return bytes
}

function fits(certificate: Certificate, sid: Buffer): boolean {
  const element = readBer(sid)
  if (element.tag === 0x80) return certificate.ski?.equals(element.content) ?? false
  const [issuer, serial] = berChildren(element, TAG.sequence)
  if (issuer === undefined || serial === undefined) return false
  return certificate.issuer.der.equals(issuer.encoding) && certificate.serial.equals(serial.content)
}

/** Null when an attribute appears twice or those that count have not exactly one value. */
function singleValues(signer: SignerParts): Map<string, Buffer> | null {
  const values = new Map<string, Buffer>()
  const seen = new Set<string>()
  for (const { type, values: found } of signedAttributesOf(signer) satisfies Attribute[]) {
    const [value, ...more] = found
    if (seen.has(type)) return null
    seen.add(type)
    if (!SINGLE.has(type)) continue
    if (value === undefined || more.length > 0) return null
    values.set(type, value)
  }
  return values
}

/** The first reference names the signer (RFC 5035 §3 and §4); both forms must agree when both are there. */
function isNamed(certificate: Certificate, values: ReadonlyMap<string, Buffer>): boolean {
  const v1 = values.get(ATTRIBUTE.signingCertificate)
  const v2 = values.get(ATTRIBUTE.signingCertificateV2)
  if (v1 === undefined && v2 === undefined) return false
  return (
    (v1 === undefined || matches(certificate, v1, 'sha1')) && (v2 === undefined || matches(certificate, v2, 'sha256'))
  )
}

function matches(certificate: Certificate, value: Buffer, byDefault: Digest): boolean {
  const [references] = berChildren(readBer(value), TAG.sequence)
  const [first] = berChildren(references, TAG.sequence)
  const fields = berChildren(first, TAG.sequence)
  const algorithm = byDefault === 'sha256' && fields[0]?.tag === TAG.sequence ? fields.shift() : undefined
  const digest = algorithm === undefined ? byDefault : digestOf(readOid(berChildren(algorithm, TAG.sequence)[0]))
  const [hash, issuerSerial] = fields
  if (
    digest === null ||
    !expect(hash, TAG.octetString).content.equals(createHash(digest).update(certificate.der).digest())
  )
    return false
  return issuerSerial === undefined || issuedAs(certificate, issuerSerial.encoding)
}

/** IssuerSerial: the issuer is a directory name among general names (RFC 5035 §5). */
function issuedAs(certificate: Certificate, issuerSerial: Buffer): boolean {
  const [names, serial] = berChildren(readBer(issuerSerial), TAG.sequence)
  const directory = berChildren(names, TAG.sequence).find(({ tag }) => tag === 0xa4)
  return (
    (directory?.content.equals(certificate.issuer.der) ?? false) &&
    (serial?.content.equals(certificate.serial) ?? false)
  )
}

const bad = (reason: (SignerVerdict & { kind: 'bad' })['reason']): SignerVerdict => ({ kind: 'bad', reason })

const SINGLE: ReadonlySet<string> = new Set([
  ATTRIBUTE.contentType,
  ATTRIBUTE.messageDigest,
  ATTRIBUTE.signingTime,
  ATTRIBUTE.signingCertificate,
  ATTRIBUTE.signingCertificateV2,
])
