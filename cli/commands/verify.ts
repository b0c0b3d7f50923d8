/** `amtsbote verify`: what the signatures of a document are worth, with the report in the form that is wanted. */
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { signaturesOf } from '../compose.ts'
import { readSecret } from '../config.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { withLocalFile, writeLocalFile } from '../local-file.ts'
import { readCertificateFile } from '../trust-certificates.ts'
import {
  detail,
  detailText,
  etsiReport,
  reportPdf,
  summarize,
  summaryText,
  validateDocument,
} from '../../signing/index.ts'
import type { RandomAccess, TrustAnchor, ValidationReport } from '../../signing/index.ts'

const FORMATS = ['simple', 'detailed', 'json', 'etsi', 'pdf'] as const
const LANGUAGES = ['de', 'en'] as const

interface VerifyOptions {
  content?: string
  report: (typeof FORMATS)[number]
  lang: (typeof LANGUAGES)[number]
  out?: string
  passwordFile?: string
  at?: Date
  anchor: string[]
  offline?: boolean
}

export function verifyCommand(context: () => Context): Command {
  return new Command('verify')
    .description(
      'validate the signatures of a document (PDF, CMS, XML, ASiC, time-stamps); exit code 3 unless all are valid',
    )
    .argument('<file>', 'the signed document, or the file with the signature')
    .option('--content <file>', 'what a detached signature (.p7s, .xml, .tst) is over')
    .option('--report <form>', FORMATS.join(', '), oneOf(FORMATS), 'simple')
    .option('--lang <language>', 'of the report: de or en', oneOf(LANGUAGES), 'de')
    .option('--out <file>', 'write the report into this file')
    .option('--password-file <file>', 'file with the password of an encrypted PDF')
    .option('--at <time>', 'validate as of this time, e.g. 2026-03-01T12:00:00Z (default: now)', readTime)
    .option('--anchor <file>', 'trust these certificates too (PEM or DER; may be given again)', collectPath, [])
    .option('--offline', 'ask nobody; use what the document and this installation hold')
    .action((file: string, options: VerifyOptions) => verify(context(), file, options))
}

async function verify(context: Context, path: string, options: VerifyOptions): Promise<void> {
  const { content } = options
  const report = await withLocalFile(path, (document) =>
    content === undefined
      ? judge(context, document, null, options)
      : withLocalFile(content, (data) => judge(context, document, data, options)),
  )
  await print(context, report, options)
  if (report.headline !== 'valid' && report.headline !== 'valid-with-remarks') process.exitCode = 3
}

async function judge(
  context: Context,
  document: RandomAccess,
  content: RandomAccess | null,
  { at, anchor, offline, passwordFile }: VerifyOptions,
): Promise<ValidationReport> {
  const options = await signaturesOf(context.config(), context.world).options(at ?? context.clock())
  const added: TrustAnchor[] = []
  for (const path of anchor) {
    for (const certificate of await readCertificateFile(path)) added.push({ certificate, source: 'command line' })
  }
  return validateDocument(document, {
    ...options,
    ...(offline === true ? { online: null } : {}),
    anchors: [...added, ...options.anchors],
    detached: () => content,
    password: passwordFile === undefined ? null : readSecret(passwordFile, '--password-file'),
  })
}

async function print(
  context: Context,
  report: ValidationReport,
  { report: form, lang, out }: VerifyOptions,
): Promise<void> {
  if (form === 'pdf' && out === undefined) throw new CliError('cli/usage', 'a report as PDF needs --out <file>')
  const text = form === 'pdf' ? await reportPdf(report, lang) : textOf(report, form, lang)
  if (out === undefined) {
    context.output.say(text.toString(), report)
    return
  }
  await writeLocalFile(out, Buffer.from(text))
  context.output.say(`${summarize(report, lang).headline.title}  ${out}`, { headline: report.headline, report: out })
}

function textOf(
  report: ValidationReport,
  form: Exclude<VerifyOptions['report'], 'pdf'>,
  lang: VerifyOptions['lang'],
): string {
  switch (form) {
    case 'simple':
      return summaryText(summarize(report, lang))
    case 'detailed':
      return `${summaryText(summarize(report, lang))}\n\n${detailText(detail(report, lang))}`
    case 'json':
      return JSON.stringify(report, null, 1)
    case 'etsi':
      return etsiReport(report) ?? noSignatures()
  }
}

function noSignatures(): never {
  throw new CliError('cli/check-failed', 'the document has no signature, so there is no ETSI report on it')
}

function readTime(text: string): Date {
  const time = new Date(text)
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime())) return time
  throw new CliError('cli/usage', 'write the time as 2026-03-01 or 2026-03-01T12:00:00Z')
}

const collectPath = (path: string, before: string[]): string[] => [...before, path]
