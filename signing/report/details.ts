/**
 * The detailed report: every check with its outcome, algorithms with their end dates, certificates and lists.
 *
 * Follows the simple one; for experts, so the checks keep their stable names and their English details.
 */
import type { Finding } from '../validation/finding.ts'
import type {
  AlgorithmReport,
  CertificateReport,
  ConstraintReport,
  ListReport,
  RevocationReport,
  ValidationReport,
} from '../validation/report.ts'
import { readableTime } from './display.ts'
import { reportTexts } from './summary.ts'
import type { Line, ReportLanguage } from './summary.ts'
import type { ReportTexts } from './texts/de.ts'

export interface DetailSection {
  title: string
  lines: Line[]
}

/** Sections in the order: each signature, each time-stamp, certificates, lists. */
export function detail(report: ValidationReport, language: ReportLanguage): DetailSection[] {
  const texts = reportTexts(language)
  const { label } = texts
  return [
    ...report.signatures.flatMap((signature) => [
      {
        title: `${label.signature} ${signature.id}: ${label.constraints}`,
        lines: checks(signature.constraints, texts),
      },
      {
        title: `${label.signature} ${signature.id}: ${label.algorithms}`,
        lines: algorithms(signature.algorithms, language),
      },
    ]),
    ...report.timestamps.map((timestamp) => ({
      title: `${label.timestamp} ${timestamp.id}: ${label.constraints}`,
      lines: [...checks(timestamp.constraints, texts), ...remarks(timestamp.findings, texts)],
    })),
    ...report.certificates.map((certificate) => ({
      title: certificate.subject,
      lines: certificateLines(certificate, language),
    })),
    ...(report.lists.length === 0 ? [] : [{ title: label.lists, lines: report.lists.map((list) => listLine(list)) }]),
  ]
}

/** As plain text. */
export function detailText(sections: readonly DetailSection[]): string {
  return sections
    .map(({ title, lines }) => [title, ...lines.map(({ label, text }) => `  ${label}: ${text}`)].join('\n'))
    .join('\n\n')
}

function checks(constraints: readonly ConstraintReport[], texts: ReportTexts): Line[] {
  return constraints.map(({ block, name, result, subIndication, detail: why, subject }) => {
    const parts = [texts.constraintResult[result], subIndication, why, subject === null ? null : shortened(subject)]
    return { label: `${block}/${name}`, text: parts.filter((part) => part !== null && part !== '').join(' · ') }
  })
}

function remarks(findings: readonly Finding[], texts: ReportTexts): Line[] {
  return findings.map(({ code, detail: what }) => ({
    label: code,
    text: what === '' ? texts.finding[code] : `${texts.finding[code]} (${what})`,
  }))
}

function algorithms(list: readonly AlgorithmReport[], language: ReportLanguage): Line[] {
  const { label } = reportTexts(language)
  const end = (until: string | null): string => {
    if (until === null) return label.suitableAlways
    return until === 'refused' ? label.unsuitable : `${label.suitable} ${readableTime(until, language)}`
  }
  return list.map(({ place, name, until }) => ({
    label: place,
    text: `${name} · ETSI TS 119 312: ${end(until.ts119312)} · BNetzA: ${end(until.bnetza)}`,
  }))
}

function certificateLines(certificate: CertificateReport, language: ReportLanguage): Line[] {
  const { label } = reportTexts(language)
  const { notBefore, notAfter, restrictions } = certificate
  return [
    { label: 'SHA-256', text: certificate.sha256 },
    { label: label.issuer, text: certificate.issuer },
    { label: 'Nr.', text: certificate.serialNumber },
    { label: label.algorithms, text: certificate.key },
    { label: 'X.509', text: `${readableTime(notBefore, language)} – ${readableTime(notAfter, language)}` },
    { label: label.revocation, text: statusText(certificate.revocation, language) },
    ...(restrictions.length === 0 ? [] : [{ label: label.restrictions, text: restrictions.join('; ') }]),
  ]
}

function statusText(revocation: RevocationReport | null, language: ReportLanguage): string {
  if (revocation === null) return '–'
  const { status, source, thisUpdate, revokedAt, reason } = revocation
  const at = (time: string | null): string | null => (time === null ? null : readableTime(time, language))
  return [status, source?.toUpperCase(), at(thisUpdate), at(revokedAt), reason].filter(Boolean).join(' · ')
}

function listLine({ territory, sequence, issuedAt, nextUpdate, sha256, state }: ListReport): Line {
  return { label: territory, text: `${sequence} · ${issuedAt} · ${nextUpdate ?? '–'} · ${state} · ${sha256}` }
}

/** Hashes are told by their first half. */
const shortened = (subject: string): string => (/^[0-9a-f]{64}$/.test(subject) ? `${subject.slice(0, 16)}…` : subject)
