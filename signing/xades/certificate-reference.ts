/**
 * SigningCertificate and SigningCertificateV2: which certificate the signer says is the own one (ETSI EN 319 132-1 §5.2.2).
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { TAG } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import { parseName, sameName } from '../trust/name.ts'
import { decodeBase64 } from '../xml/base64.ts'
import { attributeOf, childElements } from '../xml/find.ts'
import { digestOfUri } from '../xml/signature-method.ts'
import type { XmlElement } from '../xml/tree.ts'
import { plainText } from './claims.ts'
import { xadesChild, xadesChildren } from './properties.ts'
import type { Properties } from './properties.ts'

export interface CertificateReference {
  /** null: unknown */
  digest: Digest | null
  value: Buffer | null
  /** null: none; the issuer and serial number beside the digest fit the certificate, or not */
  fitsIssuer: ((certificate: Certificate) => boolean) | null
}

/**
 * The references in order, the signer's own first; null: neither property is there.
 *
 * @throws SigningError `signing/xml-malformed`
 */
export function readCertificateReferences({ signedSignature }: Properties): CertificateReference[] | null {
  const property =
    xadesChild(signedSignature, 'SigningCertificateV2') ?? xadesChild(signedSignature, 'SigningCertificate')
  return property === null ? null : xadesChildren(property, 'Cert').slice(0, MAX_REFERENCES).map(readReference)
}

function readReference(cert: XmlElement): CertificateReference {
  const parts = xadesChild(cert, 'CertDigest')
  // DigestMethod and DigestValue are ds elements; in XAdES 1.1.1 they were its own
  const [method, value] = parts === null ? [] : childElements(parts)
  const isPair = method?.local === 'DigestMethod' && value?.local === 'DigestValue'
  return {
    digest: isPair ? digestOfUri(attributeOf(method, 'Algorithm') ?? '') : null,
    value: isPair ? decodeBase64(plainText(value)) : null,
    fitsIssuer: readIssuer(xadesChild(cert, 'IssuerSerialV2'), xadesChild(cert, 'IssuerSerial')),
  }
}

export function isNamedBy(certificate: Certificate, { digest, value }: CertificateReference): boolean {
  return digest !== null && value !== null && createDigest(digest).update(certificate.der).digest().equals(value)
}

function readIssuer(v2: XmlElement | null, v1: XmlElement | null): CertificateReference['fitsIssuer'] {
  if (v2 !== null) return readIssuerDer(decodeBase64(plainText(v2)))
  if (v1 === null) return null
  // names as text have too many spellings to be compared; the number has one
  const number = childElements(v1).find(({ local }) => local === 'X509SerialNumber')
  const text = number === undefined ? '' : plainText(number)
  return ({ serial }) => /^\d{1,60}$/.test(text) && BigInt(text) === BigInt(`0x${serial.toString('hex')}`)
}

/** IssuerSerial (RFC 5035 §5): general names with one directory name, and the number. */
function readIssuerDer(der: Buffer | null): (certificate: Certificate) => boolean {
  return (certificate) => {
    try {
      const [names, serial] = berChildren(readBer(der ?? Buffer.alloc(0)), TAG.sequence)
      const [name] = berChildren(names, TAG.sequence)
      const issuer = parseName(berChildren(name, 0xa4)[0])
      return serial?.content.equals(certificate.serial) === true && sameName(issuer, certificate.issuer)
    } catch (error) {
      if (error instanceof SigningError) return false
      throw error
    }
  }
}

const MAX_REFERENCES = 64
