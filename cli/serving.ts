/**
 * A serving instance: start order and stop order on one screen. Used by `serve`, by the demo and by tests.
 *
 * Start: stores (compose) → socket → application → keys → background work. Stop: socket → background work → stores.
 * It answers before its keys are opened, or made by the very first start; `ready` says when all of it works.
 */
import { compose, type House } from './compose.ts'
import type { Config } from './config.ts'
import { listen } from './http-server.ts'
import { levelsEvidence } from './levels.ts'
import { planTrustRefresh } from './trust-refresh.ts'
import type { Actor, World } from '../storage/index.ts'

export interface Serving {
  house: House
  /** where it is reached on this machine */
  port: number
  /** Resolves when keys are open and background work runs; rejects when that cannot be. */
  ready: Promise<void>
  /** Bounded; may be called more than once. */
  stop: () => Promise<void>
}

/** Running requests and jobs may take so long to end when the server stops. */
const GRACE_MS = 10_000
const LOOK_FOR_KEYS_EVERY_MS = 30_000
const SWEEP_EVERY_MS = 900_000
const EXPIRE_EVERY_MS = 300_000
const BY: Actor = { kind: 'system', name: 'serve' }

export async function startServing(config: Config, world: World): Promise<Serving> {
  const house = await compose(config, world)
  const server = await listen(config).catch(async (error: unknown) => {
    await house.close()
    throw error
  })
  house.listensOn(server.port)
  const app = house.createApp()
  const answer = app.koa.callback()
  server.answerWith((request, response) => void answer(request, response))
  const ended = new AbortController()
  const ready = beginWork(house, ended.signal)
  ready.catch(() => undefined) // whoever waits for it is told; until then it is no unhandled fault
  const rounds = [
    everySoOften(LOOK_FOR_KEYS_EVERY_MS, 'key files could not be opened', house, () => house.openKeys()),
    everySoOften(SWEEP_EVERY_MS, 'ended sessions could not be removed', house, () =>
      house.storage.sessions.sweep(world.clock()),
    ),
  ]
  let stopping: Promise<void> | null = null
  const stop = async (): Promise<void> => {
    for (const round of rounds) clearInterval(round)
    ended.abort()
    const served = server.stop(GRACE_MS)
    await ready.catch(() => undefined)
    await Promise.all([served, house.worker.stop()])
    await house.close()
  }
  return { house, port: server.port, ready, stop: () => (stopping ??= stop()) }
}

async function beginWork(house: House, ended: AbortSignal): Promise<void> {
  const { storage, config, levels, mailbox, worker } = house
  const evidence = levelsEvidence(config.levelsFile, levels)
  await storage.audit.append({ action: 'server.started', subject: null, by: BY, detail: evidence })
  await storage.jobs.ensureStanding({ kind: 'expire', subject: '', everyMs: EXPIRE_EVERY_MS })
  await planTrustRefresh(house)
  await Promise.all([house.openKeys(), house.openSealKey()])
  if (ended.aborted) return
  await mailbox.ensureCollecting()
  await worker.start()
}

/** Rounds that may fail: the next one tries again. */
function everySoOften(ms: number, fault: string, { world }: House, work: () => Promise<unknown>): NodeJS.Timeout {
  return setInterval(() => {
    work().catch((error: unknown) => {
      world.log.warn({ error: String(error) }, fault)
    })
  }, ms)
}
