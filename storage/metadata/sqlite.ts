/**
 * SQLite through libsql, as a Kysely dialect with one connection.
 *
 * libsql is synchronous and must not see certain values (binding.ts), so its statements never leave this file.
 * Durability: a COMMIT only writes the log; who has committed waits for `settled` (wal-flush.ts) before it answers.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import Libsql from 'libsql'

import { StorageError } from '../errors.ts'
import { checkBindings, countPlaces } from './binding.ts'
import { asStorageError, isBusy, unavailable } from './faults.ts'
import { noFlush, walFlushOf, type WalFlush } from './wal-flush.ts'

/** How long a statement blocks this thread for another process's lock before it waits without blocking. */
const BUSY_TIMEOUT_MS = 20
/** How long it waits in all. */
const PATIENCE_MS = 10_000
const MAX_STATEMENTS = 500
/** A checkpoint holds everybody up, and writes each changed page once however often it was changed: so not too often. */
const CHECKPOINT_PAGES = 4000

interface Statement {
  run: (parameters: readonly unknown[]) => { changes: number }
  all: (parameters: readonly unknown[]) => Record<string, unknown>[]
}

/**
 * @param path of the file, or ':memory:'
 * @returns the dialect, and `settled`: resolves when all commits so far are on the disk. A transaction that Kysely calls
 *   committed is so only after that; a single statement outside of one waits by itself.
 */
export function sqliteDialect(path: string): { dialect: Dialect; settled: () => Promise<void> } {
  const flush = path === ':memory:' ? noFlush() : walFlushOf(path)
  const dialect: Dialect = {
    createDriver: () => sqliteDriver(path, flush),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
  return { dialect, settled: () => flush.settled() }
}

function sqliteDriver(path: string, flush: WalFlush): Driver {
  const turn = createTurnstile()
  let connection: SqliteConnection | null = null
  return {
    init: async () => {
      connection = await openConnection(path, flush)
    },
    acquireConnection: async () => {
      await turn.enter()
      if (connection !== null) return connection
      turn.leave()
      throw unavailable(new Error('closed'))
    },
    beginTransaction: async () => {
      flush.check()
      await connection?.run('begin immediate', [])
      connection?.expectTransaction('begun')
    },
    commitTransaction: async () => {
      await connection?.run('commit', [])
      flush.committed()
      connection?.expectTransaction('none')
    },
    rollbackTransaction: async () => {
      connection?.expectTransaction('none')
      // A full disk may have rolled back already (sqlite.org/lang_transaction.html §3).
      if (connection?.inTransaction === true) await connection.run('rollback', [])
    },
    releaseConnection: () => {
      turn.leave()
      return Promise.resolve()
    },
    destroy: async () => {
      connection?.close()
      connection = null
      await flush.close()
    },
  }
}

async function openConnection(path: string, flush: WalFlush): Promise<SqliteConnection> {
  try {
    const connection = new SqliteConnection(new Libsql(path), flush)
    await connection.run(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`, [])
    await connection.run('pragma journal_mode = wal', [])
    await connection.run('pragma synchronous = normal', [])
    await connection.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`, [])
    await connection.run('pragma foreign_keys = on', [])
    return connection
  } catch (error) {
    throw asStorageError(error, '')
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #db: Libsql.Database
  readonly #flush: WalFlush
  /** Prepared statements by text, least recently used first. */
  readonly #statements = new Map<string, Prepared>()

  #expected: 'begun' | 'none' = 'none'

  constructor(db: Libsql.Database, flush: WalFlush) {
    this.#db = db
    this.#flush = flush
  }

  /** From `begun` on, a statement outside of a transaction is refused: SQLite has rolled back by itself. */
  expectTransaction(expected: 'begun' | 'none'): void {
    this.#expected = expected
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query
    const result = (this.#tryNow(sql, parameters) ?? (await this.#runPatiently(sql, parameters))) as QueryResult<R>
    if (!this.#db.inTransaction && !READS.test(query.sql)) {
      this.#flush.committed()
      await this.#flush.settled()
    }
    return result
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    return this.#tryNow(sql, parameters) ?? (await this.#runPatiently(sql, parameters))
  }

  /** Null = another process holds the lock: worth waiting for. */
  #tryNow(sql: string, parameters: readonly unknown[]): QueryResult<unknown> | null {
    checkBindings(parameters)
    if (this.#expected === 'begun' && !this.#db.inTransaction) {
      throw new StorageError('storage/disk-full', 'the database has undone this transaction: no room left')
    }
    try {
      return this.#runOnce(sql, parameters)
    } catch (error) {
      // Inside a transaction BEGIN IMMEDIATE holds the lock already; busy then is an answer, not a matter of patience.
      if (isBusy(error) && !this.#db.inTransaction) return null
      throw asStorageError(error, sql)
    }
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- Kysely's interface asks for a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StorageError('storage/bad-value', 'listings are paged, not streamed')
  }

  #runOnce(sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    const prepared = this.#prepare(sql)
    if (parameters.length !== prepared.places) {
      throw new StorageError('storage/bad-value', `${parameters.length} parameters for ${prepared.places} places`)
    }
    if (prepared.reader) {
      const rows = prepared.statement.all(parameters)
      for (const row of rows) bytesToBuffers(row)
      return { rows }
    }
    return { rows: [], numAffectedRows: BigInt(prepared.statement.run(parameters).changes) }
  }

  async #runPatiently(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    const deadline = performance.now() + PATIENCE_MS
    for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 40)) {
      await sleep(pauseMs)
      try {
        return this.#runOnce(sql, parameters)
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw asStorageError(error, sql)
      }
    }
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.#db.prepare(sql)
    const prepared = {
      statement: statement as unknown as Statement,
      reader: statement.reader,
      places: countPlaces(sql),
    }
    // A statement prepared before a change of tables keeps the old columns.
    if (/^\s*(create|alter|drop)/i.test(sql)) this.#statements.clear()
    else this.#statements.set(sql, prepared)
    if (this.#statements.size > MAX_STATEMENTS) this.#forgetOldest()
    return prepared
  }

  #forgetOldest(): void {
    for (const oldest of this.#statements.keys()) {
      this.#statements.delete(oldest)
      return
    }
  }
}

/** What changes nothing. */
const READS = /^\s*(?:select|pragma)\b/i

interface Prepared {
  statement: Statement
  reader: boolean
  places: number
}

function bytesToBuffers(row: Record<string, unknown>): void {
  for (const column in row) {
    const value = row[column]
    if (value instanceof ArrayBuffer) row[column] = Buffer.from(value)
  }
}

interface Turnstile {
  enter(): Promise<void>
  leave(): void
}

/** First come, first served; a wait without end (a transaction that waits for itself) becomes an error. */
function createTurnstile(): Turnstile {
  let taken = false
  const waiting: (() => void)[] = []
  return {
    enter: () => {
      if (!taken) {
        taken = true
        return Promise.resolve()
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(go), 1)
          reject(
            unavailable(new Error('waited too long for the connection: a transaction uses verbs from outside of it?')),
          )
        }, PATIENCE_MS)
        const go = (): void => {
          clearTimeout(timer)
          resolve()
        }
        waiting.push(go)
      })
    },
    leave: () => {
      const next = waiting.shift()
      if (next === undefined) taken = false
      else next()
    },
  }
}
