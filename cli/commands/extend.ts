/** `amtsbote extend`: signatures on their way to higher levels, and archive time-stamps renewed; on disk and in rooms. */
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import { signaturesOf } from '../compose.ts'
import type { Context } from '../context.ts'
import { CliError, noAuthority } from '../errors.ts'
import { withLocalFile, writeLocalFile } from '../local-file.ts'
import { findFile, findRoom } from '../lookup.ts'
import { liftSignatures } from '../signing-forms.ts'
import { liftFile } from '../../gateway/index.ts'
import type { AdesLevel, LevelSources, RandomAccess } from '../../signing/index.ts'

interface ExtendOptions {
  out?: string
  room?: string
  level: AdesLevel
  content?: string
}

export function extendCommand(context: () => Context): Command {
  return new Command('extend')
    .description('lift the signatures of a document to a higher level, or renew its archive time-stamp (B-LTA again)')
    .argument('<file>', 'the signed document, or the file with the signature; with --room the PDF of a room')
    .requiredOption('--level <level>', 'B-T, B-LT or B-LTA', oneOf<AdesLevel>(['B-T', 'B-LT', 'B-LTA']))
    .option('--out <file>', 'where the lifted document goes')
    .option('--room <room>', 'lift a PDF of this room; it gets a further version')
    .option('--content <file>', 'what a detached signature is over')
    .action((file: string, options: ExtendOptions) => extend(context(), file, options))
}

function extend(context: Context, file: string, { out, room, level, content }: ExtendOptions): Promise<void> {
  if (room !== undefined && out === undefined) return extendInRoom(context, file, { room, level })
  if (out === undefined || room !== undefined)
    throw new CliError('cli/usage', 'give either --out <file> or --room <room>')
  return extendOnDisk(context, file, { out, level, content })
}

function extendInRoom(context: Context, name: string, order: { room: string; level: AdesLevel }): Promise<void> {
  return context.withHouse(async ({ storage, signatures, operator: by }) => {
    const file = await findFile(storage, await findRoom(storage, order.room), name)
    const version = await liftFile(storage, file, { level: order.level, sources: sourcesOf(signatures.setup), by })
    context.output.say(`version ${version}  ${order.level}`, { fileId: file.id, version, level: order.level })
  })
}

async function extendOnDisk(
  context: Context,
  file: string,
  { out, level, content }: { out: string; level: AdesLevel; content: string | undefined },
): Promise<void> {
  const sources = sourcesOf(signaturesOf(context.config(), context.world).setup)
  const order = { level, sources, now: context.clock() }
  const lift = async (document: RandomAccess, data: RandomAccess | null): Promise<number> =>
    writeLocalFile(out, await liftSignatures(document, data, order))
  const size = await withLocalFile(file, (document) =>
    content === undefined ? lift(document, null) : withLocalFile(content, (data) => lift(document, data)),
  )
  context.output.say(`${out}  ${size} bytes  ${level}`, { out, size, level })
}

function sourcesOf({ sources }: { sources: LevelSources | null }): LevelSources {
  if (sources === null) throw noAuthority()
  return sources
}
