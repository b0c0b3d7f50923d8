/**
 * Scope keys as rows: added under the current master key, read, destroyed.
 *
 * Which master key is current stands in the database (setting `master-key`), so that a process that has not heard of a
 * rotation cannot add a key under the old one while its file is being removed.
 */
import { StorageError } from '../errors.ts'
import type { ScopeId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'
import type { Random } from '../world.ts'
import type { MasterKey } from './master-keys.ts'
import { sealBox } from './sealed-box.ts'

/** The setting that names the current master key; its row is locked while a scope key is added. */
export const CURRENT_MASTER = 'master-key'

/** The master keys that this process knows, newest first. */
export interface MasterRing {
  masters(): readonly MasterKey[]
  /** Reads the folder once more. */
  reread(): Promise<void>
}

export interface ScopeRow {
  /** null = destroyed */
  wrapped: Buffer | null
  masterKeyId: string
}

/** What a wrapped scope key is bound to; FORMAT.md, part "Keys". */
export function scopeBinding(scope: ScopeId, masterKeyId: string): string[] {
  return ['scope-key', scope, masterKeyId]
}

/**
 * Adds the key of a new scope, in the caller's transaction.
 *
 * @throws StorageError `storage/already-exists`; `storage/wrong-key` the current master key is not in the folder
 */
export async function addScope(
  db: Db,
  ring: MasterRing,
  entry: { scope: ScopeId; key: Buffer; random: Random },
): Promise<void> {
  const { scope, key, random } = entry
  const master = await currentMaster(db, ring)
  const wrapped = sealBox(master.key, scopeBinding(scope, master.id), key, random)
  await db
    .insertInto('key_scope')
    .values({ id: scope, wrapped_key: wrapped, master_key_id: master.id, destroyed_at: null })
    .execute()
}

export async function readScope(db: Db, scope: ScopeId): Promise<ScopeRow | null> {
  const row = await db
    .selectFrom('key_scope')
    .select(['wrapped_key', 'master_key_id'])
    .where('id', '=', scope)
    .executeTakeFirst()
  return row === undefined ? null : { wrapped: row.wrapped_key, masterKeyId: row.master_key_id }
}

/**
 * Destroys a scope's key and with it every key that it wraps; their contents wait for the deletion of their objects.
 *
 * @returns false = no such scope, or destroyed before
 */
export async function destroyScope(db: Db, scope: ScopeId, now: Date): Promise<boolean> {
  const result = await db
    .updateTable('key_scope')
    .set({ wrapped_key: null, destroyed_at: now.getTime() })
    .where('id', '=', scope)
    .where('wrapped_key', 'is not', null)
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) return false
  const contents = db.selectFrom('content').select('id').where('scope_id', '=', scope)
  await db.updateTable('segment').set({ wrapped_key: null }).where('content_id', 'in', contents).execute()
  await db
    .updateTable('content')
    .set({ state: 'erasing' })
    .where('scope_id', '=', scope)
    .where('state', 'in', ['open', 'whole'])
    .execute()
  return true
}

/** The newest key that this process knows, unless the database names another one. Locks the setting. */
async function currentMaster(db: Db, ring: MasterRing): Promise<MasterKey> {
  const [newest] = ring.masters()
  if (newest !== undefined && (await confirmCurrent(db, newest.id))) return newest
  await ring.reread()
  const row = await db.selectFrom('setting').select('value').where('key', '=', CURRENT_MASTER).executeTakeFirst()
  const current = ring.masters().find((master) => JSON.stringify(master.id) === row?.value)
  if (current === undefined) {
    throw new StorageError('storage/wrong-key', 'the current master key is not in the key folder')
  }
  return current
}

/** Notes the first master key as current, or checks that this one is. True = it is. */
export async function confirmCurrent(db: Db, id: string): Promise<boolean> {
  const value = JSON.stringify(id)
  const result = await db
    .insertInto('setting')
    .values({ key: CURRENT_MASTER, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }).where('setting.value', '=', value))
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}
