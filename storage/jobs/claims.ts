/**
 * Claiming work and recording its outcome: what a worker does to the job table.
 *
 * The lease is the due date: a claim moves `due` ahead, its runner renews it, and a job whose runner is lost is simply
 * due again. `attempts` is the fencing token: an outcome counts only while it still bears the number of its claim. Clocks
 * of processes that share a database must agree better than the lease exceeds the pause between two renewals (a minute).
 */
import { sql } from 'kysely'
import type { Selectable } from 'kysely'

import type { Database } from '../metadata/database.ts'
import type { Db } from '../metadata/schema.ts'
import type { JobTable } from '../metadata/tables/jobs.ts'
import type { World } from '../world.ts'
import { readPayload } from './job.ts'
import type { ClaimedJob, JobKind, JobOutcome } from './job.ts'
import { record } from './outcome.ts'
import type { Recorded } from './outcome.ts'

/** How gently a partner is to be called. Holds over all processes on one database. */
export interface PartnerRule {
  /** jobs for it that may run at the same time, at least 1 */
  readonly concurrency: number
  /** least pause between the beginnings of two jobs for it, ms; 0 = none */
  readonly gapMs: number
}

export interface ClaimRequest {
  /** kinds that the caller has handlers for */
  readonly kinds: readonly JobKind[]
  /** jobs wanted at most */
  readonly limit: number
  readonly leaseMs: number
  readonly partnerRule: (partner: string) => PartnerRule
}

export interface Claims {
  /** Claims due jobs. Each is given to one caller only, whatever number of processes asks. May return fewer than are due. */
  claim(request: ClaimRequest): Promise<ClaimedJob[]>
  /** Moves the end of a lease to `leaseMs` from now. Null: another claim was made since, or the job was dropped. */
  renew(job: ClaimedJob, leaseMs: number): Promise<Date | null>
  /**
   * Records what became of a claim, unless another claim was made since.
   */
  record(job: ClaimedJob, outcome: JobOutcome): Promise<Recorded>
  /**
   * The next moment after `since` at which something may become claimable; null = nothing is planned. `since` is a time
   * before the last claim, else what became due in between is neither claimed nor foreseen.
   */
  nextDue(kinds: readonly JobKind[], since: Date): Promise<Date | null>
}

export function createClaims(database: Database, { clock }: Pick<World, 'clock'>): Claims {
  return {
    async claim(request) {
      if (request.limit < 1 || request.kinds.length === 0) return []
      const claimed = await claimFree(database.kysely, request, clock().getTime())
      for (const partner of await openPartners(database.kysely, request, clock().getTime())) {
        const limit = request.limit - claimed.length
        if (limit < 1) break
        claimed.push(...(await claimForPartner(database, partner, { ...request, limit }, clock().getTime())))
      }
      return claimed
    },
    renew: (job, leaseMs) => renew(database.kysely, job, clock().getTime() + leaseMs),
    record: (job, outcome) => record(database.kysely, job, outcome, clock()),
    async nextDue(kinds, since) {
      const due = kinds.length === 0 ? null : await nextDue(database.kysely, kinds, since.getTime())
      return due === null ? null : new Date(due)
    },
  }
}

async function renew(db: Db, { id, attempts }: ClaimedJob, leaseUntil: number): Promise<Date | null> {
  const renewed = await db
    .updateTable('job')
    .set({ due: leaseUntil })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('started_at', 'is not', null)
    .executeTakeFirst()
  return renewed.numUpdatedRows > 0n ? new Date(leaseUntil) : null
}

/** Other sessions may have taken exactly the rows that this one saw; what is left behind them is due as well. */
const LOST_RACES = 5

async function claimFree(db: Db, request: ClaimRequest, now: number): Promise<ClaimedJob[]> {
  for (let race = 0; race < LOST_RACES; race++) {
    const claimed = await claimRows(db, request, now, null)
    if (claimed.length > 0 || !(await isAnyDue(db, request, now))) return claimed
  }
  return []
}

/**
 * The one statement that claims. The due test stands in the outer WHERE too: PostgreSQL checks that one again on the row
 * that a racing session has changed meanwhile; without it a job is claimed twice.
 */
