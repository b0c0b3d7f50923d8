import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { openDatabase } from '../metadata/database.ts'
import { createGroupCommit } from '../metadata/group-commit.ts'
import { createWalFlush, walFlushOf } from '../metadata/wal-flush.ts'
import { codeIs } from './support/codes.ts'
import { freshSqlite } from './support/databases.ts'
import { memoryLog } from './support/job-desk.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const nothing = (): Promise<void> => Promise.resolve()
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))

/** A disk whose flushes end when they are told to. */
function slowDisk() {
  const flushes: { done: () => void; fail: (error: Error) => void }[] = []
  const flush = (): Promise<void> => new Promise((done, fail) => flushes.push({ done, fail }))
  return { flushes, flush }
}

describe('flushing the log of SQLite', () => {
  it('answers after the flush that began after the commit, and several commits with one flush', async () => {
    const { flushes, flush } = slowDisk()
    const log = createWalFlush(flush, nothing)
    const answered: string[] = []
    const commit = (name: string): void => {
      log.committed()
      void log.settled().then(() => answered.push(name))
    }
    commit('a')
    await turn()
    commit('b')
    commit('c')
    await turn()
    assert.deepEqual([answered, flushes.length], [[], 1])
    flushes[0]?.done()
    await turn()
    assert.deepEqual([answered, flushes.length], [['a'], 2], 'b and c came after the first flush had begun')
    flushes[1]?.done()
    await turn()
    assert.deepEqual(answered, ['a', 'b', 'c'])
    await log.settled()
    assert.equal(flushes.length, 2, 'nothing new, no flush')
  })

  it('flushes at the first look what an earlier process may have left unflushed', async () => {
    const { flushes, flush } = slowDisk()
    const looked = createWalFlush(flush, nothing).settled()
    assert.equal(flushes.length, 1)
    flushes[0]?.done()
    await looked
  })

  it('accepts nothing more after a flush that failed', async () => {
    const { flushes, flush } = slowDisk()
    const log = createWalFlush(flush, nothing)
    log.committed()
    const first = log.settled()
    flushes[0]?.fail(new Error('EIO'))
    await assert.rejects(first, codeIs('storage/database-unavailable'))
    log.committed()
    await assert.rejects(log.settled(), codeIs('storage/database-unavailable'))
    assert.throws(() => {
      log.check()
    }, codeIs('storage/database-unavailable'))
    assert.equal(flushes.length, 1)
  })

  it('answers no transaction before its flush, and lets the next one run meanwhile', async () => {
    const database = await openDatabase(freshSqlite(), memoryLog())
    const { flushes, flush } = slowDisk()
    const log = createWalFlush(flush, nothing)
    const grouped = createGroupCommit(
      async (work) => {
        await database.kysely.transaction().execute(work)
        log.committed()
      },
      () => log.settled(),
    )
    const answered: string[] = []
    const put = (key: string): Promise<unknown> =>
      grouped.run((db) => db.insertInto('setting').values({ key, value: '1' }).execute()).then(() => answered.push(key))
    const first = put('first')
    await turn()
    const second = put('second')
    await turn()
    const rows = await database.kysely.selectFrom('setting').select('key').execute()
    assert.equal(rows.length, 2, 'both are committed')
    assert.deepEqual([answered, flushes.length], [[], 1])
    flushes[0]?.done()
    await first
    await turn()
    assert.deepEqual(answered, ['first'])
    flushes[1]?.done()
    await second
    await database.close()
  })

  it('flushes the log of a real database, also through a link', async () => {
    const config = freshSqlite()
    if (config.kind !== 'sqlite') throw new TypeError('not SQLite')
    const database = await openDatabase(config, memoryLog())
    const link = join(temporaryFolder(), 'link.db')
    symlinkSync(config.path, link)
    const flush = walFlushOf(link)
    flush.committed()
    await flush.settled()
    await flush.close()
    await database.close()
  })
})
