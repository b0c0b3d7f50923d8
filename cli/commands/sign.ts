/** `amtsbote sign`: signatures of all forms on files on disk. */
import path from 'node:path'
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import type { Context } from '../context.ts'
import { noAuthority, CliError } from '../errors.ts'
import { withLocalFile, withScratch, writeLocalFile } from '../local-file.ts'
import { FORMS, isLifted, liftSignatures, signFiles, usualForm } from '../signing-forms.ts'
import type { Form, NamedFile } from '../signing-forms.ts'
import { announce } from './seal.ts'
import { SEAL_LEVELS, describeKey } from '../../gateway/index.ts'
import type { SealLevel } from '../../gateway/index.ts'

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
    .option('--form <form>', `${FORMS.join(', ')} (default: by the names of --out and the file)`, oneOf(FORMS))
    .option('--level <level>', SEAL_LEVELS.join(', '), oneOf(SEAL_LEVELS))
    .action((files: string[], options: SignOptions) => sign(context(), files, options))
}

function sign(context: Context, paths: readonly string[], { out, form, level }: SignOptions): Promise<void> {
  return context.withHouse(async ({ openSealKey, signatures, world }) => {
    const key = await openSealKey()
    announce(context, describeKey(key))
    const wanted = level ?? signatures.setup.level
    const chosen = form ?? usualForm(paths[0] ?? '', out)
    const { sources } = signatures.setup
    if (isLifted(wanted) && sources === null) throw noAuthority()
    const size = await withFiles(paths, async (files) => {
      const signed = await signFiles(files, chosen, { key, signedAt: world.clock() })
      const content = chosen === 'cades' ? files[0].content : null
      if (!isLifted(wanted) || sources === null) return writeLocalFile(out, signed)
      const order = { level: wanted, sources, now: world.clock() }
      return withScratch(out, signed, async (made) => writeLocalFile(out, await liftSignatures(made, content, order)))
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