async function claimRows(db: Db, request: ClaimRequest, now: number, partner: string | null): Promise<ClaimedJob[]> {
  const leaseUntil = now + request.leaseMs
  const due = db
    .selectFrom('job')
    .select('id')
    .where('due', '<=', now)
    .where('state', '=', 'ready')
    .where('kind', 'in', request.kinds)
    .where('partner', partner === null ? 'is' : '=', partner)
    .orderBy('due')
    .limit(request.limit)
  const rows = await db
    .updateTable('job')
    .set({ attempts: sql`attempts + 1`, due: leaseUntil, started_at: now })
    .where('due', '<=', now)
    .where('state', '=', 'ready')
    .where('id', 'in', due)
    .returning(['id', 'kind', 'subject', 'partner', 'payload', 'attempts', 'failures', 'every_ms'])
    .execute()
  return rows.map((row) => toClaimed(row, leaseUntil))
}

function toClaimed(row: ClaimedRow, leaseUntil: number): ClaimedJob {
  const { id, subject, partner, attempts, failures } = row
  const facts = { id, subject, partner, attempts, failures, standing: row.every_ms !== null }
  return { ...facts, kind: row.kind as JobKind, payload: readPayload(row.payload), leaseUntil: new Date(leaseUntil) }
}

type ClaimedRow = Pick<
  Selectable<JobTable>,
  'id' | 'kind' | 'subject' | 'partner' | 'payload' | 'attempts' | 'failures' | 'every_ms'
>

async function isAnyDue(db: Db, { kinds }: ClaimRequest, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('job')
    .select('id')
    .where('due', '<=', now)
    .where('state', '=', 'ready')
    .where('kind', 'in', kinds)
    .where('partner', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Partners with due jobs that may be called now, as far as their last call tells; longest waiting first. */
async function openPartners(db: Db, { kinds }: ClaimRequest, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('job')
    .leftJoin('job_partner', 'job_partner.partner', 'job.partner')
    .select('job.partner')
    .where('job.due', '<=', now)
    .where('job.state', '=', 'ready')
    .where('job.kind', 'in', kinds)
    .where('job.partner', 'is not', null)
    .where((eb) => eb.or([eb('not_before', 'is', null), eb('not_before', '<=', now)]))
    .groupBy('job.partner')
    .orderBy((eb) => eb.fn.min('job.due'))
    .limit(100)
    .execute()
  return rows.flatMap(({ partner }) => partner ?? [])
}

/** Claims for one partner queue up at its row, so that what they count is what runs. */
async function claimForPartner(
  database: Database,
  partner: string,
  request: ClaimRequest,
  now: number,
): Promise<ClaimedJob[]> {
  const rule = request.partnerRule(partner)
  return database.transaction(async (db) => {
    const first = { partner, not_before: 0 }
    await db
      .insertInto('job_partner')
      .values(first)
      .onConflict((oc) => oc.column('partner').doNothing())
      .execute()
    const open = await db
      .updateTable('job_partner')
      .set({ not_before: sql`not_before` }) // changes nothing: takes the row's lock
      .where('partner', '=', partner)
      .where('not_before', '<=', now)
      .executeTakeFirst()
    if (open.numUpdatedRows === 0n) return []
    const free = rule.concurrency - (await countRunning(db, partner, now))
    if (free < 1) return []
    const limit = Math.min(request.limit, rule.gapMs > 0 ? 1 : free)
    const claimed = await claimRows(db, { ...request, limit }, now, partner)
    if (claimed.length > 0 && rule.gapMs > 0)
      await db
        .updateTable('job_partner')
        .set({ not_before: now + rule.gapMs })
        .where('partner', '=', partner)
        .execute()
    return claimed
  })
}

async function countRunning(db: Db, partner: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('job')
    .select((eb) => eb.fn.countAll<number | string>().as('running'))
    .where('partner', '=', partner)
    .where('started_at', 'is not', null)
    .where('due', '>', now)
    .executeTakeFirstOrThrow()
  return Number(row.running)
}

async function nextDue(db: Db, kinds: readonly JobKind[], since: number): Promise<number | null> {
  const later = await db
    .selectFrom('job')
    .select((eb) => eb.fn.min('due').as('due'))
    .where('due', '>', since)
    .where('state', '=', 'ready')
    .where('kind', 'in', kinds)
    .executeTakeFirst()
  const gate = await db
    .selectFrom('job_partner')
    .select((eb) => eb.fn.min('not_before').as('due'))
    .where('not_before', '>', since)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('job')
          .select('job.id')
          .whereRef('job.partner', '=', 'job_partner.partner')
          .where('job.due', '<=', since)
          .where('job.state', '=', 'ready'),
      ),
    )
    .executeTakeFirst()
  const times = [later?.due, gate?.due].flatMap((time) => time ?? [])
  return times.length === 0 ? null : Math.min(...times)
}
