/**
 * What every set of row verbs is made from. The same verbs run on the database as a whole, where each act is a
 * transaction of its own, or bound to a caller's transaction (`storage.transact`).
 */
import type { NewAuditEntry } from './audit-log.ts'
import type { KeyRing } from './cipher/key-ring.ts'
import type { JobId } from './ids.ts'
import type { Database } from './metadata/database.ts'
import type { Db } from './metadata/schema.ts'
import type { World } from './world.ts'

export interface RowDeps extends World {
  database: Database
  /** where reads run: the root, or the caller's transaction */
  db: Db
  /** Runs `work` in the caller's transaction, or in one of its own. */
  within: <T>(work: (db: Db) => Promise<T>) => Promise<T>
  keyRing: KeyRing
  /**
   * Says that a job was added: passed on to the queue once the transaction is committed.
   * @param where the transaction that it was added in, when that is not `db`
   */
  wake: (jobId: JobId, at: Date, where?: Db) => void
  /** Writes the audit entry of an act into the transaction of the act; last, so that the log's head is held briefly. */
  record: (db: Db, entry: NewAuditEntry) => Promise<void>
}
