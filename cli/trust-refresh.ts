/**
 * The standing job `trust-refresh`: fetches the trusted lists every night, and soon after a start when the lists at hand
 * are older than they say themselves. What cannot be had or is refused leaves the lists before it in use.
 */
import type { Config } from './config.ts'
import type { Trust } from './trust.ts'
import { refreshInThread } from './trust-refresh-thread.ts'
import type { Refreshed } from '../signing/index.ts'
import type { JobHandler, JobOutcome, Storage, World } from '../storage/index.ts'

const DAY_MS = 86_400_000

export interface TrustRefreshDeps {
  config: Config
  storage: Storage
  trust: Trust
  world: World
}

/** Plans the job, or takes it away where nobody is to be asked. Never fails for what is wrong with stored lists. */
export async function planTrustRefresh({ config, storage, trust, world }: TrustRefreshDeps): Promise<void> {
  if (!config.trust.online) {
    await storage.jobs.removeStanding('trust-refresh', '')
    return
  }
  const now = world.clock()
  // damaged lists: the job tells
  const announced = await trust.nextUpdate().catch(() => now)
  const due = announced !== null && announced <= now ? now : nextNight(now, world.random)
  await storage.jobs.ensureStanding({ kind: 'trust-refresh', subject: '', everyMs: DAY_MS, due })
}

export function trustRefreshHandler({ config, trust, world }: Omit<TrustRefreshDeps, 'storage'>): JobHandler {
  return async (_job, signal) => {
    const later = (): JobOutcome => ({ kind: 'again', at: nextNight(world.clock(), world.random) })
    // nothing is set up yet; `trust refresh` and `doctor` tell
    if (!(await trust.isPinned())) return later()
    const result = await refreshInThread({ config: config.trust, now: world.clock() }, signal)
    if (result.kind === 'failed') return { kind: 'failed', reason: result.code }
    const { problems, lists } = result
    if (problems.length === 0) {
      world.log.info({ lists }, 'the trusted lists are refreshed')
      return later()
    }
    const failed = { kind: 'failed', reason: reasonOf(problems) } as const
    // one list that is refused or not to be had may stay so for days; without the list of the lists there is no network
    const isAway = problems.some(({ territory, code }) => territory === 'EU' && code === 'unreachable')
    return isAway ? failed : { ...failed, at: nextNight(world.clock(), world.random) }
  }
}

/** The next time between two and four at night, here; somewhere in it, so that not all installations ask at once. */
export function nextNight(now: Date, random: World['random']): Date {
  const begins = (days: number): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 2)
  const begin = begins(0) > now ? begins(0) : begins(1)
  return new Date(begin.getTime() + (random(1).readUInt8() % 120) * 60_000)
}

/** `DE:signature AT:unreachable`; what the job table has no room for, `trust refresh` shows. */
function reasonOf(problems: Refreshed['problems']): string {
  return problems
    .map(({ territory, code }) => `${territory}:${code}`)
    .join(' ')
    .slice(0, 120)
    .trim()
}
