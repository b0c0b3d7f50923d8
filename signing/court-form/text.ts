/** The court-form check as plain text, for terminals. What comes from the files stays in its line. */
import { readableTime } from '../report/display.ts'
import { kindInWords, reportTexts } from '../report/summary.ts'
import type { ReportLanguage } from '../report/summary.ts'
import type { FilingSignature } from './facts.ts'
import type { CourtFile, CourtFinding, CourtFormReport } from './report.ts'
import { de } from './texts/de.ts'
import { en } from './texts/en.ts'

export function courtFormText(report: CourtFormReport, language: ReportLanguage): string {
  const { verdict, label, disclaimer } = language === 'de' ? de : en
  const { title, sentence } = verdict[report.verdict]
  const bytes = report.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const about = [
    [label.files, `${report.files.length}, ${reportTexts(language).bytes(bytes)}`],
    [label.way, report.secureWay === 'vhn' ? label.vhn : label.none],
    [label.checkedAt, readableTime(report.checkedAt, language)],
  ] as const
  const width = Math.max(...about.map(([name]) => name.length))
  return [
    `${title.toUpperCase()}  ${sentence}`,
    about.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join('\n'),
    ...(report.findings.length === 0 ? [] : [block(label.message, [], report.findings, language)]),
    ...report.files.map((file) => block(titleOf(file, language), aboutFile(file, language), file.findings, language)),
    disclaimer,
  ].join('\n\n')
}

function block(
  title: string,
  about: readonly string[],
  findings: readonly CourtFinding[],
  language: ReportLanguage,
): string {
  const worst = (['block', 'open', 'warn'] as const).find((severity) =>
    findings.some((finding) => finding.severity === severity),
  )
  const lines = [
    ...about.map((line) => `    ${line}`),
    ...findings.flatMap((finding) => findingLines(finding, language)),
  ]
  return [`${worst === undefined || worst === 'warn' ? '[+]' : SIGNS[worst]} ${title}`, ...lines].join('\n')
}

function findingLines({ severity, basis, detail, reason, advice }: CourtFinding, language: ReportLanguage): string[] {
  const shown = detail === '' ? '' : ` [${oneLine(detail)}]`
  return [`    ${SIGNS[severity]} ${reason[language]} (${basis})${shown}`, `        -> ${advice[language]}`]
}

function titleOf({ name, kind, pdfVersion, role, over }: CourtFile, language: ReportLanguage): string {
  const { label } = language === 'de' ? de : en
  const type = kind === 'pdf' ? `PDF ${pdfVersion}`.trim() : kind === 'tiff' ? 'TIFF' : ''
  const parts = [type, role === 'exhibit' ? label.exhibit : '', over === null ? '' : `${label.over} ${over}`]
  const words = parts.filter((part) => part !== '').join(', ')
  return oneLine(words === '' ? name : `${name}  (${words})`)
}

function aboutFile({ form, signatures }: CourtFile, language: ReportLanguage): string[] {
  const texts = language === 'de' ? de : en
  return [
    ...(form === 'not-asked' ? [] : [`${texts.label.form}: ${texts.form[form]}`]),
    ...signatures.map((signature) => signatureLine(signature, language)),
  ]
}

/** The cryptographic verdict, in the words of the validation report. */
function signatureLine(signature: FilingSignature, language: ReportLanguage): string {
  const texts = reportTexts(language)
  const { indication, label } = texts
  const { form, file, signer, qualification } = signature
  const kind = kindInWords(qualification, texts)
  return oneLine(`${form} (${file}): ${signer ?? label.unknownSigner}, ${indication[signature.indication]}, ${kind}`)
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\ufffd')

const SIGNS = { block: '[x]', open: '[?]', warn: '[!]' } as const
