import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { sql } from 'kysely'

import { isStorageError } from '../errors.ts'
import { connectDatabase, openDatabase, type Database } from '../metadata/database.ts'
import { createGroupCommit } from '../metadata/group-commit.ts'
import { SCHEMA_VERSION, migrate, schemaState } from '../metadata/migrate.ts'
import type { Schema } from '../metadata/schema.ts'
import { codeIs } from './support/codes.ts'
import { freshSqlite, onBothDatabases } from './support/databases.ts'
import { memoryLog } from './support/job-desk.ts'
import { describeWithPostgresql, startPostgresql, type PostgresqlServer } from './support/postgresql-server.ts'

const log = memoryLog()

onBothDatabases('the database', (fresh) => {
  let config: Awaited<ReturnType<typeof fresh>>
  let database: Database

  before(async function () {
    this.timeout(30_000)
    config = await fresh()
    database = await openDatabase(config, log)
  })
  after(() => database.close())

  const put = (key: string, value: unknown) =>
    database.kysely
      .insertInto('setting')
      .values({ key, value: value as string })
      .execute()

  for (const [what, value] of [
    ['true', true],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['text with a NUL', 'a\0b'],
    ['an object', { toString: () => 'x' }],
    ['a date', new Date(0)],
    ['an integer beyond 64 bits', 2n ** 63n],
  ] as const) {
    it(`refuses to bind ${what}, and lives`, async () => {
      await assert.rejects(put('k', value), codeIs('storage/bad-value'))
      const where = database.kysely
        .selectFrom('setting')
        .select('key')
        .where('value', '=', value as string)
      await assert.rejects(where.execute(), codeIs('storage/bad-value'))
      await database.ping()
    })
  }

  it('refuses more or fewer parameters than places', async () => {
    const text = database.kind === 'sqlite' ? 'select ? as a' : 'select $1::text as a'
    const query = (parameters: unknown[]) =>
      database.kysely.executeQuery({ ...sql.raw(text).compile(database.kysely), parameters })
    assert.equal((await query(['x'])).rows.length, 1)
    await assert.rejects(query(['x', 'y']))
    await assert.rejects(query([]))
    await database.ping()
  })

  it('gives back bytes as buffers, large integers as numbers, and text as it was', async () => {
    const bytes = Buffer.from([0, 1, 255, 0])
    const row = { id: 'a', kind: 'x', name: 'Ünïcode 𝄞 "quoted" \'single\' ? -- x' }
    await database.kysely
      .insertInto('key_scope')
      .values({ id: 'system', wrapped_key: bytes.subarray(1), master_key_id: row.name, destroyed_at: 2 ** 53 - 1 })
      .execute()
    const stored = await database.kysely.selectFrom('key_scope').selectAll().executeTakeFirstOrThrow()
    assert.ok(Buffer.isBuffer(stored.wrapped_key))
    assert.deepEqual(stored.wrapped_key, bytes.subarray(1))
    assert.equal(stored.destroyed_at, 2 ** 53 - 1)
    assert.equal(stored.master_key_id, row.name)
  })

  it('names a value that has to be unique and is taken', async () => {
    await put('twice', '1')
    await assert.rejects(put('twice', '2'), codeIs('storage/already-exists'))
  })

  it('tells a missing parent from remaining children', async () => {
    const unit = { id: 'u' as Schema['unit']['id'], name: 'Bauamt', created_at: 1 }
    const room = {
      id: 'r' as Schema['room']['id'],
      name: 'R',
      name_key: 'r',
      level: 'SB2',
      state: 'open',
      created_at: 1,
    }
    const insert = () =>
      database.kysely
        .insertInto('room')
        .values({ ...room, unit_id: unit.id } as never)
        .execute()
    await assert.rejects(insert(), codeIs('storage/not-found'))
    await database.kysely.insertInto('unit').values(unit).execute()
    await insert()
    await assert.rejects(
      database.kysely.deleteFrom('unit').where('id', '=', unit.id).execute(),
      codeIs('storage/in-use'),
    )
  })

  it('undoes a transaction that fails, and forgets what was to follow its commit', async () => {
    const followed: string[] = []
    const failing = database.transaction(async (db) => {
      await db.insertInto('setting').values({ key: 'undone', value: '1' }).execute()
      database.afterCommit(db, () => followed.push('undone'))
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    await database.transaction(async (db) => {
      database.afterCommit(db, () => followed.push('done'))
      const row = await db.selectFrom('setting').select('key').where('key', '=', 'undone').executeTakeFirst()
      assert.equal(row, undefined)
      assert.deepEqual(followed, [])
    })
    assert.deepEqual(followed, ['done'])
  })

  it('lets 20 transactions that read and write the same row lose nothing', async () => {
    await put('counter', '0')
    const increments = Array.from({ length: 20 }, () =>
      database.transaction(async (db) => {
        const increase = sql<string>`cast(cast(value as integer) + 1 as text)`
        await db.updateTable('setting').set({ value: increase }).where('key', '=', 'counter').execute()
      }),
    )
    await Promise.all(increments)
    const row = await database.kysely
      .selectFrom('setting')
      .select('value')
      .where('key', '=', 'counter')
      .executeTakeFirst()
    assert.equal(row?.value, '20')
  })

  it('runs a transaction again that lost a deadlock', async function () {
    this.timeout(20_000)
    await put('left', '0')
    await put('right', '0')
    const bump = async (keys: string[]) =>
      database.transaction(async (db) => {
        for (const key of keys) {
          await db
            .updateTable('setting')
            .set({ value: sql<string>`value || 'x'` })
            .where('key', '=', key)
            .execute()
          await sql`select count(*) from setting`.execute(db)
        }
      })
    await Promise.all([bump(['left', 'right']), bump(['right', 'left'])])
    const rows = await database.kysely
      .selectFrom('setting')
      .select('value')
      .where('key', 'in', ['left', 'right'])
      .execute()
    assert.deepEqual(
      rows.map((row) => row.value),
      ['0xx', '0xx'],
    )
  })

  it('keeps each of many transactions at once whole or not at all, whatever becomes of its neighbours', async function () {
    this.timeout(20_000)
    const followed: number[] = []
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, n) =>
        database.transaction(async (db) => {
          database.afterCommit(db, () => followed.push(n))
          for (const half of ['a', 'b']) {
            await db
              .insertInto('setting')
              .values({ key: `many ${n} ${half}`, value: '1' })
              .execute()
            if (n % 7 === 3 && half === 'a') throw new Error(`no ${n}`)
            // a statement of the database itself that fails
            if (n % 7 === 5)
              await db
                .insertInto('setting')
                .values({ key: `many ${n} ${half}`, value: '2' })
                .execute()
          }
          return n
        }),
      ),
    )
    const good = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    assert.deepEqual(
      good,
      Array.from({ length: 60 }, (_, n) => n).filter((n) => n % 7 !== 3 && n % 7 !== 5),
    )
    assert.deepEqual(
      [...followed].sort((a, b) => a - b),
      good,
    )
    const rows = await database.kysely.selectFrom('setting').select('key').where('key', 'like', 'many %').execute()
    assert.deepEqual(new Set(rows.map((row) => row.key)), new Set(good.flatMap((n) => [`many ${n} a`, `many ${n} b`])))
  })

  it('is brought up to date once by several programs that start at once', async function () {
    this.timeout(20_000)
    const shared = await fresh()
    const opened = await Promise.all([1, 2, 3, 4].map(() => openDatabase(shared, log)))
    const versions = await opened[0]?.kysely.selectFrom('schema_version').select('version').execute()
    assert.deepEqual(
      versions?.map((row) => row.version),
      Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1),
    )
    await Promise.all(opened.map((each) => each.close()))
  })

  it('says which schema it has, before and after', async () => {
    const bare = connectDatabase(await fresh(), log)
    assert.deepEqual(await schemaState(bare), { current: 0, newest: SCHEMA_VERSION })
    assert.deepEqual(
      await migrate(bare, log),
      Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1),
    )
    assert.deepEqual(await migrate(bare, log), [])
    assert.deepEqual(await schemaState(bare), { current: SCHEMA_VERSION, newest: SCHEMA_VERSION })
    await bare.close()
  })

  it('is refused when a newer program wrote it, and left as it is', async () => {
    const theirs = await fresh()
    const newer = await openDatabase(theirs, log)
    await newer.kysely
      .insertInto('schema_version')
      .values({ version: SCHEMA_VERSION + 1, applied_at: 1 })
      .execute()
    await newer.close()
    await assert.rejects(openDatabase(theirs, log), codeIs('storage/schema-newer'))
    const bare = connectDatabase(theirs, log)
    assert.deepEqual(await schemaState(bare), { current: SCHEMA_VERSION + 1, newest: SCHEMA_VERSION })
    await bare.close()
  })
})

