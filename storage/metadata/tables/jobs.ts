/** Rows of the outbox. Times are ms since epoch, UTC. */
import type { JobId } from '../../ids.ts'

/** The transactional outbox: what is to be done, when, and how often it was tried. */
export interface JobTable {
  id: JobId
  kind: string
  /** id of what it is about; '' where that is the whole installation */
  subject: string
  /** small JSON object for the handler */
  payload: string
  /** whom it talks to, for rate and concurrency; null = nobody */
  partner: string | null
  /** a standing job comes due again so long after each run, ms; null = gone once done. Unique with kind and subject */
  every_ms: number | null
  /** ready = `due` decides; held = put aside by an operator; failed = given up. Decides only while not running */
  state: 'ready' | 'held' | 'failed'
  /** next time to run; a claim moves it ahead by the lease. null = never (held, failed) */
  due: number | null
  /** claims so far: the fencing token. An outcome counts only while this is still the number of its claim */
  attempts: number
  /** when the running claim began; null = nobody runs it. With `due` in the past the runner is lost */
  started_at: number | null
  /** failures since the last success: measure of the back-off */
  failures: number
  /** code of the last failure; null = none since the last success */
  last_error: string | null
  created_at: number
}

/** One row per partner ever called: the place where claims for it queue up. */
export interface JobPartnerTable {
  partner: string
  /** no claim for it before this time */
  not_before: number
}
