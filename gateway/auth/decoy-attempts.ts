/**
 * Counts tries on addresses that nobody has, by the same rule as tries on accounts.
 *
 * Otherwise "too many attempts" would tell that an address has an account. Kept in this process and bounded: a lost
 * count only lets somebody guess at an account that does not exist.
 */
import { createHash } from 'node:crypto'
import { LOCKOUT, lockoutVerdict } from '../../policies/index.ts'
import type { AttemptRecord } from '../../policies/index.ts'
import type { Attempt } from './login.ts'

const REMEMBERED_AT_MOST = 10_000

/** Counts one try and says whether it would be looked at. */
export type DecoyAttempts = (email: string, now: Date) => Attempt

export function createDecoyAttempts(): DecoyAttempts {
  const records = new Map<string, AttemptRecord>()
  return (email, now) => {
    const key = createHash('sha256').update(email.trim().normalize('NFC').toLowerCase()).digest('base64')
    const record = records.get(key) ?? null
    const verdict = lockoutVerdict(record, LOCKOUT, now)
    if (verdict.kind !== 'allowed') return { allowed: false, retryAt: verdict.kind === 'wait' ? verdict.retryAt : null }
    records.delete(key)
    records.set(key, counted(record, now))
    const [oldest] = records.keys()
    if (records.size > REMEMBERED_AT_MOST && oldest !== undefined) records.delete(oldest)
    return { allowed: true, retryAt: null }
  }
}

function counted(record: AttemptRecord | null, now: Date): AttemptRecord {
  const fresh = record === null || now.getTime() - record.windowStart.getTime() >= LOCKOUT.windowMs
  return {
    recent: (record?.recent ?? 0) + 1,
    inWindow: fresh ? 1 : record.inWindow + 1,
    windowStart: fresh ? now : record.windowStart,
    lastTry: now,
  }
}