describe('SQLite', () => {
  it('is set up as the flushing beside it needs: WAL, synchronous NORMAL, foreign keys on', async () => {
    const database = await openDatabase(freshSqlite(), log)
    const pragma = async (name: string) =>
      Object.values(
        (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(database.kysely)).rows[0] ?? {},
      )[0]
    assert.equal(await pragma('journal_mode'), 'wal')
    assert.equal(await pragma('synchronous'), 1)
    assert.equal(await pragma('foreign_keys'), 1)
    assert.ok(Number(await pragma('busy_timeout')) > 0)
    await database.close()
  })

  it('waits without blocking while another connection holds the lock', async () => {
    const config = freshSqlite()
    const [one, two] = [await openDatabase(config, log), await openDatabase(config, log)]
    const order: string[] = []
    let letGo = (): void => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    const first = one.transaction(async (db) => {
      await db.insertInto('setting').values({ key: 'a', value: '1' }).execute()
      await held
      order.push('first')
    })
    const second = two.transaction(async (db) => {
      const rows = await db.selectFrom('setting').select('value').where('key', '=', 'a').execute()
      order.push(`second sees ${rows[0]?.value ?? 'nothing'}`)
    })
    setTimeout(letGo, 60)
    await Promise.all([first, second])
    assert.deepEqual(order, ['first', 'second sees 1'])
    await Promise.all([one.close(), two.close()])
  })

  it('flushes once for several transactions that wait for each other', async () => {
    const config = freshSqlite()
    const database = await openDatabase(config, log)
    const path = config.kind === 'sqlite' ? config.path : ''
    // sqlite.org/fileformat2.html §4.1: header of 32 bytes, then a frame of 24 bytes and a page for each page written
    const pages = () => (statSync(`${path}-wal`).size - 32) / (24 + 4096)
    await database.kysely.insertInto('setting').values({ key: 'k', value: 'new' }).execute()
    const before = pages()
    const writes = Array.from({ length: 20 }, (_, n) =>
      database.transaction((db) =>
        db
          .updateTable('setting')
          .set({ value: String(n) })
          .where('key', '=', 'k')
          .execute(),
      ),
    )
    await Promise.all(writes)
    assert.equal(pages() - before, 1, 'one transaction that writes one page')
    await database.close()
  })

  it('answers with an error when a transaction begins another one and waits for it', async () => {
    const database = await openDatabase(freshSqlite(), log)
    const grouped = createGroupCommit(
      (work) => database.kysely.transaction().execute(work),
      () => database.settled(),
      50,
    )
    const nested = grouped.run(() => grouped.run(() => Promise.resolve()))
    await assert.rejects(nested, codeIs('storage/database-unavailable'))
    assert.equal(await grouped.run(() => Promise.resolve('next')), 'next')
    await database.close()
  })

  it('keeps nothing of a transaction that is over, however long its patience was', async () => {
    const database = await openDatabase(freshSqlite(), log)
    const run = async (): Promise<WeakRef<Buffer>> => {
      const body = Buffer.alloc(100)
      await database.transaction(() => Promise.resolve(body.length))
      return new WeakRef(body)
    }
    const bodies = await Promise.all([run(), run(), run()])
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    await nextTurn()
    collect()
    assert.deepEqual(
      bodies.map((body) => body.deref()),
      [undefined, undefined, undefined],
    )
    await database.close()
  })

  it('says that the disk is full, keeps what was acknowledged, and goes on when there is room again', async () => {
    const database = await openDatabase(freshSqlite(), log)
    const pragma = (text: string) => sql.raw<Record<string, number>>(`pragma ${text}`).execute(database.kysely)
    const put = (key: string, value: string) =>
      database.transaction((db) => db.insertInto('setting').values({ key, value }).execute())
    await put('before', '1')
    const pages = Object.values((await pragma('page_count')).rows[0] ?? {})[0] ?? 0
    await pragma(`max_page_count = ${pages}`)
    const crowd = await Promise.allSettled(['a', 'b', 'c'].map((key) => put(key, 'x'.repeat(100_000))))
    for (const outcome of crowd) {
      const full = outcome.status === 'rejected' && isStorageError(outcome.reason, 'storage/disk-full')
      assert.ok(full)
    }
    // whoever does not give up after that must not go on outside of the transaction, which is gone
    const stubborn = database.transaction(async (db) => {
      await db
        .insertInto('setting')
        .values({ key: 'd', value: 'x'.repeat(100_000) })
        .execute()
        .catch(() => undefined)
      await db.insertInto('setting').values({ key: 'e', value: '1' }).execute()
    })
    await assert.rejects(stubborn, codeIs('storage/disk-full'))
    await pragma('max_page_count = 1000000')
    await put('after', 'x'.repeat(100_000))
    const rows = await database.kysely.selectFrom('setting').select('key').orderBy('key').execute()
    assert.deepEqual(
      rows.map((row) => row.key),
      ['after', 'before'],
    )
    await database.close()
  })

  it('is unavailable, not a crash, where the file cannot be', async () => {
    const config = { kind: 'sqlite', path: '/proc/no/such/folder/amtsbote.db' } as const
    await assert.rejects(openDatabase(config, log), codeIs('storage/database-unavailable'))
  })

  it('is unavailable when the file is not a database', async () => {
    const config = { kind: 'sqlite', path: new URL(import.meta.url).pathname } as const
    await assert.rejects(openDatabase(config, log), codeIs('storage/database-unavailable'))
  })

  it('ends the whole process on a boolean without the guard: the reason why it is there', () => {
    const program = `const D=require('libsql');const d=new D(':memory:');d.prepare('select ? as a').all([true]);console.log('alive')`
    const run = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
    assert.notEqual(run.status, 0)
    assert.doesNotMatch(run.stdout, /alive/)
  })
})

describeWithPostgresql('PostgreSQL that goes away', () => {
  let server: PostgresqlServer
  before(async function () {
    this.timeout(60_000)
    server = await startPostgresql()
  })
  after(() => server.stop())

  it('is unavailable meanwhile, also in the middle of a transaction, and works again when it is back', async function () {
    this.timeout(60_000)
    const url = await server.createDatabase()
    const database = await openDatabase({ kind: 'postgresql', url }, log)
    const unavailable = codeIs('storage/database-unavailable')
    const cut = database.transaction(async (db) => {
      await db.insertInto('setting').values({ key: 'lost', value: '1' }).execute()
      await server.stop()
      await db.insertInto('setting').values({ key: 'lost too', value: '1' }).execute()
    })
    await assert.rejects(cut, unavailable)
    await assert.rejects(database.ping(), unavailable)
    await assert.rejects(
      database.transaction(() => Promise.resolve()),
      unavailable,
    )
    await server.start()
    await database.ping()
    const rows = await database.kysely.selectFrom('setting').select('key').execute()
    assert.deepEqual(rows, [])
    await database.close()
  })
})
