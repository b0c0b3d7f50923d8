import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { bullmqQueue } from '../jobs/bullmq-queue.ts'
import { inProcessQueue } from '../jobs/in-process-queue.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { createWorker } from '../jobs/worker.ts'
import { openDatabase } from '../metadata/database.ts'
import { jobQueueSuite } from './suites/job-queue.suite.ts'
import { jobDesk, memoryLog } from './support/job-desk.ts'
import { describeWithRedis, freePort, sharedRedis, startRedis } from './support/redis-server.ts'
import { settle, until } from './support/until.ts'

const clock = (): Date => new Date()

describe('the in-process queue', function () {
  this.timeout(20_000)
  jobQueueSuite((log) => Promise.resolve(inProcessQueue({ clock, log })))

  it('keeps the newest time of a job', async () => {
    const queue = inProcessQueue({ clock, log: memoryLog() })
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    const id = randomUUID()
    for (const ms of [20, 30, 40]) queue.wake(id, new Date(Date.now() + ms))
    await until(() => woken > 0)
    await settle(60)
    assert.equal(woken, 1)
    await queue.stop()
  })

  it('holds a bounded number of timers', async () => {
    const queue = inProcessQueue({ clock, log: memoryLog() })
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    const later = new Date(Date.now() + 3_600_000)
    for (let i = 0; i < 1_000; i++) queue.wake(randomUUID(), later)
    queue.wake(randomUUID(), clock())
    await settle()
    assert.equal(woken, 0)
    await queue.stop()
  })
})

describeWithRedis('the BullMQ queue', function () {
  this.timeout(20_000)
  before(async function () {
    this.timeout(20_000)
    await sharedRedis()
  })

  jobQueueSuite(async (log) =>
    ready(bullmqQueue({ url: (await sharedRedis()).url, prefix: randomUUID() }, { clock, log })),
  )

  it('loses and doubles nothing when Redis forgets everything in the middle of a thousand jobs', async function () {
    this.timeout(60_000)
    const redis = await sharedRedis()
    const log = memoryLog()
    const database = await openDatabase({ kind: 'sqlite', path: ':memory:' }, log)
    const desk = jobDesk(database, Object.assign(clock, { turn: () => undefined }))
    const queue = await ready(bullmqQueue({ url: redis.url, prefix: randomUUID() }, { clock, log }))
    const done: string[] = []
    const worker = createWorker({
      ...{ claims: desk.claims, queue, clock, log, options: { concurrency: 3, sweepMs: 300 } },
      handlers: {
        deliver: async (job) => {
          done.push(job.subject)
          if (done.length % 100 === 0) assert.equal(await redis.command('FLUSHALL'), '+OK')
          return job.attempts === 1 && done.length % 7 === 0 ? { kind: 'again', at: clock() } : { kind: 'done' }
        },
      },
    })
    await worker.start()
    for (let i = 0; i < 1_000; i++) {
      await desk.jobs.add({ kind: 'deliver', subject: `m${i}` })
      const wake = desk.wakes.at(-1)
      if (wake !== undefined) queue.wake(wake.id, wake.at)
    }
    let left = 1_000
    while (left > 0) {
      await settle(20)
      left = (await desk.jobs.list({ limit: 1 })).items.length
    }
    await worker.stop()
    const times = new Map<string, number>()
    for (const subject of done) times.set(subject, (times.get(subject) ?? 0) + 1)
    assert.equal(times.size, 1_000)
    const again = [...times.values()].filter((count) => count > 1)
    assert(again.every((count) => count === 2))
    assert.equal(done.length, 1_000 + again.length)
    assert(desk.log.lines.every(({ message }) => !message.includes('too late')))
    await database.close()
  })

  it('lets an idle process have what a busy one cannot take', async () => {
    const config = { url: (await sharedRedis()).url, prefix: randomUUID() }
    const [busy, idle] = await Promise.all([0, 1].map(() => ready(bullmqQueue(config, { clock, log: memoryLog() }))))
    assert(busy !== undefined && idle !== undefined)
    let [taken, passed] = [0, 0]
    let release = (): void => undefined
    await busy.start(() => {
      taken++
      return new Promise((resolve) => {
        release = resolve
      })
    })
    busy.wake(randomUUID(), clock())
    await until(() => taken === 1)
    await idle.start(() => {
      passed++
      return Promise.resolve()
    })
    for (let i = 0; i < 20; i++) busy.wake(randomUUID(), clock())
    await until(() => passed === 20)
    assert.equal(taken, 1)
    release()
    await Promise.all([busy.stop(), idle.stop()])
  })

  it('works on when Redis vanishes and comes back; wake-ups meanwhile are logged and forgotten', async function () {
    this.timeout(60_000)
    const redis = await startRedis()
    const log = memoryLog()
    const queue = await ready(bullmqQueue({ url: redis.url, prefix: randomUUID() }, { clock, log }))
    let woken = 0
    await queue.start(() => {
      woken++
      return Promise.resolve()
    })
    queue.wake(randomUUID(), clock())
    await until(() => woken === 1)
    await redis.stop()
    for (let i = 0; i < 50; i++) queue.wake(randomUUID(), clock())
    await until(() => log.lines.length > 0)
    assert.deepEqual(new Set(log.lines.map(({ level }) => level)), new Set(['warn']))
    await redis.start()
    while (woken < 2) {
      queue.wake(randomUUID(), clock())
      await settle(50)
    }
    await queue.stop()
    await redis.stop()
  })

  it('starts, wakes and stops where there is no Redis, and logs it once, without the password', async function () {
    this.timeout(20_000)
    const log = memoryLog()
    const url = `redis://user:geheim@127.0.0.1:${await freePort()}/0`
    const queue = bullmqQueue({ url, prefix: 'x' }, { clock, log })
    await queue.start(() => Promise.resolve())
    for (let i = 0; i < 100; i++) queue.wake(randomUUID(), clock())
    await settle()
    await queue.stop()
    assert.equal(log.lines.length, 1)
    assert(!JSON.stringify(log.lines).includes('geheim'))
  })
})

/** The producer connects in the background; a wake-up before that is forgotten, which most tests do not want to see. */
async function ready(queue: JobQueue): Promise<JobQueue> {
  await settle(100)
  return queue
}
