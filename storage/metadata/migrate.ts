/**
 * Migrations: numbered, forward only, each in the one transaction that also notes its number. Two programs that start
 * at once apply them once: SQLite by BEGIN IMMEDIATE, PostgreSQL by an advisory lock.
 */
import { sql } from 'kysely'

import { StorageError } from '../errors.ts'
import type { Logger } from '../world.ts'
import type { Database } from './connection.ts'
import type { Migration } from './migration.ts'
import { firstTables } from './migrations/0001-first-tables.ts'
import { sealBatches } from './migrations/0002-seal-batches.ts'
import type { Db } from './schema.ts'

const MIGRATIONS: readonly Migration[] = [firstTables, sealBatches]

/** The schema that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** Any number that nothing else on the server locks; "amts" in ASCII. */
const ADVISORY_LOCK = 0x616d7473

/**
 * Brings the database to the newest schema. Does nothing when it is there already.
 *
 * @returns versions that were applied now
 * @throws StorageError `storage/schema-newer` a newer program wrote the database; nothing was changed
 */
export async function migrate(database: Database, log: Logger): Promise<number[]> {
  const applied = await database.transaction(async (db) => {
    if (database.kind === 'postgresql') await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`.execute(db)
    await run(
      database,
      db,
      'create table if not exists schema_version (version integer primary key, applied_at integer not null) strict',
    )
    const current = await readVersion(db)
    refuseNewer(current)
    const pending = MIGRATIONS.filter((migration) => migration.version > current)
    for (const migration of pending) {
      for (const statement of migration.statements) await run(database, db, statement)
      await noteVersion(database, db, migration.version)
    }
    return pending.map((migration) => migration.version)
  })
  if (applied.length > 0) log.info({ versions: applied }, 'database schema brought up to date')
  return applied
}

/** What the database has and what this program would bring; changes nothing. 0 = empty database. */
export async function schemaState(database: Database): Promise<{ current: number; newest: number }> {
  const known = await hasTables(database)
  return { current: known ? await readVersion(database.kysely) : 0, newest: SCHEMA_VERSION }
}

async function hasTables({ kind, kysely }: Database): Promise<boolean> {
  const query =
    kind === 'sqlite'
      ? sql`select 1 from sqlite_master where type = 'table' and name = 'schema_version'`
      : sql`select 1 where to_regclass('schema_version') is not null`
  return (await query.execute(kysely)).rows.length > 0
}

function refuseNewer(current: number): void {
  if (current <= SCHEMA_VERSION) return
  throw new StorageError(
    'storage/schema-newer',
    `the database has schema ${current}, this program knows up to ${SCHEMA_VERSION}`,
  )
}

async function readVersion(db: Db): Promise<number> {
  const row = await db
    .selectFrom('schema_version')
    .select((eb) => eb.fn.max('version').as('version'))
    .executeTakeFirst()
  return row?.version ?? 0
}

async function noteVersion(database: Database, db: Db, version: number): Promise<void> {
  const now =
    database.kind === 'sqlite'
      ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
      : sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
  await db.insertInto('schema_version').values({ version, applied_at: now }).execute()
}

async function run(database: Database, db: Db, statement: string): Promise<void> {
  const text = database.kind === 'sqlite' ? statement : translate(statement)
  await sql.raw(text).execute(db)
}

/** SQLite's types and STRICT (sqlite.org/stricttables.html) in PostgreSQL's words. */
function translate(statement: string): string {
  return statement
    .replace(/\binteger\b/g, 'bigint')
    .replace(/\bblob\b/g, 'bytea')
    .replace(/\)\s*strict\s*$/, ')')
}
