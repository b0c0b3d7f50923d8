/** TOTP secrets: sealed under the system scope; the newest accepted time step stands beside them (RFC 6238 §5.2). */
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import type { UserId } from './ids.ts'
import type { RowDeps } from './rows.ts'
import { endSessionsWith } from './sessions.ts'

export interface TotpEnrolment {
  id: UserId
  secretBase32: string
  /** time step of the code that proved the enrolment */
  firstStep: number
}

export async function readTotp({ db, keyRing }: RowDeps, id: UserId): Promise<string | null> {
  const row = await db.selectFrom('user_account').select('totp_secret').where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw notFound()
  if (row.totp_secret === null) return null
  return (await keyRing.openBytes(db, 'system', label(id), row.totp_secret)).toString('utf8')
}

export async function setTotp(deps: RowDeps, enrolment: TotpEnrolment, by: Actor): Promise<void> {
  const { id, secretBase32, firstStep } = enrolment
  await deps.within(async (db) => {
    const sealed = await deps.keyRing.sealBytes(db, 'system', label(id), Buffer.from(secretBase32, 'utf8'))
    const result = await db
      .updateTable('user_account')
      .set({ totp_secret: sealed, totp_last_step: firstStep })
      .where('id', '=', id)
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n) throw notFound()
    await deps.record(db, { action: 'user.totp-set', subject: id, by })
  })
}

export async function removeTotp(deps: RowDeps, id: UserId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const result = await db
      .updateTable('user_account')
      .set({ totp_secret: null })
      .where('id', '=', id)
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n) throw notFound()
    await endSessionsWith(db, id, 'totp')
    await deps.record(db, { action: 'user.totp-removed', subject: id, by })
  })
}

/** One statement, so that of two who show the same code one is refused. */
export async function acceptTotpStep({ db }: RowDeps, id: UserId, step: number): Promise<boolean> {
  const result = await db
    .updateTable('user_account')
    .set({ totp_last_step: step })
    .where('id', '=', id)
    .where('totp_last_step', '<', step)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

function label(id: UserId): string {
  return `totp ${id}`
}

function notFound(): StorageError {
  return new StorageError('storage/not-found', 'no such user')
}
