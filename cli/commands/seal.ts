/** `amtsbote seal`: the authority's seal on a PDF of a room, as a new version of the file. */
import { Command } from 'commander'
import type { Context } from '../context.ts'
import { findFile, findRoom } from '../lookup.ts'
import { formatBytes } from '../output.ts'

interface SealOptions {
  room?: string
  reason?: string
  location?: string
}

export function sealCommand(context: () => Context): Command {
  return new Command('seal')
    .description('seal a PDF of a room; the sealed document becomes its newest version')
    .argument('<file>', 'id of the file, or its name together with --room')
    .option('--room <room>', 'room that the file is in')
    .option('--reason <text>', 'why it is sealed, readable in the document')
    .option('--location <text>', 'where it is sealed, readable in the document')
    .action((file: string, options: SealOptions) => seal(context(), file, options))
}

function seal(context: Context, name: string, { room, ...texts }: SealOptions): Promise<void> {
  return context.withHouse(async ({ storage, sealer, operator }) => {
    const file = await findFile(storage, room === undefined ? null : await findRoom(storage, room), name)
    const sealed = await sealer(file.id, operator, texts)
    const { version, size, sha256, kind } = sealed
    context.output.say(`version ${version}  ${formatBytes(size)}  ${kind} seal  sha256 ${sha256}`, sealed)
  })
}
