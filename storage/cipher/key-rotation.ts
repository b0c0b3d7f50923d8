/**
 * Rotation of the master key: new key file first, then the scope keys in batches, old files last.
 *
 * Killed at any moment and run again, it completes: more than one file in the folder means that a rotation was begun.
 * Contents and segment keys are not touched, for they hang on the scope keys.
 */
import { StorageError } from '../errors.ts'
import type { Database } from '../metadata/database.ts'
import type { Db } from '../metadata/schema.ts'
import type { World } from '../world.ts'
import { newMasterKey, removeMasterKey, writeMasterKey } from './master-keys.ts'
import type { MasterKey } from './master-keys.ts'
import { CURRENT_MASTER, confirmCurrent, scopeBinding } from './scope-keys.ts'
import type { MasterRing } from './scope-keys.ts'
import { openBox, sealBox } from './sealed-box.ts'

export interface RotationResult {
  /** id of the master key that everything is wrapped by now */
  masterKeyId: string
  /** scope keys rewrapped in this run */
  rewrapped: number
  /** ids of master keys whose files were removed */
  removed: string[]
}

const BATCH = 100

interface RotationDeps extends World {
  folder: string
  database: Database
  ring: MasterRing
}

/**
 * @throws StorageError `storage/wrong-key` a scope is wrapped by a master key that is not in the folder
 * @throws StorageError `storage/in-use` another rotation took over meanwhile; run again
 */
export async function rotate(deps: RotationDeps): Promise<RotationResult> {
  const { database, ring } = deps
  await ring.reread()
  const target = await chooseTarget(deps)
  const old = ring.masters().filter((master) => master.id !== target.id)
  await database.transaction((db) => makeCurrent(db, target.id))
  let rewrapped = 0
  for (let batch = -1; batch !== 0; rewrapped += batch)
    batch = await database.transaction((db) => rewrapBatch(db, deps, target))
  await database.transaction((db) => proveUnused(db, target.id))
  for (const master of old) await removeMasterKey(deps.folder, master.id)
  await ring.reread()
  return { masterKeyId: target.id, rewrapped, removed: old.map((master) => master.id) }
}

/** A new key, or the newest of several: then a rotation was begun and not ended. */
async function chooseTarget(deps: RotationDeps): Promise<MasterKey> {
  const [newest, ...older] = deps.ring.masters()
  if (newest === undefined) throw new StorageError('storage/key-absent', 'the key folder is empty')
  if (older.length > 0) return newest
  const made = newMasterKey(deps)
  // "Newest" has to hold even when the clock of this machine runs behind the one that made the last key.
  const createdAt = new Date(Math.max(made.createdAt.getTime(), newest.createdAt.getTime() + 1))
  const target = { ...made, createdAt }
  await writeMasterKey(deps.folder, target)
  await deps.ring.reread()
  return target
}

async function makeCurrent(db: Db, id: string): Promise<void> {
  const value = JSON.stringify(id)
  await db
    .insertInto('setting')
    .values({ key: CURRENT_MASTER, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute()
}

/** @returns how many; 0 = nothing left to do */
async function rewrapBatch(db: Db, deps: RotationDeps, target: MasterKey): Promise<number> {
  const rows = await db
    .selectFrom('key_scope')
    .select(['id', 'wrapped_key', 'master_key_id'])
    .where('master_key_id', '!=', target.id)
    .where('wrapped_key', 'is not', null)
    .orderBy('id')
    .limit(BATCH)
    .execute()
  for (const row of rows) {
    const master = deps.ring.masters().find((candidate) => candidate.id === row.master_key_id)
    if (master === undefined || row.wrapped_key === null) {
      throw new StorageError('storage/wrong-key', `master key ${row.master_key_id} is not in the key folder`)
    }
    const key = openBox(master.key, scopeBinding(row.id, master.id), row.wrapped_key)
    const wrapped = sealBox(target.key, scopeBinding(row.id, target.id), key, deps.random)
    key.fill(0)
    await db
      .updateTable('key_scope')
      .set({ wrapped_key: wrapped, master_key_id: target.id })
      .where('id', '=', row.id)
      .where('master_key_id', '=', master.id)
      .where('wrapped_key', 'is not', null)
      .execute()
  }
  return rows.length
}

/** With the setting locked nobody can add a key under an old master key any more. */
async function proveUnused(db: Db, id: string): Promise<void> {
  const current = await confirmCurrent(db, id)
  const left = await db
    .selectFrom('key_scope')
    .select('id')
    .where('master_key_id', '!=', id)
    .where('wrapped_key', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  if (!current || left !== undefined) {
    throw new StorageError('storage/in-use', 'another rotation of the master key took over: run this one again')
  }
}
