/** What becomes of a job after one run. */
import { sql } from 'kysely'

import type { Db } from '../metadata/schema.ts'
import { nextTry } from './backoff.ts'
import type { ClaimedJob, JobOutcome } from './job.ts'

/** `lost`: another claim was made since, or the job was dropped; nothing was recorded. `due` null = never again. */
export type Recorded = { readonly kind: 'recorded'; readonly due: Date | null } | { readonly kind: 'lost' }

/** Records the outcome of a claim where its fencing token still holds. */
export async function record(db: Db, job: ClaimedJob, outcome: JobOutcome, now: Date): Promise<Recorded> {
  if (outcome.kind === 'done' && !job.standing) {
    const gone = await db
      .deleteFrom('job')
      .where('id', '=', job.id)
      .where('attempts', '=', job.attempts)
      .executeTakeFirst()
    return gone.numDeletedRows > 0n ? { kind: 'recorded', due: null } : { kind: 'lost' }
  }
  const row = await db
    .updateTable('job')
    .set(outcome.kind === 'failed' ? failure(job, outcome, now) : success(outcome, now))
    .where('id', '=', job.id)
    .where('attempts', '=', job.attempts)
    .returning('due')
    .executeTakeFirst()
  if (row === undefined) return { kind: 'lost' }
  return { kind: 'recorded', due: row.due === null ? null : new Date(row.due) }
}

function success(outcome: { kind: 'done' } | { kind: 'again'; at: Date }, now: Date) {
  const next = outcome.kind === 'again' ? sql`${outcome.at.getTime()}` : sql`${now.getTime()} + every_ms`
  return { started_at: null, failures: 0, last_error: null, due: unlessHeld(next) }
}

function failure(job: ClaimedJob, { reason, at }: { reason: string; at?: Date }, now: Date) {
  const failures = job.failures + 1
  const next = nextTry(failures, job.standing, now)
  const facts = { started_at: null, failures, last_error: REASON.test(reason) ? reason : 'unreadable-reason' }
  if (next === null)
    return { ...facts, due: null, state: sql<'failed'>`case state when 'held' then 'held' else 'failed' end` }
  return { ...facts, due: unlessHeld(sql`${(at ?? next).getTime()}`) }
}

/** A reason is a code. Anything longer might carry what operators must not see. */
const REASON = /^[\w/:. -]{1,120}$/

/** A job that was put aside while it ran stays aside. */
function unlessHeld(due: ReturnType<typeof sql>) {
  return sql<number | null>`case state when 'held' then null else cast(${due} as bigint) end`
}
