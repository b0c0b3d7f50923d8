/** `amtsbote timestamp`: a time-stamp on a file: beside it as a token (RFC 3161), or inside a PDF. */
import { createHash } from 'node:crypto'
import { Command } from 'commander'
import { signaturesOf } from '../compose.ts'
import type { Context } from '../context.ts'
import { noAuthority } from '../errors.ts'
import { withLocalFile, writeLocalFile } from '../local-file.ts'
import { appendedAccess, piecesOf, documentTimestamp } from '../../signing/index.ts'
import type { RandomAccess, TimestampSource } from '../../signing/index.ts'

interface TimestampOptions {
  out: string
  inside?: boolean
}

export function timestampCommand(context: () => Context): Command {
  return new Command('timestamp')
    .description('prove that a file exists now, by the time-stamping authorities of the configuration')
    .argument('<file>', 'the file')
    .requiredOption('--out <file>', 'the token (.tst), or with --inside the PDF with its time-stamp')
    .option('--inside', 'put a document time-stamp into a PDF')
    .action((file: string, options: TimestampOptions) => timestamp(context(), file, options))
}

async function timestamp(context: Context, path: string, { out, inside }: TimestampOptions): Promise<void> {
  const { sources } = signaturesOf(context.config(), context.world).setup
  if (sources === null) throw noAuthority()
  const { timestamps } = sources
  const size = await withLocalFile(path, (file) =>
    inside === true ? stampPdf(file, timestamps, out) : stampFile(file, timestamps, out),
  )
  context.output.say(`${out}  ${size} bytes`, { out, size })
}

async function stampPdf(file: RandomAccess, timestamps: TimestampSource, out: string): Promise<number> {
  return writeLocalFile(out, piecesOf(appendedAccess(file, await documentTimestamp(file, timestamps))))
}

async function stampFile(file: RandomAccess, timestamps: TimestampSource, out: string): Promise<number> {
  const hash = createHash(timestamps.digest)
  for await (const piece of piecesOf(file)) hash.update(piece)
  return writeLocalFile(out, (await timestamps.stamp(hash.digest())).der)
}
