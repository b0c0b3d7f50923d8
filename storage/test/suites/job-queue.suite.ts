/** What every queue promises its worker. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import type { JobQueue } from '../../jobs/queue.ts'
import { createWorker } from '../../jobs/worker.ts'
import { openDatabase } from '../../metadata/database.ts'
import type { Logger } from '../../world.ts'
import { jobDesk, memoryLog } from '../support/job-desk.ts'
import type { LogLine } from '../support/job-desk.ts'
import { settle, until } from '../support/until.ts'

/** @param open makes a queue; those of one test see each other where the adapter joins processes */
export function jobQueueSuite(open: (log: Logger) => Promise<JobQueue>): void {
  let queue: JobQueue
  let log: Logger & { lines: LogLine[] }
  const now = (): Date => new Date()
  const soon = (ms: number): Date => new Date(Date.now() + ms)

  beforeEach(async () => {
    log = memoryLog()
    queue = await open(log)
  })
  afterEach(() => queue.stop())

  it('passes a wake-up on', async () => {
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    queue.wake(randomUUID(), now())
    await until(() => woken === 1)
  })

  it('passes a wake-up on at its time, not before', async () => {
    let wokenAt = 0
    const at = soon(120)
    await queue.start(() => {
      wokenAt = Date.now()
      return Promise.resolve()
    })
    queue.wake(randomUUID(), at)
    await until(() => wokenAt > 0)
    assert(wokenAt >= at.getTime() - 2)
  })

  it('passes the next one on only when the listener is done with the one before', async () => {
    let [running, most, ended] = [0, 0, 0]
    await queue.start(async () => {
      most = Math.max(most, ++running)
      await settle(20)
      running--
      ended++
    })
    for (let i = 0; i < 5; i++) {
      queue.wake(randomUUID(), now())
      await settle(5)
    }
    await until(() => ended >= 2)
    assert.equal(most, 1)
  })

  it('goes on after a listener that fails', async () => {
    let woken = 0
    await queue.start(() => {
      woken++
      return woken === 1 ? Promise.reject(new Error('listener broke')) : Promise.resolve()
    })
    queue.wake(randomUUID(), now())
    await until(() => woken === 1)
    queue.wake(randomUUID(), now())
    await until(() => woken === 2)
  })

  it('takes a time long past and a time that is none', async () => {
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    queue.wake(randomUUID(), new Date(NaN))
    queue.wake(randomUUID(), new Date(8.64e15))
    queue.wake(randomUUID(), new Date(0))
    await until(() => woken >= 1)
  })

  it('passes nothing on after it was stopped, and may be stopped twice', async () => {
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    queue.wake(randomUUID(), soon(60))
    await queue.stop()
    await queue.stop()
    queue.wake(randomUUID(), now())
    await settle()
    assert.equal(woken, 0)
  })

  it('has a thousand jobs done, each once', async function () {
    this.timeout(60_000)
    const database = await openDatabase({ kind: 'sqlite', path: ':memory:' }, log)
    const desk = jobDesk(database, Object.assign(now, { turn: () => undefined }))
    const done: string[] = []
    const worker = createWorker({
      ...{ claims: desk.claims, queue, clock: now, log },
      handlers: {
        erase: (job) => {
          done.push(job.subject)
          return Promise.resolve({ kind: 'done' })
        },
      },
    })
    await worker.start()
    const subjects = Array.from({ length: 1_000 }, (_, i) => `c${i}`)
    for (const subject of subjects) await desk.jobs.add({ kind: 'erase', subject })
    for (const { id, at } of desk.wakes) queue.wake(id, at)
    await until(() => done.length >= 1_000)
    await worker.stop()
    assert.deepEqual(done.toSorted(), subjects.toSorted())
    assert.deepEqual((await desk.jobs.list()).items, [])
    await database.close()
  })
}
