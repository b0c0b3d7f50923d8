/**
 * PostgreSQL through pg, as a Kysely dialect over a pool. A connection that breaks is thrown away; the pool makes
 * another as soon as the server is back.
 */
import type { DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import { CompiledQuery, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import pg from 'pg'

import { StorageError, isStorageError } from '../errors.ts'
import type { Logger } from '../world.ts'
import { checkBindings } from './binding.ts'
import { asStorageError } from './faults.ts'

const CONNECT_TIMEOUT_MS = 5_000
const STATEMENT_TIMEOUT_MS = 30_000
/** pg_type.oid of int8 */
const INT8 = 20

export function postgresqlDialect(url: string, maxConnections: number, log: Logger): Dialect {
  return {
    createDriver: () => postgresqlDriver(url, maxConnections, log),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  }
}

function postgresqlDriver(url: string, maxConnections: number, log: Logger): Driver {
  const pool = openPool(url, maxConnections, log)
  const raw =
    (sql: string) =>
    async (connection: DatabaseConnection): Promise<void> => {
      await connection.executeQuery(CompiledQuery.raw(sql))
    }
  return {
    init: () => Promise.resolve(),
    acquireConnection: async () => {
      try {
        return new PostgresqlConnection(await pool.connect())
      } catch (error) {
        throw asStorageError(error, '')
      }
    },
    beginTransaction: raw('begin'),
    commitTransaction: raw('commit'),
    rollbackTransaction: raw('rollback'),
    releaseConnection: (connection) => {
      if (connection instanceof PostgresqlConnection) connection.release()
      return Promise.resolve()
    },
    destroy: () => pool.end(),
  }
}

function openPool(url: string, maxConnections: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
    keepAlive: true,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  })
  // Without listeners the loss of a connection ends the process.
  pool.on('error', (error) => {
    log.warn({ fault: error.message }, 'an idle database connection was lost')
  })
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      log.debug({ fault: error.message }, 'a database connection was lost')
    })
  })
  return pool
}

/** int8 arrives as text; every integer of ours is below 2^53. */
function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === INT8 && format !== 'binary') return parseInteger
  return (pg.types.getTypeParser as (oid: number, format?: string) => unknown)(oid, format)
}

function parseInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value))
    throw new StorageError('storage/bad-value', 'an integer beyond 2^53 in the database')
  return value
}

class PostgresqlConnection implements DatabaseConnection {
  readonly #client: pg.PoolClient
  #broken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, parameters } = query
    checkBindings(parameters)
    try {
      const { rowCount, rows } = await this.#client.query<Record<string, unknown>>(sql, [...parameters])
      return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) }
    } catch (cause) {
      const error = asStorageError(cause, sql)
      if (isStorageError(error, 'storage/database-unavailable')) this.#broken = true
      throw error
    }
  }

  /** Back to the pool, or away when it broke. */
  release(): void {
    this.#client.release(this.#broken)
  }

  // eslint-disable-next-line require-yield, @typescript-eslint/require-await -- Kysely's interface asks for a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new StorageError('storage/bad-value', 'listings are paged, not streamed')
  }
}
