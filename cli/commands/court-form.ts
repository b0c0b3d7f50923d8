/**
 * `amtsbote court-form`: do the files of one filing keep the form that courts demand (Formprüfung)? Asked before sending;
 * nothing is sent, changed or stored.
 */
import path from 'node:path'
import { Command } from 'commander'
import { collect, oneOf } from '../arguments.ts'
import type { Context } from '../context.ts'
import { EXIT_UNDECIDED, CliError } from '../errors.ts'
import { oneOfMany } from '../local-file.ts'
import { visible } from '../output.ts'
import { addTrustOptions, validationOptions } from '../validation-options.ts'
import type { TrustOptions } from '../validation-options.ts'
import { checkCourtForm, courtFormText, validateDocument } from '../../signing/index.ts'
import type { CourtVerdict, FileRole, FilingFile } from '../../signing/index.ts'

const WAYS = ['vhn', 'none'] as const
const LANGUAGES = ['de', 'en'] as const

interface CourtFormOptions extends TrustOptions {
  secureWay: (typeof WAYS)[number]
  exhibit?: string[]
  lang: (typeof LANGUAGES)[number]
}

export function courtFormCommand(context: () => Context): Command {
  const command = new Command('court-form')
    .description(
      'check whether the files of one filing keep the form that courts demand (ZPO § 130a, ERVV); ' +
        'exit code 0 kept, 3 not kept or files unfit, 4 cannot be decided',
    )
    .argument('<files...>', 'documents, and signatures beside them (Klage.pdf, Klage.pdf.p7s)')
    .option(
      '--exhibit <file>',
      'a file that belongs to a document and needs no signature (may be given again)',
      collect,
    )
    .option('--secure-way <way>', 'vhn: it goes by beBPo with a proof of origin; none', oneOf(WAYS), 'none')
    .option('--lang <language>', 'of the report: de or en', oneOf(LANGUAGES), 'de')
  return addTrustOptions(command).action((files: string[], options: CourtFormOptions) =>
    check(context(), files, options),
  )
}

async function check(context: Context, paths: readonly string[], options: CourtFormOptions): Promise<void> {
  const { exhibit = [], secureWay, at, lang } = options
  refuseTwice([...paths, ...exhibit])
  const validation = await validationOptions(context, options)
  const files = [...(await filesOf(paths, 'document')), ...(await filesOf(exhibit, 'exhibit'))]
  const report = await checkCourtForm(files, {
    secureWay,
    now: at ?? context.clock(),
    validate: (document, detached) => validateDocument(document, { ...validation, detached }),
  })
  context.output.say(courtFormText(report, lang).split('\n').map(visible).join('\n'), report)
  process.exitCode = EXIT_CODES[report.verdict]
}

async function filesOf(paths: readonly string[], role: FileRole): Promise<FilingFile[]> {
  const files: FilingFile[] = []
  for (const one of paths) files.push({ name: path.basename(one), role, source: await oneOfMany(one) })
  return files
}

function refuseTwice(paths: readonly string[]): void {
  if (new Set(paths.map((one) => path.resolve(one))).size < paths.length) {
    throw new CliError('cli/usage', 'a file is named twice; name exhibits with --exhibit alone')
  }
}

const EXIT_CODES: Readonly<Record<CourtVerdict, number>> = {
  kept: 0,
  unfit: 3,
  'not-kept': 3,
  undecided: EXIT_UNDECIDED,
}
