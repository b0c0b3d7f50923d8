/**
 * Certificate inspection of the intermediary: who is known, what is still valid, and the report in the Laufzettel.
 */
import { X509Certificate } from 'node:crypto'
import { escapeText, readCertificate } from '../../signing/index.ts'
import type { CertificateEntry } from '../osci/messages.ts'

/** What this server knows of a certificate beside what stands in it. */
export type CertificateTrust = (certificate: Buffer) => Promise<'known' | 'unknown' | 'revoked'>

/** One checked certificate. */
export interface Inspection {
  entry: CertificateEntry
  trust: 'known' | 'unknown' | 'revoked'
  period: 'valid' | 'outside' | 'unreadable'
}

/** Checks certificates against the trust of this server and the clock. Never throws for a bad certificate. */
export async function inspect(
  entries: readonly CertificateEntry[],
  trust: CertificateTrust,
  now: Date,
): Promise<Inspection[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const period = periodOf(entry.certificate, now)
      return { entry, period, trust: period === 'unreadable' ? 'unknown' : await trust(entry.certificate) }
    }),
  )
}

function periodOf(certificate: Buffer, now: Date): Inspection['period'] {
  try {
    const { notBefore, notAfter } = readCertificate(certificate)
    return notBefore <= now && now <= notAfter ? 'valid' : 'outside'
  } catch {
    return 'unreadable' // a stranger's bytes: the verdict is the answer, there is no fault of ours to report
  }
}

interface Codes {
  unknown: string
  revoked: string
  outside: string
}

/** OSCI codes per role; an unknown third party is a warning, because its own intermediary may well know it. */
const CODES: Readonly<Record<string, Codes>> = {
  CipherCertificateOriginator: { unknown: '9501', revoked: '9502', outside: '3500' },
  SignatureCertificateOriginator: { unknown: '9700', revoked: '9701', outside: '3700' },
  CipherCertificateAddressee: { unknown: '9706', revoked: '9707', outside: '3705' },
  CipherCertificateOtherReader: { unknown: '3707', revoked: '9709', outside: '3706' },
  CipherCertificateOtherAuthor: { unknown: '3707', revoked: '9705', outside: '3704' },
  SignatureCertificateOtherAuthor: { unknown: '3707', revoked: '3703', outside: '3701' },
}

/** The codes that inspections lead to, errors before warnings, each once. */
export function inspectionCodes(inspections: readonly Inspection[]): string[] {
  const codes = new Set<string>()
  for (const { entry, trust, period } of inspections) {
    const table = CODES[entry.role]
    if (!table) continue
    if (trust !== 'known') codes.add(table[trust])
    if (period === 'outside') codes.add(table.outside)
  }
  const rank = (code: string): string => (code.startsWith('9') ? `0${code}` : `1${code}`)
  return [...codes].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** The InspectionReport of a Laufzettel, canonical under the five namespaces. */
export function inspectionReport(inspections: readonly Inspection[], now: Date): string {
  const seen = new Set<string>()
  const list = inspections
    .filter(({ entry, period }) => {
      const key = entry.certificate.toString('base64')
      return period !== 'unreadable' && !seen.has(key) && seen.add(key)
    })
    .map((inspection) => inspectionText(inspection, now))
  return `<osci:InspectionReport>${list.join('')}</osci:InspectionReport>`
}

function inspectionText({ entry, trust, period }: Inspection, now: Date): string {
  const certificate = new X509Certificate(entry.certificate)
  const serial = BigInt(`0x${certificate.serialNumber}`).toString()
  const math = trust === 'unknown' ? 'indeterminate' : 'ok'
  const offline = period === 'valid' ? 'valid' : 'invalid'
  return (
    `<osci:Inspection><osci:Timestamp><osci:Plain>${now.toISOString()}</osci:Plain></osci:Timestamp>` +
    `<osci:X509SubjectName>${distinguishedName(certificate.subject)}</osci:X509SubjectName>` +
    `<osci:X509IssuerName>${distinguishedName(certificate.issuer)}</osci:X509IssuerName>` +
    `<osci:X509SerialNumber>${serial}</osci:X509SerialNumber><osci:CertType Type="advanced"></osci:CertType>` +
    `<osci:MathResult Result="${math}"></osci:MathResult><osci:OfflineResult Result="${offline}"></osci:OfflineResult>` +
    '</osci:Inspection>'
  )
}

/** RFC 2253: most specific first, separated by commas. Node gives one per line, most general first. */
function distinguishedName(lines: string): string {
  const parts = lines.split('\n').map((line) => line.replace(/[,;+<>\\]/g, '\\$&'))
  return escapeText(parts.reverse().join(','))
}
