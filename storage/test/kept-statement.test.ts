import assert from 'node:assert/strict'

import { sql } from 'kysely'

import { openDatabase, type Database } from '../metadata/database.ts'
import { insertRow, keptStatement } from '../metadata/kept-statement.ts'
import { onBothDatabases } from './support/databases.ts'
import { memoryLog } from './support/job-desk.ts'

onBothDatabases('a kept statement', (fresh) => {
  let database: Database

  before(async function () {
    this.timeout(30_000)
    database = await openDatabase(await fresh(), memoryLog())
  })
  after(() => database.close())

  it('is made once and runs with the values of each call, in a transaction and outside', async () => {
    let made = 0
    const valueOf = keptStatement((db, key: string) => {
      made++
      return db.selectFrom('setting').select('value').where('key', '=', key)
    })
    const rewrite = keptStatement((db, value: string, key: string) =>
      db.updateTable('setting').set({ value }).where('key', '=', key).where(sql.lit(1), '=', sql.lit(1)),
    )
    await insertRow(database.kysely, 'setting', { key: 'a', value: '1' })
    await database.transaction(async (db) => {
      await insertRow(db, 'setting', { key: 'b', value: '2' })
      assert.deepEqual((await valueOf(db, 'b')).rows, [{ value: '2' }])
    })
    assert.deepEqual((await valueOf(database.kysely, 'a')).rows, [{ value: '1' }])
    assert.equal((await rewrite(database.kysely, '3', 'a')).numAffectedRows, 1n)
    assert.equal((await rewrite(database.kysely, '3', 'nobody')).numAffectedRows, 0n)
    assert.deepEqual((await valueOf(database.kysely, 'a')).rows, [{ value: '3' }])
    assert.deepEqual((await valueOf(database.kysely, 'nobody')).rows, [])
    assert.equal(made, 1)
  })

  it('inserts each column under its name, in whatever order the columns are named', async () => {
    await insertRow(database.kysely, 'setting', { key: 'c', value: 'x' })
    await insertRow(database.kysely, 'setting', { value: 'y', key: 'd' })
    const rows = await database.kysely.selectFrom('setting').selectAll().where('key', 'in', ['c', 'd']).execute()
    assert.deepEqual(rows.map(({ key, value }) => `${key}${value}`).toSorted(), ['cx', 'dy'])
  })

  it('refuses a statement whose parameters are not its values in their order', () => {
    const crossed = keptStatement((db, key: string, value: string) =>
      db.updateTable('setting').set({ value }).where('key', '=', key),
    )
    assert.throws(() => crossed(database.kysely, 'k', 'v'), TypeError)
    const constant = keptStatement((db, value: string) =>
      db.updateTable('setting').set({ value }).where('key', '=', 'k'),
    )
    assert.throws(() => constant(database.kysely, 'v'), TypeError)
  })
})
