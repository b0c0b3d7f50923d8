/** Accounts: who may sign in, what proves it, and how often a proof may be tried. */
import type { Selectable } from 'kysely'

import type { LockoutRule } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import { clearAttempts, countAttempt, unlock } from './attempts.ts'
import type { Attempt, CountedFactor } from './attempts.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { UnitId, UserId } from './ids.ts'
import { keptStatement } from './metadata/kept-statement.ts'
import type { Db } from './metadata/schema.ts'
import type { UserAccountTable } from './metadata/tables/people.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import type { RowDeps } from './rows.ts'
import { checkEmail, checkName, comparisonKey } from './text.ts'
import { acceptTotpStep, readTotp, removeTotp, setTotp } from './totp-secrets.ts'
import { USER_COLUMNS, toUser } from './user.ts'
import type { User, UserRow } from './user.ts'

export type { User } from './user.ts'
export type { CountedFactor } from './attempts.ts'

export interface NewUser {
  email: string
  name: string
  audience: 'staff' | 'external'
  unitId?: UnitId | null
  admin?: boolean
  /** encoded Argon2id hash; absent = invited, sets one later */
  passwordHash?: string
}

export interface UserPatch {
  name?: string
  email?: string
  audience?: 'staff' | 'external'
  unitId?: UnitId | null
  admin?: boolean
}

export interface Users {
  /** @throws StorageError `storage/already-exists` the address is taken */
  create(user: NewUser, by: Actor): Promise<User>
  /** @throws StorageError `storage/not-found` */
  byId(id: UserId): Promise<User>
  /** Address compared in lower case and NFC. */
  byEmail(email: string): Promise<User | null>
  list(page?: PageRequest): Promise<Page<User>>
  change(id: UserId, patch: UserPatch, by: Actor): Promise<User>
  /** Ends all sessions too. */
  disable(id: UserId, by: Actor): Promise<void>
  enable(id: UserId, by: Actor): Promise<void>
  passwordHash(id: UserId): Promise<string | null>
  /** Sets it, makes an invited account active and ends all sessions of the account. */
  setPassword(id: UserId, hash: string, by: Actor): Promise<void>
  /** Base32 as enrolled; null = not enrolled. */
  totpSecret(id: UserId): Promise<string | null>
  /** @param firstStep time step of the code that proved the enrolment; it and older ones are used up */
  setTotp(id: UserId, secretBase32: string, firstStep: number, by: Actor): Promise<void>
  /** Ends the sessions that had shown it: who took the phone may sit in one of them. */
  removeTotp(id: UserId, by: Actor): Promise<void>
  /** True for exactly one caller per time step, and only when it is newer than the newest accepted. */
  acceptTotpStep(id: UserId, step: number): Promise<boolean>
  /** Counts an attempt before it is verified; atomic, so that parallel guesses are all counted. */
  countAttempt(id: UserId, factor: CountedFactor, now: Date, rule: LockoutRule): Promise<Attempt>
  /** After a success: the next failure is the first in a row. The count of the window goes on. */
  clearAttempts(id: UserId, factor: CountedFactor): Promise<void>
  /** Forgets every count: what an operator does for somebody who is locked out. */
  unlock(id: UserId, by: Actor): Promise<void>
}

export function createUsers(deps: RowDeps): Users {
  return {
    create: (user, by) => createUser(deps, user, by),
    byId: async (id) => toUser(await rowOf(deps.db, id)),
    byEmail: (email) => byEmail(deps, email),
    list: (page = {}) => listUsers(deps, page),
    change: (id, patch, by) => changeUser(deps, id, patch, by),
    disable: (id, by) => disable(deps, id, by),
    enable: (id, by) => enable(deps, id, by),
    passwordHash: async (id) => (await rowOf(deps.db, id)).password_hash,
    setPassword: (id, hash, by) => setPassword(deps, id, hash, by),
    totpSecret: (id) => readTotp(deps, id),
    setTotp: (id, secretBase32, firstStep, by) => setTotp(deps, { id, secretBase32, firstStep }, by),
    removeTotp: (id, by) => removeTotp(deps, id, by),
    acceptTotpStep: (id, step) => acceptTotpStep(deps, id, step),
    countAttempt: (id, factor, now, rule) => countAttempt(deps, { id, factor, now }, rule),
    clearAttempts: (id, factor) => clearAttempts(deps, id, factor),
    unlock: (id, by) => unlock(deps, id, by),
  }
}

