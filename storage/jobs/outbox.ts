/**
 * The transactional outbox: what the rest of the house and the operator do with jobs.
 *
 * `add` runs in the caller's transaction, so that work and the row it belongs to exist together or not at all; the
 * wake-up follows the commit. What operators do is written to the audit log.
 */
import { sql } from 'kysely'
import type { Selectable } from 'kysely'

import type { Actor } from '../actor.ts'
import { StorageError } from '../errors.ts'
import { newRowId, parseId } from '../ids.ts'
import type { JobId } from '../ids.ts'
import type { JobTable } from '../metadata/tables/jobs.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from '../page.ts'
import type { Page, PageRequest } from '../page.ts'
import type { RowDeps } from '../rows.ts'
import { readPayload } from './job.ts'
import type { Job, JobKind, NewJob, StandingJob } from './job.ts'

export interface Jobs {
  /** Adds a one-off job. @throws StorageError `storage/bad-value` the payload exceeds 4 KiB */
  add(job: NewJob): Promise<JobId>
  /** Sees to it that a standing job exists, with this pause; one that exists keeps its next time, unless `due` is earlier. */
  ensureStanding(job: StandingJob): Promise<JobId>
  /** Takes a standing job away. Does nothing when there is none. */
  removeStanding(kind: JobKind, subject: string): Promise<void>
  /** @throws StorageError `storage/not-found` */
  byId(id: JobId): Promise<Job>
  /** Oldest first. */
  list(request?: JobFilter): Promise<Page<Job>>
  /** Puts a job aside. One that runs ends its step, then stays aside. @throws StorageError `storage/not-found` */
  hold(id: JobId, by: Actor): Promise<void>
  /**
   * Makes a job due now and forgets its failures.
   *
   * @throws StorageError `storage/not-found`; `storage/in-use` it runs right now
   */
  retry(id: JobId, by: Actor): Promise<void>
  /** Removes a job for good; the outcome of one that runs is ignored. @throws StorageError `storage/not-found` */
  drop(id: JobId, by: Actor): Promise<void>
}

export interface JobFilter extends PageRequest {
  kind?: JobKind
  subject?: string
  state?: Job['state']
}

export function createJobs(deps: RowDeps): Jobs {
  return {
    add: (job) => insert(deps, job, null),
    ensureStanding: (job) => ensureStanding(deps, job),
    async removeStanding(kind, subject) {
      await deps.db
        .deleteFrom('job')
        .where('kind', '=', kind)
        .where('subject', '=', subject)
        .where('every_ms', 'is not', null)
        .execute()
    },
    async byId(id) {
      const row = await deps.db.selectFrom('job').select(COLUMNS).where('id', '=', id).executeTakeFirst()
      if (row === undefined) throw notFound()
      return toJob(row)
    },
    list: (request = {}) => list(deps, request),
    hold: (id, by) => hold(deps, id, by),
    retry: (id, by) => retry(deps, id, by),
    drop: (id, by) => drop(deps, id, by),
  }
}

const MOST_PAYLOAD = 4096

