/** The metadata database: SQLite or PostgreSQL behind one face. */
import { Kysely, sql } from 'kysely'

import type { Logger } from '../world.ts'
import { isRaceLost, unavailable } from './faults.ts'
import { createGroupCommit } from './group-commit.ts'
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
  /**
   * Resolves when all that can be seen now is on the disk. SQLite shows a commit a moment earlier: who tells somebody
   * outside that something is kept, and learned it by reading, waits for this.
   *
   * @throws StorageError `storage/database-unavailable`
   */
  settled(): Promise<void>
  /** @throws StorageError `storage/database-unavailable` */
  ping(): Promise<void>
  close(): Promise<void>
}

const MAX_CONNECTIONS = 10
const MAX_RUNS = 5

/** Opens the database and leaves its schema as it is; see `openDatabase`. Connects at the first statement. */
export function connectDatabase(config: DatabaseConfig, log: Logger): Database {
  const { dialect, settled } =
    config.kind === 'sqlite'
      ? sqliteDialect(config.path)
      : // PostgreSQL shows a commit to nobody before it is on the disk
        {
          dialect: postgresqlDialect(config.url, config.maxConnections ?? MAX_CONNECTIONS, log),
          settled: () => Promise.resolve(),
        }
  const kysely = new Kysely<Schema>({ dialect })
  const afterwards: Afterwards = new WeakMap()
  const grouped = createGroupCommit((work) => kysely.transaction().execute(work), settled)
  const run: RunTransaction = config.kind === 'sqlite' ? grouped.run : (work) => runAgain(kysely, work)
  return {
    kysely,
    kind: config.kind,
    transaction: (work) => withAfterwards(run, afterwards, work),
    afterCommit: (db, work) => {
      const queue = afterwards.get(db)
      if (queue === undefined) work()
      else queue.push(work)
    },
    settled,
    ping: async () => {
      await sql`select 1`.execute(kysely)
      await settled()
    },
    close: () => kysely.destroy(),
  }
}

type RunTransaction = <T>(work: (db: Db) => Promise<T>) => Promise<T>

/** By transaction: what to run after its commit. */
type Afterwards = WeakMap<Db, (() => void)[]>

async function withAfterwards<T>(
  run: RunTransaction,
  afterwards: Afterwards,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  let queue: (() => void)[] = []
  const result = await run((db) => {
    queue = []
    afterwards.set(db, queue)
    return work(db)
  })
  for (const next of queue) next()
  return result
}

/** PostgreSQL: again, when it was this transaction that lost a deadlock. */
async function runAgain<T>(kysely: Db, work: (db: Db) => Promise<T>): Promise<T> {
  for (let run = 1; ; run += 1) {
    try {
      return await kysely.transaction().execute(work)
    } catch (error) {
      if (!isRaceLost(error)) throw error
      if (run === MAX_RUNS) throw unavailable(error)
    }
  }
}
