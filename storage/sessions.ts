/** Sessions: a random token outside, its SHA-256 in the row. */
import type { Selectable } from 'kysely'

import type { Factor } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { SessionId, UserId } from './ids.ts'
import { keptStatement } from './metadata/kept-statement.ts'
import type { Db } from './metadata/schema.ts'
import type { SessionTable } from './metadata/tables/people.ts'
import type { RowDeps } from './rows.ts'
import { hashToken, newToken } from './tokens.ts'
import { toUser } from './user.ts'
import type { User } from './user.ts'

/** Which factors were proven, and when last. */
export type ProvenFactors = Partial<Record<Factor, Date>>

export interface Session {
  id: SessionId
  userId: UserId
  kind: 'browser' | 'token'
  factors: ProvenFactors
  /** anti-forgery value */
  csrf: string
  label: string | null
  createdAt: Date
  lastSeenAt: Date
  expiresAt: Date
}

export interface NewSession {
  userId: UserId
  kind: 'browser' | 'token'
  factors: ProvenFactors
  expiresAt: Date
  /** what an API token is for */
  label?: string
}

export interface Sessions {
  /** @returns the token, 32 bytes as base64url; it cannot be read back later */
  create(session: NewSession, by: Actor): Promise<{ id: SessionId; token: string }>
  /** Null = unknown, ended or expired. Does not touch. */
  byToken(token: string, now: Date): Promise<Session | null>
  /** The same with its user, in one look. */
  withUser(token: string, now: Date): Promise<{ session: Session; user: User } | null>
  /** Notes that it was used; writes at most once a minute. */
  touch(id: SessionId, now: Date): Promise<void>
  /**
   * Adds a factor.
   * @param rotate 'rotate' gives a new token and voids the old one (browsers, against fixation)
   */
  stepUp(id: SessionId, factor: Factor, at: Date, rotate: 'rotate' | 'keep'): Promise<{ token: string | null }>
  end(id: SessionId, by: Actor): Promise<void>
  /** @returns how many */
  endAll(userId: UserId, by: Actor): Promise<number>
  list(userId: UserId): Promise<Session[]>
  /** Removes expired ones. @returns how many */
  sweep(now: Date): Promise<number>
}

/** A session's use is noted at this grain; every request would be a write otherwise. */
const TOUCH_MS = 60_000
const CSRF_BYTES = 16

const COLUMNS = [
  'id',
  'user_id',
  'kind',
  'factors',
  'csrf',
  'label',
  'created_at',
  'last_seen_at',
  'expires_at',
] as const satisfies readonly (keyof SessionTable)[]
type SessionRow = Pick<Selectable<SessionTable>, (typeof COLUMNS)[number]>

