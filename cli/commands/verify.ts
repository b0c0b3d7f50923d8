/** `amtsbote verify`: what the signatures of a document are worth, with the report in the form that is wanted. */
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { readSecret } from '../config.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { withLocalFile, writeLocalFile } from '../local-file.ts'
import { addTrustOptions, validationOptions } from '../validation-options.ts'
import type { TrustOptions } from '../validation-options.ts'
import {
  detail,
  detailText,
  etsiReport,
  reportPdf,
  summarize,
  summaryText,
  validateDocument,
} from '../../signing/index.ts'
import type { RandomAccess, ValidationReport } from '../../signing/index.ts'

const FORMATS = ['simple', 'detailed', 'json', 'etsi', 'pdf'] as const
const LANGUAGES = ['de', 'en'] as const

interface VerifyOptions extends TrustOptions {
  content?: string
  report: (typeof FORMATS)[number]
  lang: (typeof LANGUAGES)[number]
  out?: string
  passwordFile?: string
}

export function verifyCommand(context: () => Context): Command {
  const command = new Command('verify')
    .description(
      'validate the signatures of a document (PDF, CMS, XML, ASiC, time-stamps); exit code 3 unless all are valid',
    )
    .argument('<file>', 'the signed document, or the file with the signature')
    .option('--content <file>', 'what a detached signature (.p7s, .xml, .tst) is over')
    .option('--report <form>', FORMATS.join(', '), oneOf(FORMATS), 'simple')
    .option('--lang <language>', 'of the report: de or en', oneOf(LANGUAGES), 'de')
    .option('--out <file>', 'write the report into this file')
    .option('--password-file <file>', 'file with the password of an encrypted PDF')
  return addTrustOptions(command).action((file: string, options: VerifyOptions) => verify(context(), file, options))
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
  options: VerifyOptions,
): Promise<ValidationReport> {
  const { passwordFile } = options
  return validateDocument(document, {
    ...(await validationOptions(context, options)),
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
