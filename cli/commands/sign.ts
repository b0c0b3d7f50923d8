/** `amtsbote sign` and `amtsbote extend`: signatures of all forms on files on disk, and their way to higher levels. */
import path from 'node:path'
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { signaturesOf } from '../compose.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { withLocalFile, withScratch, writeLocalFile } from '../local-file.ts'
import { FORMS, isLifted, liftSignatures, signFiles, usualForm } from '../signing-forms.ts'
import type { Form, NamedFile } from '../signing-forms.ts'
import { SEAL_LEVELS } from '../../gateway/index.ts'
import type { SealLevel } from '../../gateway/index.ts'
import type { AdesLevel, LevelSources } from '../../signing/index.ts'

interface SignOptions {
  out: string
  form?: Form
  level?: SealLevel
}

export function signCommand(context: () => Context): Command {
  return new Command('sign')
    .description('sign files on disk with the seal key: PAdES, CAdES (.p7s, .p7m), XAdES, ASiC')
    .argument('<files...>', 'the files; several only for --form asic-e')
    .requiredOption('--out <file>', 'the signed document, the signature beside it, or the container')
    .option('--form <form>', `${FORMS.join(', ')} (default: by the name)`, oneOf(FORMS))
    .option('--level <level>', SEAL_LEVELS.join(', '), oneOf(SEAL_LEVELS))
    .action((files: string[], options: SignOptions) => sign(context(), files, options))
}

function sign(context: Context, paths: readonly string[], { out, form, level }: SignOptions): Promise<void> {
  return context.withHouse(async ({ openSealKey, signatures, world }) => {
    const key = await openSealKey()
    const wanted = level ?? signatures.setup.level
    const chosen = form ?? usualForm(paths[0] ?? '')
    const { sources } = signatures.setup
    if (isLifted(wanted) && sources === null) throw noAuthority()
    const size = await withFiles(paths, async (files) => {
      const signed = await signFiles(files, chosen, { key, signedAt: world.clock() })
      const content = chosen === 'cades' ? files[0].content : null
      if (!isLifted(wanted) || sources === null) return writeLocalFile(out, signed)
      const order = { level: wanted, sources, now: world.clock() }
      return withScratch(out, signed, (made) => liftTo(out, made, content, order))
    })
    context.output.say(`${out}  ${size} bytes  ${key.kind}  ${chosen} ${wanted}`, {
      out,
      size,
      kind: key.kind,
      form: chosen,
      level: wanted,
    })
  })
}

async function withFiles<T>(
  paths: readonly string[],
  work: (files: [NamedFile, ...NamedFile[]]) => Promise<T>,
  opened: readonly NamedFile[] = [],
): Promise<T> {
  const [first, ...others] = paths
  if (first === undefined) {
    const [one, ...more] = opened
    if (one === undefined) throw new CliError('cli/usage', 'name a file to sign')
    return work([one, ...more])
  }
  return withLocalFile(first, (content) =>
    withFiles(others, work, [...opened, { name: path.basename(first), content }]),
  )
}

interface ExtendOptions {
  out: string
  level: AdesLevel
  content?: string
}

export function extendCommand(context: () => Context): Command {
  return new Command('extend')
    .description('lift the signatures of a document to a higher level, or renew its archive time-stamp (B-LTA again)')
    .argument('<file>', 'the signed document, or the file with the signature')
    .requiredOption('--out <file>', 'the lifted document')
    .requiredOption('--level <level>', 'B-T, B-LT or B-LTA', oneOf<AdesLevel>(['B-T', 'B-LT', 'B-LTA']))
    .option('--content <file>', 'what a detached signature is over')
    .action((file: string, options: ExtendOptions) => extend(context(), file, options))
}

async function extend(context: Context, file: string, { out, level, content }: ExtendOptions): Promise<void> {
  const { sources } = signaturesOf(context.config(), context.world).setup
  if (sources === null) throw noAuthority()
  const order = { level, sources, now: context.clock() }
  const size = await withLocalFile(file, (document) =>
    content === undefined
      ? liftTo(out, document, null, order)
      : withLocalFile(content, (data) => liftTo(out, document, data, order)),
  )
  context.output.say(`${out}  ${size} bytes  ${level}`, { out, size, level })
}

async function liftTo(
  out: string,
  document: NamedFile['content'],
  content: NamedFile['content'] | null,
  order: { level: AdesLevel; sources: LevelSources; now: Date },
): Promise<number> {
  return writeLocalFile(out, await liftSignatures(document, content, order))
}

function noAuthority(): CliError {
  return new CliError(
    'cli/bad-config',
    'no time-stamping authority is set up; name one in signatures.timestampServices',
  )
}
