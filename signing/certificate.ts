/**
 * What a certificate says about its holder and its key: names, validity, key usage, and what a signature with it would be.
 *
 * The holder's view of trust/certificate.ts: for keys of ours and for people. Builds no path and trusts nobody.
 */
import { X509Certificate } from 'node:crypto'
import { SigningError } from './errors.ts'
import { parseCertificate } from './trust/certificate.ts'
import type { Certificate, KeyUsageBit, Name } from './trust/certificate.ts'
import { readPolicies } from './trust/extensions.ts'
import { readQcStatements } from './trust/qc-statements.ts'

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
  keyUsage: ReadonlySet<KeyUsageBit> | null
  key: { kind: 'rsa' | 'ec' | 'other'; bits: number }
}

/**
 * Reads one DER certificate.
 *
 * What this reads, OpenSSL reads too: callers hand the same bytes to `X509Certificate`.
 *
 * @throws SigningError `signing/asn1-damaged`, also for a key that this program cannot use
 */
export function readCertificate(der: Buffer): CertificateFacts {
  const certificate = parseCertificate(der)
  const { subject, issuer, serial, notBefore, notAfter, keyUsage } = certificate
  return {
    commonName: attributeOf(subject, NAME.commonName),
    organisation: attributeOf(subject, NAME.organisation),
    issuerName: attributeOf(issuer, NAME.commonName),
    serialNumber: serial.toString('hex'),
    notBefore,
    notAfter,
    kind: kindOf(certificate),
    keyUsage,
    key: keyOf(der),
  }
}

/** Attributes of distinguished names (X.520). */
export const NAME = { commonName: '2.5.4.3', organisation: '2.5.4.10' } as const

/** certificate policy of every trial certificate that this program makes: a UUID under 2.25 (ITU-T X.667) */
export const TRIAL_POLICY = '2.25.180251279085002730966046619966334977850'

function attributeOf({ attributes }: Name, id: string): string {
  return attributes.find(({ type }) => type === id)?.value ?? ''
}

function kindOf(certificate: Certificate): CertificateKind {
  if (certificate.selfIssued || readPolicies(certificate)?.has(TRIAL_POLICY) === true) return 'trial'
  const { compliance, device, countries } = readQcStatements(certificate)
  // EN 319 412-5 §4.2.4: with QcCClegislation the certificate is qualified under the law of another country
  return compliance && device && countries.length === 0 ? 'qualified' : 'advanced'
}

function keyOf(der: Buffer): CertificateFacts['key'] {
  try {
    const { publicKey } = new X509Certificate(der)
    const details = publicKey.asymmetricKeyDetails ?? {}
    if (publicKey.asymmetricKeyType?.startsWith('rsa')) return { kind: 'rsa', bits: details.modulusLength ?? 0 }
    const bits = /(\d{3})/.exec(details.namedCurve ?? '')?.[1]
    return { kind: publicKey.asymmetricKeyType === 'ec' ? 'ec' : 'other', bits: Number(bits ?? 0) }
  } catch (cause) {
    throw new SigningError('signing/asn1-damaged', 'the public key of a certificate cannot be read', { cause })
  }
}
