/** Outbox and claims on a database, with a clock that tests turn by hand and a log that they can read. */
import { randomBytes } from 'node:crypto'

import type { NewAuditEntry } from '../../audit-log.ts'
import { createClaims } from '../../jobs/claims.ts'
import type { ClaimRequest, Claims } from '../../jobs/claims.ts'
import { JOB_KINDS } from '../../jobs/job.ts'
import { createJobs } from '../../jobs/outbox.ts'
import type { Jobs } from '../../jobs/outbox.ts'
import type { Database } from '../../metadata/database.ts'
import type { RowDeps } from '../../rows.ts'
import type { Logger } from '../../world.ts'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const LEASE = 2 * MINUTE

export interface HandClock {
  (): Date
  turn: (ms: number) => void
}

/** A clock that stands still until it is turned. */
export function handClock(start = '2026-11-23T12:00:00.000Z'): HandClock {
  let now = Date.parse(start)
  return Object.assign(() => new Date(now), {
    turn: (ms: number) => {
      now += ms
    },
  })
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  message: string
}

export function memoryLog(): Logger & { lines: LogLine[] } {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (fields: Record<string, unknown>, message: string): void => {
      lines.push({ level, fields, message })
    }
  const log = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return log
}

export interface JobDesk {
  jobs: Jobs
  claims: Claims
  clock: HandClock
  log: Logger & { lines: LogLine[] }
  audited: NewAuditEntry[]
  wakes: { id: string; at: Date }[]
  /** Runs `work` with an outbox bound to one transaction. */
  within<T>(work: (jobs: Jobs, db: RowDeps['db']) => Promise<T>): Promise<T>
  /** Claims with sensible defaults. */
  claim(change?: Partial<ClaimRequest>): ReturnType<Claims['claim']>
}

export function jobDesk(database: Database, clock = handClock()): JobDesk {
  const log = memoryLog()
  const [audited, wakes]: [NewAuditEntry[], JobDesk['wakes']] = [[], []]
  const deps = {
    ...{ database, clock, log, random: randomBytes },
    record: (_db: unknown, entry: NewAuditEntry) => {
      audited.push(entry)
      return Promise.resolve()
    },
    wake: (id: string, at: Date) => {
      wakes.push({ id, at })
    },
  }
  const bind = (db: RowDeps['db'], within: RowDeps['within']): Jobs =>
    createJobs({ ...deps, db, within } as unknown as RowDeps)
  const claims = createClaims(database, { clock })
  const claimDefaults = {
    kinds: JOB_KINDS,
    limit: 100,
    leaseMs: LEASE,
    partnerRule: () => ({ concurrency: 2, gapMs: 0 }),
  }
  return {
    ...{ claims, clock, log, audited, wakes },
    jobs: bind(database.kysely, (work) => database.transaction(work)),
    within: (work) =>
      database.transaction((db) =>
        work(
          bind(db, (inner) => inner(db)),
          db,
        ),
      ),
    claim: (change) => claims.claim({ ...claimDefaults, ...change }),
  }
}
