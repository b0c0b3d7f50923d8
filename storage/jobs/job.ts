/**
 * Jobs: the words that outbox, worker and handlers share.
 *
 * A job is a row of table `job`, the only truth about work to do. Queues, timers and memory only say "look now".
 */
import type { JobId } from '../ids.ts'

/**
 * - `fingerprint`: hash a content whose running digest was lost; subject = content id
 * - `expire`: standing; expired uploads, tails and abandoned multiparts
 * - `erase`: delete the objects of a content whose key is destroyed; subject = content id
 * - `deliver`: one step of one delivery; subject = message id
 * - `collect`: standing; empty one mailbox; subject = mailbox id
 * - `seal-batch`: seal the next files of a batch; subject = batch id
 * - `trust-refresh`: standing; fetch the trusted lists
 * - `lift`: bring the signatures of a sealed file to their level; subject = file id
 */
export const JOB_KINDS = [
  'fingerprint',
  'expire',
  'erase',
  'deliver',
  'collect',
  'seal-batch',
  'lift',
  'trust-refresh',
] as const
export type JobKind = (typeof JOB_KINDS)[number]

/** Small facts for the handler: ids and numbers. Never names, addresses or secrets: `job list` shows them. */
export type JobPayload = Readonly<Record<string, string | number | boolean | null>>

export interface NewJob {
  readonly kind: JobKind
  /** id of what it is about; '' = the installation */
  readonly subject: string
  /** absent = at once */
  readonly due?: Date
  /** whom the handler will call; rate and concurrency are bounded per partner */
  readonly partner?: string
  readonly payload?: JobPayload
}

export interface StandingJob extends NewJob {
  /** pause between the end of one run and the next, ms */
  readonly everyMs: number
}

export interface Job {
  readonly id: JobId
  readonly kind: JobKind
  readonly subject: string
  readonly partner: string | null
  readonly payload: JobPayload
  /** `running` also while its runner is lost and its lease has not ended yet */
  readonly state: 'ready' | 'running' | 'held' | 'failed'
  /** when it runs next; of a running one: when its lease ends; null = never */
  readonly due: Date | null
  readonly standing: boolean
  readonly attempts: number
  readonly failures: number
  readonly lastError: string | null
  readonly createdAt: Date
}

/** What a handler gets. `attempts` is the fencing token of this claim. */
export interface ClaimedJob {
  readonly id: JobId
  readonly kind: JobKind
  readonly subject: string
  readonly partner: string | null
  readonly payload: JobPayload
  readonly attempts: number
  readonly failures: number
  readonly standing: boolean
  readonly leaseUntil: Date
}

/**
 * - `done`: a one-off job is gone, a standing one is put back for its next time
 * - `again`: all is well, but there is more to do at `at`; counts as no failure
 * - `failed`: tried again later with growing pauses, or `at` the time that the handler names, until the kind gives up.
 *   `reason` is a code, shown to operators
 */
export type JobOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly at: Date }
  | { readonly kind: 'failed'; readonly reason: string; readonly at?: Date }

/**
 * Does one step of one job. May run twice for the same step (a lost runner, a lost database): it must ask before it
 * repeats. Must stop soon after `signal` aborts.
 */
export type JobHandler = (job: ClaimedJob, signal: AbortSignal) => Promise<JobOutcome>
export type JobHandlers = Readonly<Partial<Record<JobKind, JobHandler>>>

/** The payload as stored. Text that is not a JSON object was not written by this program and reads as empty. */
export function readPayload(text: string): JobPayload {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null ? (value as JobPayload) : {}
}