async function createUser(deps: RowDeps, user: NewUser, by: Actor): Promise<User> {
  const email = checkEmail(user.email)
  const row = {
    id: newRowId<UserId>(deps),
    email,
    email_key: comparisonKey(email),
    name: checkName('user', user.name),
    audience: user.audience,
    unit_id: user.unitId ?? null,
    admin: user.admin === true ? (1 as const) : (0 as const),
    state: user.passwordHash === undefined ? ('invited' as const) : ('active' as const),
    password_hash: user.passwordHash ?? null,
    totp_secret: null,
    totp_last_step: 0,
    created_at: deps.clock().getTime(),
  }
  return deps.within(async (db) => {
    await db.insertInto('user_account').values(row).execute()
    const detail = { audience: row.audience, admin: row.admin === 1, unit: row.unit_id }
    await deps.record(db, { action: 'user.created', subject: row.id, by, detail })
    return toUser(row)
  })
}

async function byEmail({ db }: RowDeps, email: string): Promise<User | null> {
  const key = comparisonKey(email.trim())
  const row = await db.selectFrom('user_account').select(USER_COLUMNS).where('email_key', '=', key).executeTakeFirst()
  return row === undefined ? null : toUser(row)
}

async function listUsers({ db }: RowDeps, page: PageRequest): Promise<Page<User>> {
  const limit = pageLimit(page)
  const [key] = decodeCursor(page.after, 1) ?? []
  let query = db.selectFrom('user_account').select(USER_COLUMNS)
  if (key !== undefined) query = query.where('email_key', '>', key)
  const rows = await query
    .orderBy('email_key')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toUser, (row) => encodeCursor([row.email_key]))
}

async function changeUser(deps: RowDeps, id: UserId, patch: UserPatch, by: Actor): Promise<User> {
  const email = patch.email === undefined ? undefined : checkEmail(patch.email)
  const changes: Partial<Selectable<UserAccountTable>> = {
    ...(patch.name === undefined ? {} : { name: checkName('user', patch.name) }),
    ...(email === undefined ? {} : { email, email_key: comparisonKey(email) }),
    ...(patch.audience === undefined ? {} : { audience: patch.audience }),
    ...(patch.unitId === undefined ? {} : { unit_id: patch.unitId }),
    ...(patch.admin === undefined ? {} : { admin: patch.admin ? 1 : 0 }),
  }
  return deps.within(async (db) => {
    await update(db, id, { id, ...changes })
    const user = toUser(await rowOf(db, id))
    const detail = { audience: user.audience, admin: user.admin, unit: user.unitId, renamed: patch.name !== undefined }
    await deps.record(db, {
      action: 'user.changed',
      subject: id,
      by,
      detail: { ...detail, readdressed: email !== undefined },
    })
    return user
  })
}

async function disable(deps: RowDeps, id: UserId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    await update(db, id, { state: 'disabled' })
    await db.deleteFrom('session').where('user_id', '=', id).execute()
    await deps.record(db, { action: 'user.disabled', subject: id, by })
  })
}

async function enable(deps: RowDeps, id: UserId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const { password_hash } = await rowOf(db, id)
    await update(db, id, { state: password_hash === null ? 'invited' : 'active' })
    await deps.record(db, { action: 'user.enabled', subject: id, by })
  })
}

async function setPassword(deps: RowDeps, id: UserId, hash: string, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const { state } = await rowOf(db, id)
    await update(db, id, { password_hash: hash, state: state === 'invited' ? 'active' : state })
    await db.deleteFrom('session').where('user_id', '=', id).execute()
    await deps.record(db, { action: 'user.password-set', subject: id, by })
  })
}

async function update(db: Db, id: UserId, changes: Partial<Selectable<UserAccountTable>>): Promise<void> {
  const result = await db.updateTable('user_account').set(changes).where('id', '=', id).executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw notFound()
}

const selectUser = keptStatement((db, id: UserId) =>
  db.selectFrom('user_account').select(USER_COLUMNS).where('id', '=', id),
)

async function rowOf(db: Db, id: UserId): Promise<UserRow> {
  const [row] = (await selectUser(db, id)).rows
  if (row === undefined) throw notFound()
  return row
}

function notFound(): StorageError {
  return new StorageError('storage/not-found', 'no such user')
}
