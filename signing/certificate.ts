/**
 * What a certificate says about itself: names, validity, key usage, and what a signature with it would be.
 *
 * RFC 5280 (X.509), ETSI EN 319 412-5 (QcStatements). Reads one certificate; builds no path and trusts nobody.
 */
import { X509Certificate } from 'node:crypto'
import { TAG, children, childrenOf, decode, expect, readOid, readTime } from './asn1/der.ts'
import type { Element } from './asn1/der.ts'
import { SigningError } from './errors.ts'

/**
 * - `trial`: issued by itself, or marked as a trial certificate; nobody vouches for it
 * - `qualified`: the issuer states in it that it is qualified under EU law and that its key lies in a qualified device.
 *   That is the certificate's own claim; whether the issuer may make it, only the trusted lists say
 * - `advanced`: every other
 */
export type CertificateKind = 'trial' | 'advanced' | 'qualified'

export interface CertificateFacts {
  /** common name of the holder; empty when there is none */
  commonName: string
  /** organisation of the holder; empty when there is none */
  organisation: string
  /** common name of the issuer; empty when there is none */
  issuerName: string
  /** lower-case hexadecimal */
  serialNumber: string
  notBefore: Date
  notAfter: Date
  kind: CertificateKind
  /** null: the certificate has no keyUsage extension, so nothing is excluded */
  keyUsage: ReadonlySet<KeyUsage> | null
  key: { kind: 'rsa' | 'ec' | 'other'; bits: number }
}

export type KeyUsage =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'

/**
 * Reads one DER certificate.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function readCertificate(der: Buffer): CertificateFacts {
  const parts = certificateParts(der)
  const extensions = readExtensions(parts.extensions)
  const [notBefore, notAfter] = childrenOf(parts.validity, TAG.sequence)
  return {
    commonName: nameAttribute(parts.subject, OID.commonName),
    organisation: nameAttribute(parts.subject, OID.organisation),
    issuerName: nameAttribute(parts.issuer, OID.commonName),
    serialNumber: expect(parts.serial, TAG.integer).content.toString('hex'),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    kind: kindOf(parts, extensions),
    keyUsage: readKeyUsage(extensions.get(OID.keyUsage)),
    key: readKey(der),
  }
}

/** The parts of a certificate that CMS and key files quote byte by byte. */
export interface CertificateParts {
  serial: Element
  issuer: Element
  validity: Element
  subject: Element
  extensions: Element | undefined
}

/** Splits one DER certificate into its fields (RFC 5280 §4.1). */
export function certificateParts(der: Buffer): CertificateParts {
  const [tbs] = childrenOf(decode(der), TAG.sequence)
  const fields = childrenOf(tbs, TAG.sequence)
  if (fields[0]?.tag === CONTEXT_0) fields.shift()
  const [serial, , issuer, validity, subject] = fields
  return {
    serial: expect(serial, TAG.integer),
    issuer: expect(issuer, TAG.sequence),
    validity: expect(validity, TAG.sequence),
    subject: expect(subject, TAG.sequence),
    extensions: fields.find((field) => field.tag === CONTEXT_3),
  }
}

export const OID = {
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  /** QcStatements, RFC 3739 §3.2.6 */
  qcStatements: '1.3.6.1.5.5.7.1.3',
  /** certificate policy of every trial certificate that this program makes: a UUID under 2.25 (ITU-T X.667) */
  trialPolicy: '2.25.180251279085002730966046619966334977850',
} as const

function kindOf(parts: CertificateParts, extensions: Map<string, Buffer>): CertificateKind {
  if (parts.issuer.encoding.equals(parts.subject.encoding)) return 'trial'
  const policies = extensions.get(OID.certificatePolicies)
  if (policies !== undefined && firstOids(policies).includes(OID.trialPolicy)) return 'trial'
  const statements = firstOids(extensions.get(OID.qcStatements) ?? EMPTY_SEQUENCE)
  const claimsEu = statements.includes(QC.compliance) && statements.includes(QC.device)
  // EN 319 412-5 §4.2.4: with QcCClegislation the certificate is qualified under the law of another country
  return claimsEu && !statements.includes(QC.otherLegislation) ? 'qualified' : 'advanced'
}

/** SEQUENCE OF SEQUENCE { OID, … } to the object identifiers: the shape of policies and QcStatements alike. */
function firstOids(der: Buffer): string[] {
  return childrenOf(decode(der), TAG.sequence).map((item) => readOid(childrenOf(item, TAG.sequence)[0]))
}

function readExtensions(wrapper: Element | undefined): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  if (wrapper === undefined) return found
  for (const extension of childrenOf(children(wrapper)[0], TAG.sequence)) {
    const fields = childrenOf(extension, TAG.sequence)
    const id = readOid(fields[0])
    if (found.has(id)) throw new SigningError('signing/asn1-damaged', 'an extension appears twice in a certificate')
    found.set(id, expect(fields.at(-1), TAG.octetString).content)
  }
  return found
}

function readKeyUsage(der: Buffer | undefined): ReadonlySet<KeyUsage> | null {
  if (der === undefined) return null
  const bits = expect(decode(der), TAG.bitString).content[1] ?? 0
  return new Set(KEY_USAGES.filter((_, index) => (bits & (0x80 >> index)) !== 0))
}

function nameAttribute(name: Element, id: string): string {
  for (const relative of children(name)) {
    for (const attribute of childrenOf(relative, TAG.set)) {
      const [type, value] = childrenOf(attribute, TAG.sequence)
      if (readOid(type) === id && value !== undefined) return text(value)
    }
  }
  return ''
}

function text(value: Element): string {
  if (value.tag === BMP_STRING) return Buffer.from(value.content).swap16().toString('utf16le')
  return value.content.toString(value.tag === TAG.utf8String ? 'utf8' : 'latin1')
}

function readKey(der: Buffer): CertificateFacts['key'] {
  try {
    const key = new X509Certificate(der).publicKey
    const details = key.asymmetricKeyDetails ?? {}
    if (key.asymmetricKeyType?.startsWith('rsa')) return { kind: 'rsa', bits: details.modulusLength ?? 0 }
    const bits = /(\d{3})/.exec(details.namedCurve ?? '')?.[1]
    return { kind: key.asymmetricKeyType === 'ec' ? 'ec' : 'other', bits: Number(bits ?? 0) }
  } catch (cause) {
    throw new SigningError('signing/asn1-damaged', 'the public key of a certificate cannot be read', { cause })
  }
}

const QC = {
  compliance: '0.4.0.1862.1.1',
  device: '0.4.0.1862.1.4',
  otherLegislation: '0.4.0.1862.1.7',
} as const
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const satisfies readonly KeyUsage[]
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3
const BMP_STRING = 0x1e
const EMPTY_SEQUENCE = Buffer.from([0x30, 0x00])
