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
import { Runner } from './runner.ts'

export interface WorkerOptions {
  /** jobs that this process runs at the same time */
  readonly concurrency: number
  /** how long a claim holds after its runner is lost */
  readonly leaseMs: number
  /** pause between two renewals of a lease; a third of it at most */
  readonly renewMs: number
  /** a handler is told to stop after so long */
  readonly handlerTimeoutMs: number
  /** longest pause between two looks */
  readonly sweepMs: number
  /** how long `stop` waits for running handlers before it tells them to stop */
  readonly stopMs: number
  /** how long a handler may take to stop once it is told to */
  readonly graceMs: number
  readonly partnerRule: (partner: string) => PartnerRule
}

const WORKER_DEFAULTS: WorkerOptions = {
  concurrency: 4,
  leaseMs: 2 * 60_000,
  renewMs: 30_000,
  handlerTimeoutMs: 10 * 60_000,
  sweepMs: 60_000,
  stopMs: 10_000,
  graceMs: 3_000,
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
  return new JobWorker(deps)
}

class JobWorker implements Worker {
  readonly #deps: WorkerDeps
  readonly #options: WorkerOptions
  readonly #kinds: readonly JobKind[]
  readonly #runner: Runner
  #state: 'new' | 'started' | 'stopped' = 'new'
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | null = null
  #lookAgain = false

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    this.#options = { ...WORKER_DEFAULTS, ...deps.options }
    this.#kinds = Object.keys(deps.handlers) as JobKind[]
    this.#runner = new Runner({ ...deps, ...this.#options, ended: () => void this.#look() })
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return
    this.#state = 'started'
    await this.#deps.queue.start(() => this.#onWake())
    void this.#look()
  }

  async runDue(): Promise<number> {
    for (let runs = 0; ;) {
      const begun = await this.#claimAndRun()
      runs += begun
      if (begun === 0 && this.#runner.running === 0) return runs
      await this.#runner.nextEnd()
    }
  }

  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    await this.#looking
    await this.#runner.finish(this.#options.stopMs)
    await this.#deps.queue.stop()
  }

  /** Lasts until this process has a free place again. */
  async #onWake(): Promise<void> {
    await this.#look()
    while (this.#state === 'started' && this.#runner.running >= this.#options.concurrency) await this.#runner.nextEnd()
  }

  /** Looks now, or once more after the look that is under way. Never throws. */
  #look(): Promise<void> {
    if (this.#state !== 'started') return Promise.resolve()
    this.#lookAgain = this.#looking !== null
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null
      if (this.#lookAgain) void this.#look()
    })
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    const { claims, clock, log } = this.#deps
    const since = clock()
    try {
      await this.#claimAndRun()
      if (this.#runner.running >= this.#options.concurrency) return // the end of a run is the next look
      const due = await claims.nextDue(this.#kinds, since)
      this.#lookIn(due === null ? Infinity : due.getTime() - clock().getTime())
    } catch (error) {
      log.warn({ code: codeOf(error) }, 'looking for jobs failed')
      this.#lookIn(RETRY_MS)
    }
  }

  #lookIn(ms: number): void {
    if (this.#state !== 'started') return
    clearTimeout(this.#timer)
    const pauseMs = Math.max(LEAST_PAUSE_MS, Math.min(this.#options.sweepMs, ms))
    this.#timer = setTimeout(() => void this.#look(), pauseMs)
    this.#timer.unref()
  }

  /** Fills the free places; returns how many runs it began. */
  async #claimAndRun(): Promise<number> {
    const { leaseMs, partnerRule, concurrency } = this.#options
    for (let begun = 0; ;) {
      const limit = concurrency - this.#runner.running
      if (limit < 1 || this.#state === 'stopped') return begun
      const claimed = await this.#deps.claims.claim({ kinds: this.#kinds, limit, leaseMs, partnerRule })
      if (claimed.length === 0) return begun
      for (const job of claimed) this.#runner.run(job)
      begun += claimed.length
    }
  }
}

/** After the database did not answer. */
const RETRY_MS = 2_000
/** A clock that is a little behind must not make the next look come at once, again and again. */
const LEAST_PAUSE_MS = 20
