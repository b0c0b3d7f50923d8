/** The metadata database: SQLite or PostgreSQL behind one face. */
import type { Db } from './schema.ts'

export type DatabaseConfig =
  /** path of the file; ':memory:' for a database that lives as long as it is open */
  { kind: 'sqlite'; path: string } | { kind: 'postgresql'; url: string; maxConnections?: number }

export interface Database {
  kysely: Db
  kind: 'sqlite' | 'postgresql'
  /**
   * Runs `work` in a transaction; commits when it resolves, rolls back when it rejects.
   *
   * SQLite: BEGIN IMMEDIATE, one at a time. PostgreSQL: READ COMMITTED; `work` runs again after a deadlock or a
   * serialization failure, so it must not do anything outside the database.
   *
   * @throws StorageError `storage/database-unavailable`
   */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>
  /** @throws StorageError `storage/database-unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}
