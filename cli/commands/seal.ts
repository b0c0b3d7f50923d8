/** `amtsbote seal`: the authority's seal on a PDF of a room as its newest version, on all of them, or on a file on disk. */
import { Command } from 'commander'
import { oneOf } from '../arguments.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { findFile, findRoom } from '../lookup.ts'
import { formatBytes, visible } from '../output.ts'
import type { House } from '../compose.ts'
import { TAKEN_OVER_WITHIN_MINUTES, sealRoom } from '../seal-room.ts'
import { withLocalFile, writeLocalFile } from '../local-file.ts'
import { SEAL_LEVELS, describeKey, sealToLevel, startSealBatch } from '../../gateway/index.ts'
import type { SealDescription, SealLevel, SealWishes } from '../../gateway/index.ts'
import type { Room, SealBatch, SealBatchId } from '../../storage/index.ts'

const ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

interface SealOptions {
  room?: string
  all?: boolean
  out?: string
  level?: SealLevel
  reason?: string
  location?: string
}

export function sealCommand(context: () => Context): Command {
  return new Command('seal')
    .description('seal a PDF: of a room (the sealed document becomes its newest version), or a file on disk with --out')
    .argument('[file]', 'id of the file, its name together with --room, or a path together with --out')
    .option('--room <room>', 'room that the file is in')
    .option('--all', 'seal all PDFs of the room that bear no seal yet; may be started again after an interruption')
    .option('--out <file>', 'seal a file on disk and write the sealed document here')
    .option('--level <level>', SEAL_LEVELS.join(', '), oneOf(SEAL_LEVELS))
    .option('--reason <text>', 'why it is sealed, readable in the document')
    .option('--location <text>', 'where it is sealed, readable in the document')
    .action((file: string | undefined, options: SealOptions) => seal(context(), file, options))
}

function seal(context: Context, file: string | undefined, { room, all, out, ...wishes }: SealOptions): Promise<void> {
  if (all === true) {
    if (room === undefined || file !== undefined)
      throw new CliError('cli/usage', '--all needs --room <room> and no file')
    return sealAll(context, room, wishes)
  }
  if (file === undefined) throw new CliError('cli/usage', 'name a file, or give --room <room> --all')
  if (room === undefined && out === undefined && !ID.test(file))
    throw new CliError(
      'cli/usage',
      'say which room the file is in with --room, or where the sealed document goes with --out',
    )
  return out === undefined ? sealInRoom(context, file, { room, wishes }) : sealOnDisk(context, file, { out, wishes })
}

function sealInRoom(
  context: Context,
  name: string,
  { room, wishes }: { room: string | undefined; wishes: SealWishes },
): Promise<void> {
  return context.withHouse(async ({ storage, sealer, operator }) => {
    const file = await findFile(storage, room === undefined ? null : await findRoom(storage, room), name)
    announce(context, await sealer.describe())
    const sealed = await sealer(file.id, operator, wishes)
    const { version, size, sha256, kind, level } = sealed
    context.output.say(`version ${version}  ${formatBytes(size)}  ${kind} seal  ${level}  sha256 ${sha256}`, sealed)
  })
}

function sealOnDisk(
  context: Context,
  path: string,
  { out, wishes }: { out: string; wishes: SealWishes },
): Promise<void> {
  return context.withHouse(async ({ openSealKey, signatures, world }) => {
    const key = await openSealKey()
    announce(context, describeKey(key))
    const result = await withLocalFile(path, async (source) => {
      const job = { setup: signatures.setup, wishes, signedAt: world.clock() }
      const { sealed, level, wanted } = await sealToLevel(source, key, job)
      return { level, wanted, size: await writeLocalFile(out, sealed.bytes), kind: sealed.kind }
    })
    const { size, kind, level, wanted } = result
    context.output.say(`${out}  ${formatBytes(size)}  ${kind} seal  ${level}`, { out, ...result })
    if (level !== wanted)
      context.output.remark(
        `${wanted} is not to be had now: time-stamp or revocation data are missing; seal again later`,
      )
  })
}

function sealAll(context: Context, name: string, wishes: SealWishes): Promise<void> {
  return context.withHouse(async (house) => {
    const { storage, sealer } = house
    announce(context, await sealer.describe())
    const room = await findRoom(storage, name)
    const running = (await storage.sealBatches.ofRoom(room.id)).find(({ state }) => state === 'running')
    const id = running?.id ?? (await begin(house, room, wishes))
    if (id === null) {
      const nothing = { state: 'done', total: 0, sealed: 0, failed: 0 } as const
      context.output.say('nothing to seal: no PDF of this room lacks a seal', nothing)
      return
    }
    if (running) context.output.remark(await goingOn(house, running))
    const batch = await sealRoom(house, id, context.output.progress('sealing', running?.total ?? null))
    context.output.say(`${batch.state}: ${batch.sealed} sealed, ${batch.failed} not, of ${batch.total}`, batch)
    if (batch.failed > 0) process.exitCode = 3
  })
}

/** Null: every PDF bears its seal. Whoever runs this every night has done all there is to do. */
async function begin({ storage, operator }: House, room: Room, wishes: SealWishes): Promise<SealBatchId | null> {
  try {
    return await startSealBatch(storage, { room, files: null, wishes }, operator)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'gateway/nothing-to-seal') return null
    throw error
  }
}

async function goingOn({ storage }: House, { id, total, sealed, failed }: SealBatch): Promise<string> {
  const [job] = (await storage.jobs.list({ kind: 'seal-batch', subject: id })).items
  const said = `goes on with batch ${id}, ${total - sealed - failed} files wait`
  if (job?.state !== 'running') return said
  return `${said}; another process works on it, and if that one was ended, this one takes over within ${TAKEN_OVER_WITHIN_MINUTES} minutes`
}

/** What the seal will be, before it is made. */
export function announce({ output }: Context, { kind, commonName, issuerName, notAfter }: SealDescription): void {
  const until = notAfter.toISOString().slice(0, 10)
  output.remark(
    `seals as ${kind} by its certificate: ${visible(commonName)}, issued by ${visible(issuerName)}, valid until ${until}`,
  )
}