export function createSessions(deps: RowDeps): Sessions {
  const { db } = deps
  return {
    create: (session, by) => createSession(deps, session, by),
    byToken: (token, now) => byToken(deps, token, now),
    withUser: (token, now) => withUser(deps, token, now),
    touch: async (id, now) => {
      const old = now.getTime() - TOUCH_MS
      await db
        .updateTable('session')
        .set({ last_seen_at: now.getTime() })
        .where('id', '=', id)
        .where('last_seen_at', '<=', old)
        .execute()
    },
    stepUp: (id, factor, at, rotate) => stepUp(deps, { id, factor, at }, rotate),
    end: (id, by) => endSession(deps, id, by),
    endAll: (userId, by) => endAll(deps, userId, by),
    list: async (userId) => {
      const rows = await db
        .selectFrom('session')
        .select(COLUMNS)
        .where('user_id', '=', userId)
        .orderBy('created_at')
        .execute()
      return rows.map(toSession)
    },
    sweep: async (now) => {
      const result = await db.deleteFrom('session').where('expires_at', '<=', now.getTime()).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

async function createSession(deps: RowDeps, session: NewSession, by: Actor): Promise<{ id: SessionId; token: string }> {
  const [id, token, now] = [newRowId<SessionId>(deps), newToken(deps.random), deps.clock().getTime()]
  await deps.within(async (db) => {
    await db
      .insertInto('session')
      .values({
        ...{ id, user_id: session.userId, kind: session.kind, token_hash: hashToken(token) },
        factors: writeFactors(session.factors),
        csrf: deps.random(CSRF_BYTES).toString('base64url'),
        label: session.label ?? null,
        ...{ created_at: now, last_seen_at: now, expires_at: session.expiresAt.getTime() },
      })
      .execute()
    const detail = { user: session.userId, kind: session.kind, factors: Object.keys(session.factors).join('+') }
    await deps.record(db, { action: 'session.begun', subject: id, by, detail })
  })
  return { id, token }
}

const selectAlive = keptStatement((db, tokenHash: string, now: number) =>
  db.selectFrom('session').select(COLUMNS).where('token_hash', '=', tokenHash).where('expires_at', '>', now),
)

/** The look-up goes by the hash; how long it takes says nothing about the token. */
async function byToken({ db }: RowDeps, token: string, now: Date): Promise<Session | null> {
  const [row] = (await selectAlive(db, hashToken(token), now.getTime())).rows
  return row === undefined ? null : toSession(row)
}

const selectWithUser = keptStatement((db, tokenHash: string, now: number) =>
  db
    .selectFrom('session as s')
    .innerJoin('user_account as u', 'u.id', 's.user_id')
    .select(['s.id', 's.user_id', 's.kind', 's.factors', 's.csrf', 's.label'])
    .select(['s.created_at', 's.last_seen_at', 's.expires_at'])
    .select(['u.email', 'u.name', 'u.audience', 'u.unit_id', 'u.admin', 'u.state', 'u.password_hash', 'u.totp_secret'])
    .select('u.created_at as user_created_at')
    .where('s.token_hash', '=', tokenHash)
    .where('s.expires_at', '>', now),
)

async function withUser({ db }: RowDeps, token: string, now: Date): Promise<{ session: Session; user: User } | null> {
  const [row] = (await selectWithUser(db, hashToken(token), now.getTime())).rows
  if (row === undefined) return null
  return { session: toSession(row), user: toUser({ ...row, id: row.user_id, created_at: row.user_created_at }) }
}

async function stepUp(
  deps: RowDeps,
  proof: { id: SessionId; factor: Factor; at: Date },
  rotate: 'rotate' | 'keep',
): Promise<{ token: string | null }> {
  const { id, factor, at } = proof
  return deps.within(async (db) => {
    const row = await db.selectFrom('session').select(['user_id', 'factors']).where('id', '=', id).executeTakeFirst()
    if (row === undefined) throw new StorageError('storage/not-found', 'no such session')
    const factors = writeFactors({ ...readFactors(row.factors), [factor]: at })
    const token = rotate === 'rotate' ? newToken(deps.random) : null
    const hash = token === null ? {} : { token_hash: hashToken(token) }
    await db
      .updateTable('session')
      .set({ factors, ...hash })
      .where('id', '=', id)
      .execute()
    const by: Actor = { kind: 'user', id: row.user_id }
    await deps.record(db, { action: 'session.stepped-up', subject: id, by, detail: { factor } })
    return { token }
  })
}

async function endSession(deps: RowDeps, id: SessionId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const result = await db.deleteFrom('session').where('id', '=', id).executeTakeFirst()
    if (result.numDeletedRows > 0n) await deps.record(db, { action: 'session.ended', subject: id, by })
  })
}

async function endAll(deps: RowDeps, userId: UserId, by: Actor): Promise<number> {
  return deps.within(async (db) => {
    const rows = await db.deleteFrom('session').where('user_id', '=', userId).returning('id').execute()
    for (const row of rows) await deps.record(db, { action: 'session.ended', subject: row.id, by })
    return rows.length
  })
}

/** Ends the sessions of an account that have shown this factor; runs inside the caller's transaction. */
export async function endSessionsWith(db: Db, userId: UserId, factor: Factor): Promise<void> {
  const rows = await db.selectFrom('session').select(['id', 'factors']).where('user_id', '=', userId).execute()
  const ids = rows.filter(({ factors }) => readFactors(factors)[factor] !== undefined).map(({ id }) => id)
  if (ids.length > 0) await db.deleteFrom('session').where('id', 'in', ids).execute()
}

function writeFactors(factors: ProvenFactors): string {
  return JSON.stringify(Object.fromEntries(Object.entries(factors).map(([factor, at]) => [factor, at.getTime()])))
}

function readFactors(text: string): ProvenFactors {
  const times = JSON.parse(text) as Record<string, number>
  return Object.fromEntries(Object.entries(times).map(([factor, at]) => [factor, new Date(at)]))
}

function toSession(row: SessionRow): Session {
  const { id, kind, csrf, label } = row
  return {
    ...{ id, kind, csrf, label },
    userId: row.user_id,
    factors: readFactors(row.factors),
    createdAt: new Date(row.created_at),
    lastSeenAt: new Date(row.last_seen_at),
    expiresAt: new Date(row.expires_at),
  }
}
