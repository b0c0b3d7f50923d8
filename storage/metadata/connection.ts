/** The metadata database: SQLite or PostgreSQL behind one face. */
import { Kysely, sql } from 'kysely'

import type { Logger } from '../world.ts'
import { isRaceLost, unavailable } from './faults.ts'
import { postgresqlDialect } from './postgresql.ts'
import type { Db, Schema } from './schema.ts'
import { sqliteDialect } from './sqlite.ts'

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
  /**
   * Runs `work` once the transaction behind `db` has committed (never when it rolls back); at once when `db` is the root.
   * For wake-ups only: it must not throw, and nothing waits for it.
   */
  afterCommit(db: Db, work: () => void): void
  /** @throws StorageError `storage/database-unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}

const MAX_CONNECTIONS = 10
const MAX_RUNS = 5

/** Opens the database and leaves its schema as it is; see `openDatabase`. Connects at the first statement. */
export function connectDatabase(config: DatabaseConfig, log: Logger): Database {
  const dialect =
    config.kind === 'sqlite'
      ? sqliteDialect(config.path)
      : postgresqlDialect(config.url, config.maxConnections ?? MAX_CONNECTIONS, log)
  const kysely = new Kysely<Schema>({ dialect })
  const afterwards: Afterwards = new WeakMap()
  return {
    kysely,
    kind: config.kind,
    transaction: (work) => runTransaction(kysely, afterwards, work),
    afterCommit: (db, work) => {
      const queue = afterwards.get(db)
      if (queue === undefined) work()
      else queue.push(work)
    },
    ping: async () => {
      await sql`select 1`.execute(kysely)
    },
    close: () => kysely.destroy(),
  }
}

/** By transaction: what to run after its commit. */
type Afterwards = WeakMap<Db, (() => void)[]>

async function runTransaction<T>(kysely: Db, afterwards: Afterwards, work: (db: Db) => Promise<T>): Promise<T> {
  for (let run = 1; ; run += 1) {
    const queue: (() => void)[] = []
    try {
      const result = await kysely.transaction().execute((transaction) => {
        afterwards.set(transaction, queue)
        return work(transaction)
      })
      for (const next of queue) next()
      return result
    } catch (error) {
      if (!isRaceLost(error)) throw error
      if (run === MAX_RUNS) throw unavailable(error)
    }
  }
}
