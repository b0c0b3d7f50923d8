/** Counting of attempts at a proof, per account and factor, before the proof is looked at. The rule is policies'. */
import { sql } from 'kysely'

import { lockoutVerdict } from '../policies/index.ts'
import type { Factor, LockoutRule } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import type { UserId } from './ids.ts'
import type { Db } from './metadata/schema.ts'
import type { RowDeps } from './rows.ts'

/** What is counted: 'code' is the second channel of an invitation. */
export type CountedFactor = Factor | 'code'

export interface Attempt {
  /** false = do not even look at it */
  allowed: boolean
  /** when the next one may be looked at; null = at once, or (not allowed) only after an operator unlocks */
  retryAt: Date | null
}

interface AttemptKey {
  id: UserId
  factor: CountedFactor
  now: Date
}

export async function countAttempt(deps: RowDeps, attempt: AttemptKey, rule: LockoutRule): Promise<Attempt> {
  return deps.within(async (db) => {
    const record = await lockRecord(db, attempt)
    const verdict = lockoutVerdict(record, rule, attempt.now)
    if (verdict.kind === 'locked') return { allowed: false, retryAt: null }
    if (verdict.kind === 'wait') return { allowed: false, retryAt: verdict.retryAt }
    const inWindow = await count(db, attempt, rule, record)
    if (inWindow === rule.lockAfter) {
      const by: Actor = { kind: 'system', name: 'lockout' }
      await deps.record(db, { action: 'user.locked', subject: attempt.id, by, detail: { factor: attempt.factor } })
    }
    return { allowed: true, retryAt: null }
  })
}

interface Counted {
  recent: number
  inWindow: number
  windowStart: Date
  lastTry: Date
}

/** Makes the row if there is none, and locks it until the end of the transaction: parallel attempts come one by one. */
async function lockRecord(db: Db, { id, factor, now }: AttemptKey): Promise<Counted> {
  const time = now.getTime()
  const row = await db
    .insertInto('lockout')
    .values({ user_id: id, factor, recent: 0, in_window: 0, window_start: time, last_try: time })
    .onConflict((conflict) => conflict.columns(['user_id', 'factor']).doUpdateSet({ recent: sql`lockout.recent` }))
    .returning(['recent', 'in_window', 'window_start', 'last_try'])
    .executeTakeFirstOrThrow()
  return {
    recent: row.recent,
    inWindow: row.in_window,
    windowStart: new Date(row.window_start),
    lastTry: new Date(row.last_try),
  }
}

/** @returns attempts in the window, this one included */
async function count(db: Db, { id, factor, now }: AttemptKey, rule: LockoutRule, record: Counted): Promise<number> {
  const ended = now.getTime() - record.windowStart.getTime() >= rule.windowMs
  const inWindow = ended ? 1 : record.inWindow + 1
  const windowStart = ended ? now : record.windowStart
  await db
    .updateTable('lockout')
    .set({
      recent: record.recent + 1,
      in_window: inWindow,
      window_start: windowStart.getTime(),
      last_try: now.getTime(),
    })
    .where('user_id', '=', id)
    .where('factor', '=', factor)
    .execute()
  return inWindow
}

export async function clearAttempts({ db }: RowDeps, id: UserId, factor: CountedFactor): Promise<void> {
  await db.updateTable('lockout').set({ recent: 0 }).where('user_id', '=', id).where('factor', '=', factor).execute()
}

export async function unlock(deps: RowDeps, id: UserId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    await db.deleteFrom('lockout').where('user_id', '=', id).execute()
    await deps.record(db, { action: 'user.unlocked', subject: id, by })
  })
}
