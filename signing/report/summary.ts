/**
 * The simple report: what a validation says to a person, in words of one language, ready to be shown anywhere.
 *
 * Makes sentences out of a ValidationReport and nothing else; terminal, page and PDF show the same lines.
 */
import type { Finding } from '../validation/finding.ts'
import type {
  Headline,
  QualificationReport,
  SignatureReport,
  TimestampReport,
  ValidationReport,
} from '../validation/report.ts'
import { commonName, readableTime } from './display.ts'
import { de } from './texts/de.ts'
import type { ReportTexts } from './texts/de.ts'
import { en } from './texts/en.ts'

export type ReportLanguage = 'de' | 'en'

/** A label with its text. */
export interface Line {
  label: string
  text: string
}

export interface Block {
  title: string
  /** good: passed · bad: failed · open: neither */
  mood: 'good' | 'bad' | 'open'
  lines: Line[]
}

export interface Summary {
  language: ReportLanguage
  title: string
  headline: { kind: Headline; title: string; sentence: string }
  /** about the document and this validation */
  about: Line[]
  blocks: Block[]
  remarks: string[]
  disclaimer: string
}

/** Texts of the reports in a language. */
export function reportTexts(language: ReportLanguage): ReportTexts {
  return language === 'de' ? de : en
}

/** The simple report. */
export function summarize(report: ValidationReport, language: ReportLanguage): Summary {
  const texts = reportTexts(language)
  const { label } = texts
  return {
    language,
    title: texts.title,
    headline: { kind: report.headline, ...texts.headline[report.headline] },
    about: [
      { label: `${label.document} (SHA-256)`, text: report.document.sha256 },
      { label: label.size, text: texts.bytes(report.document.sizeBytes) },
      { label: label.validationTime, text: readableTime(report.validationTime, language) },
      { label: label.policy, text: `${report.policy.id} (${report.policy.algorithms})` },
    ],
    blocks: [
      ...report.signatures.map((signature) => signatureBlock(report, signature, language)),
      ...report.timestamps.map((timestamp) => timestampBlock(report, timestamp, language)),
    ],
    remarks: [...remarks(report.findings, texts), ...ageRemarks(report, texts)],
    disclaimer: texts.disclaimer,
  }
}

function signatureBlock(report: ValidationReport, signature: SignatureReport, language: ReportLanguage): Block {
  const texts = reportTexts(language)
  const { label } = texts
  const certificate = report.certificates.find(({ sha256 }) => sha256 === signature.certificate)
  const lines: (Line | null)[] = [
    { label: label.verdict, text: texts.indication[signature.indication] },
    ...explained(signature, texts),
    { label: label.signer, text: certificate === undefined ? label.unknownSigner : commonName(certificate.subject) },
    certificate === undefined ? null : { label: label.issuer, text: commonName(certificate.issuer) },
    { label: label.qualification, text: kindInWords(signature.qualification, texts) },
    proofLine(signature, texts),
    timeLine(signature, language),
    optional(label.claimedTime, signature.claimedTime === null ? null : readableTime(signature.claimedTime, language)),
    { label: label.level, text: signature.level },
    { label: label.scope, text: texts.scope[signature.scope.kind] },
    optional(label.restrictions, certificate?.restrictions.join('; ') ?? null),
    ...remarks(toldOf(signature), texts).map((text) => ({ label: label.remarks, text })),
  ]
  const word = /Seal$|Seal-QC$/.test(signature.qualification.kind) ? label.seal : label.signature
  return {
    title: `${word} ${signature.id}${signature.name === '' ? '' : `: ${signature.name}`}`,
    mood: MOOD[signature.indication],
    lines: lines.filter((line) => line !== null),
  }
}

