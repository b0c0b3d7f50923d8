/** How old an accepted list is, and its entry in reports. */
import type { ListReport } from '../../validation/report.ts'
import type { AcceptedList } from './check-list.ts'
import type { TrustedList } from './model.ts'

export interface AgeLimits {
  /** the time of the validation */
  at: Date
  /** days after NextUpdate from which on nothing is derived from a list any more */
  maxOverdueDays: number
}

/** `overdue`: still used, with a remark; a list without NextUpdate is closed and stays as it is. */
export function ageOf(
  { nextUpdate }: TrustedList,
  { at, maxOverdueDays }: AgeLimits,
): 'current' | 'overdue' | 'too-old' {
  if (nextUpdate === null || at <= nextUpdate) return 'current'
  return at.getTime() - nextUpdate.getTime() > maxOverdueDays * DAY_MS ? 'too-old' : 'overdue'
}

export function listReport({ list, sha256, retrievedAt }: AcceptedList, limits: AgeLimits): ListReport {
  return {
    territory: list.territory,
    sequence: list.sequence,
    issuedAt: list.issuedAt.toISOString(),
    nextUpdate: list.nextUpdate?.toISOString() ?? null,
    sha256,
    retrievedAt: retrievedAt?.toISOString() ?? null,
    state: ageOf(list, limits) === 'current' ? 'current' : 'overdue',
  }
}

const DAY_MS = 24 * 60 * 60 * 1000