async function insert({ db, clock, random, wake }: RowDeps, job: NewJob, everyMs: number | null): Promise<JobId> {
  const [id, now] = [newRowId<JobId>({ clock, random }), clock()]
  const due = job.due ?? now
  const payload = JSON.stringify(job.payload ?? {})
  if (payload.length > MOST_PAYLOAD)
    throw new StorageError('storage/bad-value', `the payload exceeds ${MOST_PAYLOAD} characters`)
  const progress = { state: 'ready', attempts: 0, started_at: null, failures: 0, last_error: null } as const
  const facts = { kind: job.kind, subject: job.subject, partner: job.partner ?? null, every_ms: everyMs }
  const inserted = await db
    .insertInto('job')
    .values({ id, ...facts, payload, due: due.getTime(), created_at: now.getTime(), ...progress })
    .onConflict((oc) => oc.columns(['kind', 'subject']).where('every_ms', 'is not', null).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (inserted !== undefined) wake(id, due, db)
  return id
}

async function ensureStanding(deps: RowDeps, job: StandingJob): Promise<JobId> {
  if (!Number.isSafeInteger(job.everyMs) || job.everyMs < 1_000)
    throw new StorageError('storage/bad-value', 'a standing job needs a pause of at least a second')
  return deps.within(async (db) => {
    await insert({ ...deps, db }, job, job.everyMs)
    const facts = { every_ms: job.everyMs, partner: job.partner ?? null, payload: JSON.stringify(job.payload ?? {}) }
    const row = await db
      .updateTable('job')
      .set(job.due === undefined ? facts : { ...facts, due: noLaterThan(job.due) })
      .where('kind', '=', job.kind)
      .where('subject', '=', job.subject)
      .where('every_ms', 'is not', null)
      .returning('id')
      .executeTakeFirstOrThrow()
    if (job.due !== undefined) deps.wake(row.id, job.due, db)
    return row.id
  })
}

/** A job that runs keeps its lease, one that was put aside stays aside. */
function noLaterThan(due: Date) {
  const time = sql`cast(${due.getTime()} as bigint)`
  return sql<
    number | null
  >`case when state = 'ready' and started_at is null and due > ${time} then ${time} else due end`
}

const COLUMNS = [
  'id',
  'kind',
  'subject',
  'partner',
  'payload',
  'state',
  'due',
  'every_ms',
  'attempts',
  'started_at',
  'failures',
  'last_error',
  'created_at',
] as const satisfies readonly (keyof JobTable)[]

function toJob(row: Selectable<JobTable>): Job {
  const { id, subject, partner, attempts, failures } = row
  return {
    ...{ id, subject, partner, attempts, failures },
    kind: row.kind as JobKind,
    payload: readPayload(row.payload),
    state: row.state === 'ready' && row.started_at !== null ? 'running' : row.state,
    due: row.due === null ? null : new Date(row.due),
    standing: row.every_ms !== null,
    lastError: row.last_error,
    createdAt: new Date(row.created_at),
  }
}

async function list({ db }: RowDeps, { kind, subject, state, ...page }: JobFilter): Promise<Page<Job>> {
  const limit = pageLimit(page)
  let query = db.selectFrom('job').select(COLUMNS).orderBy('created_at').orderBy('id')
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (subject !== undefined) query = query.where('subject', '=', subject)
  if (state !== undefined) query = query.where('state', '=', state === 'running' ? 'ready' : state)
  if (state === 'ready') query = query.where('started_at', 'is', null)
  if (state === 'running') query = query.where('started_at', 'is not', null)
  const place = decodeCursor(page.after, 2)
  if (place !== null) {
    const last = [readTime(place[0]), parseId('job', place[1] ?? '')] as const
    query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '>', eb.tuple(...last)))
  }
  const rows = await query.limit(limit + 1).execute()
  return toPage(rows, limit, toJob, (row) => encodeCursor([row.created_at, row.id]))
}

function readTime(text = ''): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw new StorageError('storage/bad-value', 'not the end of a page')
  return Number(text)
}

async function hold(deps: RowDeps, id: JobId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    // a running one keeps its lease: its outcome is recorded and leaves it held
    const job = await db
      .updateTable('job')
      .set({ state: 'held' })
      .where('id', '=', id)
      .returning(['kind'])
      .executeTakeFirst()
    if (job === undefined) throw notFound()
    await db.updateTable('job').set({ due: null }).where('id', '=', id).where('started_at', 'is', null).execute()
    await deps.record(db, { action: 'job.held', subject: id, by, detail: { kind: job.kind } })
  })
}

async function retry(deps: RowDeps, id: JobId, by: Actor): Promise<void> {
  const now = deps.clock()
  await deps.within(async (db) => {
    const job = await db
      .updateTable('job')
      .set({ state: 'ready', due: now.getTime(), started_at: null, failures: 0 })
      .where('id', '=', id)
      .where((eb) => eb.or([eb('started_at', 'is', null), eb('due', 'is', null), eb('due', '<=', now.getTime())]))
      .returning(['kind'])
      .executeTakeFirst()
    if (job === undefined) throw await whyNot({ ...deps, db }, id)
    await deps.record(db, { action: 'job.retried', subject: id, by, detail: { kind: job.kind } })
  })
  deps.wake(id, now)
}

async function whyNot({ db }: RowDeps, id: JobId): Promise<StorageError> {
  const row = await db.selectFrom('job').select('id').where('id', '=', id).executeTakeFirst()
  return row === undefined ? notFound() : new StorageError('storage/in-use', 'the job runs right now')
}

async function drop(deps: RowDeps, id: JobId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const job = await db.deleteFrom('job').where('id', '=', id).returning(['kind', 'subject']).executeTakeFirst()
    if (job === undefined) throw notFound()
    await deps.record(db, { action: 'job.dropped', subject: id, by, detail: { kind: job.kind, about: job.subject } })
  })
}

function notFound(): StorageError {
  return new StorageError('storage/not-found', 'no such job')
}