function timestampBlock(report: ValidationReport, timestamp: TimestampReport, language: ReportLanguage): Block {
  const texts = reportTexts(language)
  const { label } = texts
  const certificate = report.certificates.find(({ sha256 }) => sha256 === timestamp.certificate)
  const lines: (Line | null)[] = [
    { label: label.verdict, text: texts.indication[timestamp.indication] },
    ...explained(timestamp, texts),
    optional(label.time, timestamp.time === null ? null : readableTime(timestamp.time, language)),
    certificate === undefined ? null : { label: label.signer, text: commonName(certificate.subject) },
    timestamp.qualified === true ? { label: label.qualification, text: label.qualifiedTimestamp } : null,
    ...remarks(timestamp.findings, texts).map((text) => ({ label: label.remarks, text })),
  ]
  return {
    title: `${label.timestamp} ${timestamp.id}: ${texts.timestampKind[timestamp.kind]}`,
    mood: MOOD[timestamp.indication],
    lines: lines.filter((line) => line !== null),
  }
}

/** The reason that names the result, then what else stands in the way: whoever heals one thing should know of the others. */
function explained({ subIndication, constraints }: SignatureReport | TimestampReport, texts: ReportTexts): Line[] {
  if (subIndication === null) return []
  const { reason, advice } = texts.subIndication[subIndication]
  const others = constraints.flatMap(({ result, subIndication: other }) =>
    other !== null && other !== subIndication && (result === 'failed' || result === 'undecided') ? [other] : [],
  )
  return [
    { label: texts.label.reason, text: `${reason} (${subIndication})` },
    ...[...new Set(others)].map((other) => ({
      label: texts.label.besides,
      text: `${texts.subIndication[other].reason} (${other})`,
    })),
    { label: texts.label.advice, text: advice },
  ]
}

/** That there are allowed changes, too, is no comfort where others are forbidden. */
function toldOf({ findings, constraints }: SignatureReport): Finding[] {
  const isForbidden = constraints.some(({ name, result }) => name === 'changes-allowed' && result === 'failed')
  return findings.filter(({ code }) => !(isForbidden && code === 'extended-after-signing'))
}

/** In words; what is not known yet has nothing to be provisional about. */
export function kindInWords(
  { kind, provisional }: Pick<QualificationReport, 'kind' | 'provisional'>,
  texts: ReportTexts,
): string {
  const words = texts.qualification[kind]
  return provisional && kind !== 'undetermined' ? texts.provisional(words) : words
}

function proofLine({ qualification: { proof } }: SignatureReport, texts: ReportTexts): Line | null {
  if (proof === null) return null
  const { territory, sequence, provider, service } = proof
  return { label: texts.label.proof, text: `${territory} ${sequence}: ${provider}, ${service}` }
}

/** A time is only called proven when something else than this validation proves it. */
function timeLine({ bestTime, indication }: SignatureReport, language: ReportLanguage): Line | null {
  const { label } = reportTexts(language)
  if (indication === 'TOTAL-FAILED') return null
  const source = bestTime.source === 'now' ? label.byValidation : `${label.byTimestamp} ${bestTime.source}`
  return { label: label.time, text: `${readableTime(bestTime.time, language)} (${source})` }
}

/** What a person should know; what is for experts alone, and details of what is harmless, the detailed report has. */
function remarks(findings: readonly Finding[], texts: ReportTexts): string[] {
  const told = findings.filter(({ severity, code }) => severity !== 'info' || TOLD.has(code))
  return [
    ...new Set(
      told.map(({ severity, code, detail }) =>
        detail === '' || severity === 'info' ? texts.finding[code] : `${texts.finding[code]} (${detail})`,
      ),
    ),
  ]
}

function ageRemarks({ lists }: ValidationReport, texts: ReportTexts): string[] {
  const overdue = lists.filter(({ state }) => state === 'overdue').map(({ territory }) => territory)
  return overdue.length === 0 ? [] : [texts.listsOverdue(overdue.join(', '))]
}

const optional = (label: string, text: string | null): Line | null =>
  text === null || text === '' ? null : { label, text }

const TOLD: ReadonlySet<Finding['code']> = new Set(['extended-after-signing', 'encrypted', 'certificate-restricted'])
const MOOD = { 'TOTAL-PASSED': 'good', INDETERMINATE: 'open', 'TOTAL-FAILED': 'bad' } as const
