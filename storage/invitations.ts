/** Invitations: a one-time link, and where the level asks for it a code on another channel. */
import { createHmac } from 'node:crypto'

import { sql } from 'kysely'

import { INVITATION_CODE } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { InvitationId, UserId } from './ids.ts'
import type { Db } from './metadata/schema.ts'
import type { RowDeps } from './rows.ts'
import { hashToken, newToken, sameDigest } from './tokens.ts'
import type { Random } from './world.ts'

export interface NewInvitation {
  /** null only for purpose first-admin */
  userId: UserId | null
  purpose: 'join' | 'first-admin'
  withCode: boolean
  expiresAt: Date
}

export interface OpenInvitation {
  id: InvitationId
  userId: UserId | null
  purpose: 'join' | 'first-admin'
  needsCode: boolean
  codeAccepted: boolean
  expiresAt: Date
}

export interface Invitations {
  /** @returns token (32 bytes, base64url) for the link and the code (8 digits); neither can be read back later */
  create(invitation: NewInvitation, by: Actor): Promise<{ id: InvitationId; token: string; code: string | null }>
  /** Null = no such, used, expired, or five wrong codes. */
  open(token: string, now: Date): Promise<OpenInvitation | null>
  /** Counts before comparing; dead after five wrong codes. */
  tryCode(token: string, code: string, now: Date): Promise<'accepted' | 'wrong' | 'dead'>
  /** Uses it up. @throws StorageError `storage/not-found` somebody else was faster */
  consume(id: InvitationId, by: Actor): Promise<void>
  /** Takes back what is still open for a user, or for a purpose. @returns how many */
  revokeAll(whose: { userId: UserId } | { purpose: 'join' | 'first-admin' }, by: Actor): Promise<number>
}

export function createInvitations(deps: RowDeps): Invitations {
  return {
    create: (invitation, by) => createInvitation(deps, invitation, by),
    open: (token, now) => openInvitation(deps, token, now),
    tryCode: (token, code, now) => tryCode(deps, token, code, now),
    consume: (id, by) => consume(deps, id, by),
    revokeAll: (whose, by) => revokeAll(deps, whose, by),
  }
}

async function createInvitation(
  deps: RowDeps,
  invitation: NewInvitation,
  by: Actor,
): Promise<{ id: InvitationId; token: string; code: string | null }> {
  if ((invitation.userId === null) !== (invitation.purpose === 'first-admin')) {
    throw new StorageError('storage/bad-value', 'an invitation is for a user, or for the first administrator')
  }
  const [id, token] = [newRowId<InvitationId>(deps), newToken(deps.random)]
  const code = invitation.withCode ? newCode(deps.random) : null
  await deps.within(async (db) => {
    const row = {
      ...{ id, user_id: invitation.userId, purpose: invitation.purpose, token_hash: hashToken(token) },
      code_hash: code === null ? null : await hashCode(deps, db, id, code),
      ...{ code_failures: 0, code_accepted_at: null },
      expires_at: invitation.expiresAt.getTime(),
      created_at: deps.clock().getTime(),
    }
    await db.insertInto('invitation').values(row).execute()
    const detail = { purpose: row.purpose, user: row.user_id, withCode: code !== null }
    await deps.record(db, { action: 'invitation.created', subject: id, by, detail })
  })
  return { id, token, code }
}

async function openInvitation({ db }: RowDeps, token: string, now: Date): Promise<OpenInvitation | null> {
  const row = await db
    .selectFrom('invitation')
    .select(['id', 'user_id', 'purpose', 'code_hash', 'code_accepted_at', 'expires_at'])
    .where('token_hash', '=', hashToken(token))
    .where('expires_at', '>', now.getTime())
    .where('code_failures', '<', INVITATION_CODE.tries)
    .executeTakeFirst()
  if (row === undefined) return null
  return {
    ...{ id: row.id, userId: row.user_id, purpose: row.purpose },
    needsCode: row.code_hash !== null,
    codeAccepted: row.code_accepted_at !== null,
    expiresAt: new Date(row.expires_at),
  }
}

/** The try is counted as a failure first and forgiven when the code is right, so that parallel guesses all count. */
async function tryCode(deps: RowDeps, token: string, code: string, now: Date): Promise<'accepted' | 'wrong' | 'dead'> {
  return deps.within(async (db) => {
    const row = await db
      .updateTable('invitation')
      .set({ code_failures: sql`code_failures + 1` })
      .where('token_hash', '=', hashToken(token))
      .where('expires_at', '>', now.getTime())
      .where('code_failures', '<', INVITATION_CODE.tries)
      .where('code_hash', 'is not', null)
      .returning(['id', 'code_hash', 'code_failures'])
      .executeTakeFirst()
    if (row?.code_hash === undefined || row.code_hash === null) return 'dead'
    if (!sameDigest(await hashCode(deps, db, row.id, code), row.code_hash)) {
      const dead = row.code_failures >= INVITATION_CODE.tries
      if (dead) await noteDeath(deps, db, row.id)
      return dead ? 'dead' : 'wrong'
    }
    const accepted = { code_failures: 0, code_accepted_at: now.getTime() }
    await db.updateTable('invitation').set(accepted).where('id', '=', row.id).execute()
    return 'accepted'
  })
}

async function noteDeath(deps: RowDeps, db: Db, id: InvitationId): Promise<void> {
  const by: Actor = { kind: 'system', name: 'invitations' }
  await deps.record(db, { action: 'invitation.dead', subject: id, by, detail: { wrongCodes: INVITATION_CODE.tries } })
}

async function consume(deps: RowDeps, id: InvitationId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const result = await db.deleteFrom('invitation').where('id', '=', id).executeTakeFirst()
    if (result.numDeletedRows === 0n) throw new StorageError('storage/not-found', 'no such invitation')
    await deps.record(db, { action: 'invitation.used', subject: id, by })
  })
}

async function revokeAll(
  deps: RowDeps,
  whose: { userId: UserId } | { purpose: 'join' | 'first-admin' },
  by: Actor,
): Promise<number> {
  return deps.within(async (db) => {
    const all = db.deleteFrom('invitation').returning('id')
    const theirs =
      'userId' in whose ? all.where('user_id', '=', whose.userId) : all.where('purpose', '=', whose.purpose)
    const rows = await theirs.execute()
    for (const row of rows) await deps.record(db, { action: 'invitation.revoked', subject: row.id, by })
    return rows.length
  })
}

/** The code is short, so it is kept as an HMAC: without the key of the installation it cannot be found by trying. */
async function hashCode(deps: RowDeps, db: Db, id: InvitationId, code: string): Promise<string> {
  const key = await deps.keyRing.hmacKey(db, 'invitation-code')
  return createHmac('sha256', key).update(id).update('\0').update(code.replace(/\s/g, '')).digest('hex')
}

/** Eight digits, all equally likely: draws above the largest multiple of 10^8 are thrown away. */
function newCode(random: Random): string {
  const values = 10 ** INVITATION_CODE.digits
  const limit = Math.floor(2 ** 32 / values) * values
  for (;;) {
    const draw = random(4).readUInt32BE()
    if (draw < limit) return String(draw % values).padStart(INVITATION_CODE.digits, '0')
  }
}
