/**
 * Runs claimed jobs: handler, time limit, outcome.
 *
 * An outcome that cannot be recorded because the database is away is kept and tried again until the lease ends: without
 * it the step would be done a second time.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import type { World } from '../world.ts'
import type { Claims } from './claims.ts'
import { codeOf } from './fault-code.ts'
import type { ClaimedJob, JobHandlers, JobOutcome } from './job.ts'
import { keepLease } from './lease.ts'
import type { Recorded } from './outcome.ts'
import type { JobQueue } from './queue.ts'

export interface RunnerDeps extends Pick<World, 'clock' | 'log'> {
  readonly claims: Pick<Claims, 'record' | 'renew'>
  readonly queue: Pick<JobQueue, 'wake'>
  readonly handlers: JobHandlers
  readonly handlerTimeoutMs: number
  readonly leaseMs: number
  readonly renewMs: number
  /** how long a handler may take to stop once it is told to */
  readonly graceMs: number
  /** called after each run */
  readonly ended: () => void
}

export class Runner {
  readonly #deps: RunnerDeps
  readonly #runs = new Map<Promise<void>, AbortController>()
  #closing = false

  constructor(deps: RunnerDeps) {
    this.#deps = deps
  }

  get running(): number {
    return this.#runs.size
  }

  /** Begins a run. Never throws. */
  run(job: ClaimedJob): void {
    const stop = new AbortController()
    const run = this.#execute(job, stop).finally(() => {
      this.#runs.delete(run)
      this.#deps.ended()
    })
    this.#runs.set(run, stop)
  }

  /** Resolves when the next run ends; at once when none is under way. */
  async nextEnd(): Promise<void> {
    if (this.#runs.size > 0) await Promise.race(this.#runs.keys())
  }

  /** Waits for all runs; after `waitMs` tells them to stop, and leaves those that do not obey to their leases. */
  async finish(waitMs: number): Promise<void> {
    const all = Promise.all(this.#runs.keys())
    if (await endsWithin(all, waitMs)) return
    this.#closing = true
    for (const stop of this.#runs.values()) stop.abort(new Error('stopping'))
    if (await endsWithin(all, this.#deps.graceMs + RECORD_MS)) return
    this.#deps.log.error({ jobs: this.#runs.size }, 'jobs are left to their leases')
  }

  async #execute(job: ClaimedJob, stop: AbortController): Promise<void> {
    const { log, queue } = this.#deps
    const lease = keepLease(this.#deps, job, () => {
      stop.abort(new Error('lease-lost'))
    })
    const outcome = await this.#attempt(job, stop)
    lease.letGo()
    const facts = { job: job.id, kind: job.kind, attempt: job.attempts }
    if (outcome === null) {
      log.error(facts, 'the handler of a job does not stop; it is left to its lease')
      return
    }
    if (outcome.kind === 'failed') log.warn({ ...facts, reason: outcome.reason }, 'a job failed')
    const recorded = await this.#recordStubbornly(job, outcome, lease.until())
    if (recorded === null) log.error(facts, 'the outcome of a job could not be recorded; it is left to its lease')
    else if (recorded.kind === 'lost') log.warn(facts, 'the outcome of a job came too late and was dropped')
    else if (recorded.due !== null) queue.wake(job.id, recorded.due)
  }

  /** null = the handler neither ended nor obeyed. */
  async #attempt(job: ClaimedJob, stop: AbortController): Promise<JobOutcome | null> {
    const { handlers, handlerTimeoutMs, graceMs, clock } = this.#deps
    const limit = setTimeout(() => {
      stop.abort(new Error('handler-timeout'))
    }, handlerTimeoutMs)
    const leash = new AbortController()
    try {
      const handler = handlers[job.kind]
      if (handler === undefined) return { kind: 'failed', reason: 'no-handler' }
      return await Promise.race([handler(job, stop.signal), abandonedAfter(graceMs, stop.signal, leash.signal)])
    } catch (error) {
      if (!stop.signal.aborted) return { kind: 'failed', reason: codeOf(error) }
      return this.#closing ? { kind: 'again', at: clock() } : { kind: 'failed', reason: 'handler-timeout' }
    } finally {
      clearTimeout(limit)
      leash.abort()
    }
  }

  /** null = the lease ended first, or the worker is being stopped. */
  async #recordStubbornly(job: ClaimedJob, outcome: JobOutcome, leaseUntil: Date): Promise<Recorded | null> {
    const { claims, log, clock } = this.#deps
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        return await claims.record(job, outcome)
      } catch (error) {
        log.warn({ job: job.id, code: codeOf(error) }, 'recording the outcome of a job failed')
      }
      if (this.#closing || clock().getTime() + pauseMs >= leaseUntil.getTime()) return null
      await sleep(pauseMs)
    }
  }
}

/** What recording the outcome of a handler that obeyed may take. */
const RECORD_MS = 1_000

/** Resolves with null when `graceMs` have passed since `stop` aborted; forgets everything when `leash` aborts. */
async function abandonedAfter(graceMs: number, stop: AbortSignal, leash: AbortSignal): Promise<null> {
  await new Promise<void>((resolve) => {
    const forget = { once: true, signal: leash }
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => { resolve() }, forget) // prettier-ignore
  })
  await sleep(graceMs, undefined, { signal: leash })
  return null
}

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = new AbortController()
  const timeout = sleep(ms, false, { signal: late.signal }).catch(() => false)
  const inTime = await Promise.race([work.then(() => true), timeout])
  late.abort()
  return inTime
}
