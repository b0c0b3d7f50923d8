/**
 * Which certificate is the signer's: by the SignerIdentifier (RFC 5652 §5.3) and by the signing-certificate attributes
 * (RFC 5035 §3 to §5), which decide where both are there.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { TAG, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import { parseName } from '../trust/name.ts'
import type { Name } from '../trust/name.ts'
import type { SignedDataParts, SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'

/**
 * Certificates inside and from outside that the SignerIdentifier names.
 *
 * @throws SigningError `signing/asn1-damaged` the identifier cannot be read
 */
export function candidates(
  parts: Pick<SignedDataParts, 'certificates'>,
  { sid }: Pick<SignerParts, 'sid'>,
  others: readonly Certificate[] = [],
): Certificate[] {
  const isMeant = identifier(sid)
  const found = [...readableCertificates(parts.certificates), ...others].filter(isMeant)
  return found.filter(({ sha256 }, index) => found.findIndex((other) => other.sha256 === sha256) === index)
}

/** The X.509 certificates among these; what cannot be read names nobody and is left out. */
export function readableCertificates(encodings: readonly Buffer[]): readonly Certificate[] {
  const known = readable.get(encodings)
  if (known !== undefined) return known
  const found = encodings.flatMap((encoding) => {
    if (encoding[0] !== TAG.sequence) return []
    try {
      return [parseCertificate(encoding)]
    } catch (error) {
      if (error instanceof SigningError) return []
      throw error
    }
  })
  readable.set(encodings, found)
  return found
}

/** every signer of a SignedData asks for the same list */
const readable = new WeakMap<readonly Buffer[], readonly Certificate[]>()

function identifier(sid: Buffer): (certificate: Certificate) => boolean {
  const element = readBer(sid)
  if (element.tag === 0x80) return ({ ski }) => ski?.equals(element.content) ?? false
  const [issuer, serial] = berChildren(element, TAG.sequence)
  const isIssuer = names(issuer)
  const number = expect(serial, TAG.integer).content
  return (certificate) => certificate.serial.equals(number) && isIssuer(certificate.issuer)
}

/** The same bytes, or the same name after RFC 5280 §7.1. */
function names(element: Element | undefined): (name: Name) => boolean {
  const bytes = expect(element, TAG.sequence).encoding
  let key: string | null = null
  try {
    key = parseName(element).key
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
  }
  return (name) => name.der.equals(bytes) || name.key === key
}

export interface CertificateReference {
  /** does the reference name this certificate? */
  fits: (certificate: Certificate) => boolean
  /** null: unknown to this program, so that nothing fits */
  digest: Digest | null
}

/**
 * The references to the signer: the first of each attribute; all of them must fit.
 *
 * @param values of the attributes, by type
 * @throws SigningError `signing/asn1-damaged`
 */
export function certificateReferences(values: ReadonlyMap<string, Buffer>): CertificateReference[] {
  const v1 = values.get(ATTRIBUTE.signingCertificate)
  const v2 = values.get(ATTRIBUTE.signingCertificateV2)
  return [
    ...(v1 === undefined ? [] : [readReference(v1, 'sha1')]),
    ...(v2 === undefined ? [] : [readReference(v2, 'sha256')]),
  ]
}

/** ESSCertID has always SHA-1; ESSCertIDv2 names its digest, unless it is SHA-256 (RFC 5035 §4). */
function readReference(value: Buffer, byDefault: 'sha1' | 'sha256'): CertificateReference {
  const [references] = berChildren(readBer(value), TAG.sequence)
  const [first] = berChildren(references, TAG.sequence)
  const fields = berChildren(first, TAG.sequence)
  const algorithm = byDefault === 'sha256' && fields[0]?.tag === TAG.sequence ? fields.shift() : undefined
  const digest = algorithm === undefined ? byDefault : digestOf(readOid(berChildren(algorithm, TAG.sequence)[0]))
  const hash = expect(fields[0], TAG.octetString).content
  const isIssued = fields[1] === undefined ? (): boolean => true : issuerSerial(fields[1])
  return {
    digest,
    fits: (certificate) =>
      digest !== null && hash.equals(createDigest(digest).update(certificate.der).digest()) && isIssued(certificate),
  }
}

/** IssuerSerial: the issuer is a directory name among general names (RFC 5035 §5). */
function issuerSerial(element: Element): (certificate: Certificate) => boolean {
  const [generalNames, serial] = berChildren(element, TAG.sequence)
  const directory = berChildren(generalNames, TAG.sequence).find(({ tag }) => tag === 0xa4)
  if (directory === undefined) return () => false
  const isIssuer = names(readBer(directory.content))
  return (certificate) => isIssuer(certificate.issuer) && (serial?.content.equals(certificate.serial) ?? false)
}
