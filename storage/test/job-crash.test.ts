import assert from 'node:assert/strict'

import { createWorker } from '../jobs/worker.ts'
import { openDatabase } from '../metadata/database.ts'
import type { Database } from '../metadata/database.ts'
import type { Db } from '../metadata/schema.ts'
import { FAULTS, failingDatabase } from './support/failing-database.ts'
import type { Fault } from './support/failing-database.ts'
import { LEASE, MINUTE, handClock, jobDesk, memoryLog } from './support/job-desk.ts'
import type { HandClock, JobDesk } from './support/job-desk.ts'

const WORDS: Record<Fault, string> = {
  statement: 'the database is gone before a statement',
  answer: 'the answer to a statement is lost',
  commit: 'the answer to a commit is lost',
}
/** So many statements and transactions the story has at least; fewer would mean that it was not told to its end. */
const LEAST: Record<Fault, number> = { statement: 15, answer: 15, commit: 3 }

/**
 * The story: an order is noted together with a job that sends it. The handler asks outside before it sends, notes what
 * was sent, comes back once, closes the order together with a second job, and that one clears up.
 */
describe('a job story that breaks at every point in turn', function () {
  this.timeout(60_000)

  for (const fault of FAULTS)
    it(`ends whole or never began: ${WORDS[fault]}`, async () => {
      let points = 0
      for (let at = 1; ; at++) {
        const { fired } = await tellStory(fault, at)
        if (!fired) break
        points++
      }
      assert(points >= LEAST[fault], `only ${points} points were reached`)
    })
})

async function tellStory(fault: Fault, at: number): Promise<{ fired: boolean }> {
  const whole = await openDatabase({ kind: 'sqlite', path: ':memory:' }, memoryLog())
  const { database, fired } = failingDatabase(whole, fault, at)
  const clock = handClock()
  const outside: string[] = []

  const order = await ending(placeOrder(database, jobDesk(database, clock)))
  await ending(work(database, clock, outside))
  // the process is started again, with a database that answers
  clock.turn(LEASE)
  await work(whole, clock, outside)
  clock.turn(61 * MINUTE)
  await work(whole, clock, outside)

  const state = await readOrder(whole.kysely)
  const left = (await jobDesk(whole, clock).jobs.list()).items
  const where = `${fault} ${at}`
  assert.deepEqual(left, [], where)
  if (state === null) {
    assert.equal(order, 'failed', `${where}: what was acknowledged is there`)
    assert.deepEqual(outside, [], where)
  } else {
    assert.equal(state, 'cleared', where)
    assert.deepEqual(outside, ['sent'], `${where}: it left the house once`)
  }
  await whole.close()
  return { fired: fired() }
}

async function ending(act: Promise<unknown>): Promise<'done' | 'failed'> {
  return act.then(
    () => 'done',
    () => 'failed',
  )
}

async function placeOrder(database: Database, desk: JobDesk): Promise<void> {
  await desk.within(async (jobs, db) => {
    await db.insertInto('setting').values({ key: 'order', value: 'placed' }).execute()
    await jobs.add({ kind: 'deliver', subject: 'order', partner: 'court' })
  })
  await database.ping()
}

async function work(database: Database, clock: HandClock, outside: string[]): Promise<void> {
  const desk = jobDesk(database, clock)
  const worker = createWorker({
    ...{ claims: desk.claims, clock, log: memoryLog() },
    queue: { wake: () => undefined, start: () => Promise.resolve(), stop: () => Promise.resolve() },
    handlers: {
      deliver: async () => {
        const state = await readOrder(database.kysely)
        if (state === 'placed') {
          if (!outside.includes('sent')) outside.push('sent')
          await setOrder(database.kysely, 'sent')
          return { kind: 'again', at: clock() }
        }
        if (state === 'sent')
          await desk.within(async (jobs, db) => {
            await setOrder(db, 'closed')
            await jobs.add({ kind: 'erase', subject: 'order' })
          })
        return { kind: 'done' }
      },
      erase: async () => {
        await setOrder(database.kysely, 'cleared')
        return { kind: 'done' }
      },
    },
  })
  try {
    await worker.runDue()
  } finally {
    await worker.stop()
  }
}

async function readOrder(db: Db): Promise<string | null> {
  const row = await db.selectFrom('setting').select('value').where('key', '=', 'order').executeTakeFirst()
  return row?.value ?? null
}

async function setOrder(db: Db, value: string): Promise<void> {
  await db.updateTable('setting').set({ value }).where('key', '=', 'order').execute()
}
