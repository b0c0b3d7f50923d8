/**
 * The worker: claims due jobs, gives each to the handler of its kind, records what came of it.
 *
 * Looks on start, on every wake-up, whenever a job ends, at the next due time it knows of, and once a minute in any case.
 * Nothing it holds in memory matters: a worker that dies leaves claims whose leases end.
 */
import type { World } from '../world.ts'
import type { Claims, PartnerRule } from './claims.ts'
import { codeOf } from './fault-code.ts'
import type { JobHandlers, JobKind } from './job.ts'
import type { JobQueue } from './queue.ts'
import { createRunner } from './runner.ts'

export interface WorkerOptions {
  /** jobs that this process runs at the same time */
  readonly concurrency: number
  /** how long a claim holds; must exceed `handlerTimeoutMs` by minutes */
  readonly leaseMs: number
  /** a handler is told to stop after so long */
  readonly handlerTimeoutMs: number
  /** longest pause between two looks */
  readonly sweepMs: number
  /** how long `stop` waits for running handlers before it tells them to stop */
  readonly stopMs: number
  readonly partnerRule: (partner: string) => PartnerRule
}

export const WORKER_DEFAULTS: WorkerOptions = {
  concurrency: 4,
  leaseMs: 15 * 60_000,
  handlerTimeoutMs: 10 * 60_000,
  sweepMs: 60_000,
  stopMs: 10_000,
  partnerRule: () => ({ concurrency: 2, gapMs: 0 }),
}

export interface Worker {
  /** Begins to look for work. Resolves even when the queue's server is absent. */
  start(): Promise<void>
  /**
   * Runs what is due now, and what becomes due by that without delay, then returns the number of runs. For the command
   * line and for tests; needs no `start`.
   *
   * @throws StorageError `storage/database-unavailable`
   */
  runDue(): Promise<number>
  /** Stops claiming, lets running handlers end (bounded), closes the queue. Close the database after it. */
  stop(): Promise<void>
}

export interface WorkerDeps extends Pick<World, 'clock' | 'log'> {
  readonly claims: Claims
  readonly queue: JobQueue
  readonly handlers: JobHandlers
  readonly options?: Partial<WorkerOptions>
}

export function createWorker(deps: WorkerDeps): Worker {
  const options = { ...WORKER_DEFAULTS, ...deps.options }
  const kinds = Object.keys(deps.handlers) as JobKind[]
  const { handlerTimeoutMs } = options
  const runner = createRunner({ ...deps, handlerTimeoutMs, ended: () => void look() })
  let state: 'new' | 'started' | 'stopped' = 'new'
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | null = null
  let lookAgain = false

  /** Looks now, or once more after the look that is under way. Never throws. */
  function look(): Promise<void> {
    if (state !== 'started') return Promise.resolve()
    lookAgain = looking !== null
    looking ??= lookOnce().finally(() => {
      looking = null
      if (lookAgain) void look()
    })
    return looking
  }

  async function lookOnce(): Promise<void> {
    try {
      await claimAndRun()
      const due = await deps.claims.nextDue(kinds)
      lookIn(due === null ? options.sweepMs : due.getTime() - deps.clock().getTime())
    } catch (error) {
      deps.log.warn({ code: codeOf(error) }, 'looking for jobs failed')
      lookIn(RETRY_MS)
    }
  }

  function lookIn(ms: number): void {
    if (state !== 'started') return
    clearTimeout(timer)
    timer = setTimeout(() => void look(), Math.max(LEAST_PAUSE_MS, Math.min(options.sweepMs, ms)))
    timer.unref()
  }

  /** Fills the free places; returns how many runs it began. */
  async function claimAndRun(): Promise<number> {
    const { leaseMs, partnerRule } = options
    for (let begun = 0; ;) {
      const limit = options.concurrency - runner.running()
      if (limit < 1 || state === 'stopped') return begun
      const claimed = await deps.claims.claim({ kinds, limit, leaseMs, partnerRule })
      if (claimed.length === 0) return begun
      for (const job of claimed) runner.run(job)
      begun += claimed.length
    }
  }

  async function onWake(): Promise<void> {
    await look()
    while (state === 'started' && runner.running() >= options.concurrency) await runner.nextEnd()
  }

  return {
    async start() {
      if (state !== 'new') return
      state = 'started'
      await deps.queue.start(onWake)
      void look()
    },
    async runDue() {
      for (let runs = 0; ;) {
        const begun = await claimAndRun()
        runs += begun
        if (begun === 0 && runner.running() === 0) return runs
        await runner.nextEnd()
      }
    },
    async stop() {
      if (state === 'stopped') return
      state = 'stopped'
      clearTimeout(timer)
      await looking
      await runner.finish(options.stopMs)
      await deps.queue.stop()
    },
  }
}

/** After the database did not answer. */
const RETRY_MS = 2_000
/** Two processes' clocks may differ a little; without a pause they would ask each other's jobs in a circle. */
const LEAST_PAUSE_MS = 20
