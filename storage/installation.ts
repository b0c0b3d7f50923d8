/**
 * The first start: master key, system key and the first entry of the audit log. Later starts only open the ring.
 */
import { beginAudit } from './audit-log.ts'
import { deriveHmacKey, openKeyRing } from './cipher/key-ring.ts'
import type { KeyRing, KeyRingDeps } from './cipher/key-ring.ts'
import { StorageError, isStorageError } from './errors.ts'
import type { Db } from './metadata/schema.ts'

/** Label of the audit log's key. */
export const AUDIT_KEY = 'audit'

/**
 * Opens the key ring of an installation; on the very first start makes it. Two processes may start at once.
 *
 * @throws StorageError `storage/key-absent`, `storage/key-damaged` see `openKeyRing`
 * @throws StorageError `storage/audit-broken` the database has keys or evidence but no system key: it was deleted
 */
export async function openInstallation(deps: KeyRingDeps): Promise<KeyRing> {
  const keyRing = await openKeyRing(deps)
  try {
    await deps.database.transaction((db) => beginOnce(db, keyRing, deps))
  } catch (error) {
    // Another process began the same installation at the same moment.
    if (!isStorageError(error, 'storage/already-exists')) throw error
  }
  return keyRing
}

async function beginOnce(db: Db, keyRing: KeyRing, deps: KeyRingDeps): Promise<void> {
  const system = await db.selectFrom('key_scope').select('id').where('id', '=', 'system').executeTakeFirst()
  if (system !== undefined) return
  const scope = await db.selectFrom('key_scope').select('id').limit(1).executeTakeFirst()
  const entry = await db.selectFrom('audit_entry').select('seq').limit(1).executeTakeFirst()
  if (scope !== undefined || entry !== undefined) {
    throw new StorageError('storage/audit-broken', 'the key of the audit log is gone from a database that was in use')
  }
  const key = await keyRing.newScopeKey(db, 'system')
  await beginAudit(db, deriveHmacKey(key, AUDIT_KEY), deps.clock())
}
