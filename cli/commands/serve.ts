/** `amtsbote serve`: serves until SIGTERM or SIGINT; prints the one-time link of the first administrator while there is none. */
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { systemWorld, type House } from '../compose.ts'
import { isStartedByNpm } from '../config.ts'
import type { Context } from '../context.ts'
import { everyRow } from '../lookup.ts'
import { backupWarning } from '../key-backup-state.ts'
import { startServing, type Serving } from '../serving.ts'

const LINK_IS_GOOD_MS = 24 * 3_600_000

export function serveCommand(context: () => Context): Command {
  return new Command('serve')
    .description('serve until SIGTERM or Ctrl-C; background work included')
    .action(() => serve(context()))
}

/**
 * What is dead of many small requests may otherwise grow to three times what lives (100 MB) before it is collected: large
 * uploads that follow need that memory. Costs about one collection more in a thousand requests.
 */
const COLLECT_EARLIER = '--heap-growing-percent=80'

async function serve(context: Context): Promise<void> {
  setFlagsFromString(COLLECT_EARLIER)
  const config = context.config()
  const world = systemWorld(config.logLevel)
  const serving = await startServing(config, world)
  const { house } = serving
  const link = await firstAdministratorLink(house)
  const address = house.publicUrl()
  context.output.say(`Amtsbote serves on ${address}`, { address, port: serving.port, firstAdministrator: link })
  if (link !== null && !context.json) {
    context.output.say(
      `There is no administrator yet. This link creates the first one; it is good once, for 24 hours:\n  ${link}`,
      {},
    )
  }
  const warning = await backupWarning(house.storage)
  if (warning !== null) context.output.remark(`Warning: ${warning}`)
  await untilToldToStop(serving)
}

/** A fresh link while no administrator exists; links of earlier starts are taken back. Null when there is one. */
async function firstAdministratorLink({ storage, world, invitationLink }: House): Promise<string | null> {
  const users = await everyRow((page) => storage.users.list(page))
  if (users.some((user) => user.admin && user.state !== 'invited')) return null
  const by = { kind: 'system', name: 'serve' } as const
  const expiresAt = new Date(world.clock().getTime() + LINK_IS_GOOD_MS)
  const { token } = await storage.transact(async (rows) => {
    await rows.invitations.revokeAll({ purpose: 'first-admin' }, by)
    return rows.invitations.create({ userId: null, purpose: 'first-admin', withCode: false, expiresAt }, by)
  })
  return invitationLink(token)
}

/** Under npm one Ctrl-C arrives twice, from the terminal and from npm; only a later one means "at once". */
const SAME_SIGNAL_MS = 2_000
const LOOK_FOR_PARENT_EVERY_MS = 500

/** A fault that nobody caught ends the process with a log line and exit code 1, after what was acknowledged is safe anyway. */
async function untilToldToStop(serving: Serving): Promise<void> {
  const { log, clock } = serving.house.world
  const reason = await new Promise<'signal' | 'fault'>((resolve) => {
    const told = (): void => {
      resolve('signal')
    }
    const failed = (what: string) => (error: unknown) => {
      log.error({ error: textOf(error) }, what)
      resolve('fault')
    }
    process.once('SIGTERM', told).once('SIGINT', told)
    if (isStartedByNpm()) whenOrphaned(told)
    process.on('uncaughtException', failed('a fault that nobody caught; the server stops'))
    // One request's stray promise is no reason to end all others: it is told, and the server goes on.
    process.on('unhandledRejection', (error) => {
      log.error({ error: textOf(error) }, 'a promise failed and nobody waited for it')
    })
    serving.ready.catch(failed('keys or background work could not be started; the server stops'))
  })
  const first = clock().getTime()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (clock().getTime() - first > SAME_SIGNAL_MS) process.exit(130)
    })
  }
  await serving.stop()
  process.exitCode = reason === 'fault' ? 1 : 0
}

function whenOrphaned(tell: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    tell()
  }, LOOK_FOR_PARENT_EVERY_MS)
  timer.unref()
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
