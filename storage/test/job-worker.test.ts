import assert from 'node:assert/strict'

import type { JobHandler, JobHandlers, JobOutcome } from '../jobs/job.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { createWorker } from '../jobs/worker.ts'
import type { Worker, WorkerDeps } from '../jobs/worker.ts'
import { StorageError } from '../errors.ts'
import type { JobId } from '../ids.ts'
import { openDatabase } from '../metadata/database.ts'
import type { Database } from '../metadata/database.ts'
import { LEASE, MINUTE, jobDesk, memoryLog } from './support/job-desk.ts'
import type { JobDesk } from './support/job-desk.ts'
import { settle, until } from './support/until.ts'

const DONE: JobOutcome = { kind: 'done' }
const done: JobHandler = () => Promise.resolve(DONE)

/** A queue that is worked by the test. */
function handQueue(): JobQueue & { wakes: { id: string; at: Date }[]; wakeUp: () => Promise<void>; stopped: boolean } {
  let onWake: () => Promise<void> = () => Promise.resolve()
  const queue = {
    wakes: [] as { id: string; at: Date }[],
    stopped: false,
    wake: (id: string, at: Date) => {
      queue.wakes.push({ id, at })
    },
    start: (listener: () => Promise<void>) => {
      onWake = listener
      return Promise.resolve()
    },
    stop: () => {
      queue.stopped = true
      return Promise.resolve()
    },
    wakeUp: () => onWake(),
  }
  return queue
}

describe('the worker', function () {
  this.timeout(30_000)
  let database: Database
  let desk: JobDesk
  let queue: ReturnType<typeof handQueue>
  let workers: Worker[]

  beforeEach(async () => {
    database = await openDatabase({ kind: 'sqlite', path: ':memory:' }, memoryLog())
    desk = jobDesk(database)
    queue = handQueue()
    workers = []
  })
  afterEach(async () => {
    for (const worker of workers) await worker.stop()
    await database.close()
  })

  function hire(handlers: JobHandlers, change: Partial<WorkerDeps> = {}): Worker {
    const worker = createWorker({ claims: desk.claims, queue, handlers, clock: desk.clock, log: desk.log, ...change })
    workers.push(worker)
    return worker
  }
  const add = (subject: string): ReturnType<typeof desk.jobs.add> => desk.jobs.add({ kind: 'deliver', subject })
  const messages = (): string[] => desk.log.lines.map(({ message }) => message)

  describe('asked to run what is due', () => {
    it('runs it, and what becomes due by that, and no more', async () => {
      const ran: string[] = []
      const worker = hire({
        deliver: async (job) => {
          ran.push(job.subject)
          if (job.subject === 'a') await add('c')
          return job.subject === 'b' && job.attempts === 1 ? { kind: 'again', at: desk.clock() } : DONE
        },
      })
      await add('a')
      await add('b')
      await desk.jobs.add({ kind: 'deliver', subject: 'later', due: new Date(desk.clock().getTime() + 1) })
      assert.equal(await worker.runDue(), 4)
      assert.deepEqual(ran.toSorted(), ['a', 'b', 'b', 'c'])
      assert.equal(await worker.runDue(), 0)
    })

    it('leaves kinds that nobody handles to others', async () => {
      await add('a')
      assert.equal(await hire({ erase: done }).runDue(), 0)
      assert.equal((await desk.jobs.list()).items[0]?.attempts, 0)
    })

    it('runs no more at once than it has places', async () => {
      let [running, most] = [0, 0]
      const worker = hire(
        {
          deliver: async () => {
            most = Math.max(most, ++running)
            await settle(1)
            running--
            return DONE
          },
        },
        { options: { concurrency: 3 } },
      )
      for (let i = 0; i < 12; i++) await add(`m${i}`)
      assert.equal(await worker.runDue(), 12)
      assert.equal(most, 3)
    })

    it('tells a handler which try this is and until when its claim holds', async () => {
      await add('a')
      const seen: unknown[] = []
      const worker = hire({
        deliver: ({ attempts, failures, leaseUntil }) => {
          seen.push([attempts, failures, leaseUntil.getTime() - desk.clock().getTime()])
          return Promise.resolve({ kind: 'failed', reason: 'x' })
        },
      })
      await worker.runDue()
      desk.clock.turn(MINUTE)
      await worker.runDue()
      assert.deepEqual(seen, [[1, 0, LEASE], [2, 1, LEASE]]) // prettier-ignore
    })

    it('says so when the database is away', async () => {
      const worker = hire({ deliver: done }, { claims: { ...desk.claims, claim: away } })
      await assert.rejects(worker.runDue(), { code: 'storage/database-unavailable' })
    })
  })

  describe('a handler that', () => {
    it('throws has failed with the code of its error, and its text is nowhere', async () => {
      const id = await add('a')
      await hire({
        deliver: () => Promise.reject(new StorageError('storage/object-absent', 'Geheimnis.pdf of Erika')),
      }).runDue()
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.lastError, job.failures, job.state], ['storage/object-absent', 1, 'ready'])
      assert(!JSON.stringify(desk.log.lines).includes('Geheimnis'))
    })

    it('throws at once, or throws what is no error, has failed too', async () => {
      const thrown: unknown[] = [new TypeError('x'), 'text', undefined]
      for (const what of thrown) await desk.jobs.add({ kind: 'deliver', subject: String(thrown.indexOf(what)) })
      await hire({
        deliver: (job) => {
          throw thrown[Number(job.subject)]
        },
      }).runDue()
      const reasons = (await desk.jobs.list()).items.map(({ subject, lastError }) => [subject, lastError])
      assert.deepEqual(Object.fromEntries(reasons), { 0: 'TypeError', 1: 'not-an-error', 2: 'not-an-error' })
    })

    it('takes too long is told to stop and has failed', async () => {
      const id = await add('a')
      const worker = hire({ deliver: untilAborted }, { options: { handlerTimeoutMs: 20 } })
      await worker.runDue()
      assert.equal((await desk.jobs.byId(id)).lastError, 'handler-timeout')
    })

    it('does not stop when it is told to is left to its lease, and blocks nobody', async () => {
      const id = await add('a')
      let release = (): void => undefined
      const worker = hire(
        { deliver: () => new Promise((resolve) => (release = () => { resolve(DONE) })) }, // prettier-ignore
        { options: { handlerTimeoutMs: 20, graceMs: 20 } },
      )
      assert.equal(await worker.runDue(), 1)
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.state, job.failures, job.attempts], ['running', 0, 1])
      release()
      await settle(20)
      assert.equal((await desk.jobs.byId(id)).state, 'running')
    })

    it('keeps its claim for longer than a lease', async () => {
      const id = await add('a')
      let release = (): void => undefined
      const handler: JobHandler = () => new Promise((resolve) => (release = () => { resolve(DONE) })) // prettier-ignore
      const worker = hire({ deliver: handler }, { options: { leaseMs: MINUTE, renewMs: 5 } })
      const ran = worker.runDue()
      const ends = async (): Promise<number> => ((await desk.jobs.byId(id)).due ?? new Date(0)).getTime()
      await until(async () => (await desk.jobs.byId(id)).state === 'running')
      for (let round = 0; round < 3; round++) {
        desk.clock.turn(MINUTE / 2)
        await until(async () => (await ends()) === desk.clock().getTime() + MINUTE)
        assert.deepEqual(await desk.claim(), [])
      }
      release()
      assert.equal(await ran, 1)
      assert.deepEqual((await desk.jobs.list()).items, [])
    })

    it('is told to stop once another claim was made, or the job was dropped', async () => {
      for (const lose of [
        () => desk.claim(),
        async (id: JobId) => desk.jobs.drop(id, { kind: 'operator', name: 'test' }),
      ]) {
        const id = await add('a')
        const reasons: unknown[] = []
        const handler: JobHandler = async (_job, signal) => {
          await new Promise((resolve) => { signal.addEventListener('abort', resolve) }) // prettier-ignore
          reasons.push((signal.reason as Error).message)
          return DONE
        }
        let isLost = (): void => undefined
        const lost = new Promise<void>((resolve) => (isLost = resolve))
        const renew: typeof desk.claims.renew = (...args) => lost.then(() => desk.claims.renew(...args))
        const change = { claims: { ...desk.claims, renew }, options: { leaseMs: 1, renewMs: 5, concurrency: 1 } }
        const ran = hire({ deliver: handler }, change).runDue()
        await until(async () => (await desk.jobs.byId(id)).state === 'running')
        desk.clock.turn(MINUTE)
        await lose(id)
        isLost()
        await ran
        assert.deepEqual(reasons, ['lease-lost'])
      }
    })

    it('ends after its claim was taken over changes nothing', async () => {
      const id = await add('a')
      const worker = hire({
        deliver: async () => {
          desk.clock.turn(LEASE)
          await desk.claim()
          return DONE
        },
      })
      assert.equal(await worker.runDue(), 1)
      assert.equal((await desk.jobs.byId(id)).attempts, 2)
      assert(messages().some((message) => message.includes('too late')))
    })
  })

  describe('once started', () => {
    it('looks at once, and at every wake-up', async () => {
      const ran: string[] = []
      await add('before')
      await hire({
        deliver: (job) => {
          ran.push(job.subject)
          return Promise.resolve(DONE)
        },
      }).start()
      await until(() => ran.length === 1)
      await add('after')
      await queue.wakeUp()
      await until(() => ran.length === 2)
      assert.deepEqual(ran, ['before', 'after'])
    })

    it('looks by itself when nobody wakes it', async () => {
      let ran = 0
      await hire(
        {
          deliver: () => {
            ran++
            return Promise.resolve(DONE)
          },
        },
        { options: { sweepMs: 30 } },
      ).start()
      await settle(20)
      await add('a')
      await until(() => ran === 1)
    })

    it('looks when the next job it knows of becomes due', async () => {
      const clock = Object.assign(() => new Date(), { turn: () => undefined })
      desk = jobDesk(database, clock)
      let ran = 0
      await desk.jobs.add({ kind: 'deliver', subject: 'a', due: new Date(Date.now() + 60) })
      await hire({
        deliver: () => {
          ran++
          return Promise.resolve(DONE)
        },
      }).start()
      await until(() => ran === 1)
    })

    it('does not overlook what becomes due while it looks', async () => {
      let ran = 0
      await desk.jobs.add({ kind: 'deliver', subject: 'a', due: new Date(desk.clock().getTime() + MINUTE) })
      const claim: typeof desk.claims.claim = async (request) => {
        const claimed = await desk.claims.claim(request)
        if (ran === 0) desk.clock.turn(MINUTE)
        return claimed
      }
      const handlers: JobHandlers = { deliver: () => { ran++; return Promise.resolve(DONE) } } // prettier-ignore
      await hire(handlers, { claims: { ...desk.claims, claim } }).start()
      await until(() => ran === 1)
    })

    it('is not woken again while all its places are taken', async () => {
      let release = (): void => undefined
      let passed = false
      await hire(
        { deliver: () => new Promise((resolve) => (release = () => { resolve(DONE) })) }, // prettier-ignore
        { options: { concurrency: 1 } },
      ).start()
      await add('a')
      const woken = queue.wakeUp().then(() => (passed = true))
      await settle(50)
      assert.equal(passed, false)
      release()
      await woken
    })

    it('asks the queue to wake somebody when a job is due again', async () => {
      const id = await add('a')
      const at = new Date(desk.clock().getTime() + MINUTE)
      await hire({ deliver: () => Promise.resolve({ kind: 'again', at }) }).start()
      await until(() => queue.wakes.length === 1)
      assert.deepEqual(queue.wakes, [{ id, at }])
    })

    it('keeps looking after the database was away', async () => {
      let [failures, ran] = [0, 0]
      const claims = {
        ...desk.claims,
        claim: (request: Parameters<typeof desk.claims.claim>[0]) =>
          failures++ < 1 ? away() : desk.claims.claim(request),
      }
      await add('a')
      await hire(
        {
          deliver: () => {
            ran++
            return Promise.resolve(DONE)
          },
        },
        { claims },
      ).start()
      await until(() => ran === 1)
      assert(messages().includes('looking for jobs failed'))
    })

    it('keeps an outcome until the database takes it, and does not run the step again', async () => {
      let [failures, ran] = [0, 0]
      const record: typeof desk.claims.record = (job, outcome) =>
        failures++ < 2 ? away() : desk.claims.record(job, outcome)
      await add('a')
      await hire(
        {
          deliver: () => {
            ran++
            return Promise.resolve(DONE)
          },
        },
        { claims: { ...desk.claims, record } },
      ).runDue()
      assert.deepEqual((await desk.jobs.list()).items, [])
      assert.equal(ran, 1)
    })

    it('gives an outcome up when its lease ends before the database is back', async () => {
      await add('a')
      const worker = hire(
        {
          deliver: () => {
            desk.clock.turn(LEASE)
            return Promise.resolve(DONE)
          },
        },
        { claims: { ...desk.claims, record: away, claim: once((request) => desk.claims.claim(request)) } },
      )
      assert.equal(await worker.runDue(), 1)
      assert(messages().some((message) => message.includes('left to its lease')))
    })
  })

  describe('told to stop', () => {
    it('claims nothing more, lets what runs end, then closes the queue', async () => {
      let release = (): void => undefined
      const order: string[] = []
      const worker = hire(
        {
          deliver: async () => {
            await new Promise<void>((resolve) => (release = resolve))
            order.push(`ended, queue ${queue.stopped ? 'closed' : 'open'}`)
            return DONE
          },
        },
        { options: { concurrency: 1 } },
      )
      await add('running')
      await add('waiting')
      await worker.start()
      await settle(30)
      const stopped = worker.stop()
      await settle(30)
      release()
      await stopped
      assert.deepEqual(order, ['ended, queue open'])
      assert.equal(queue.stopped, true)
      assert.deepEqual(
        (await desk.jobs.list()).items.map(({ subject, attempts }) => [subject, attempts]),
        [['waiting', 0]],
      )
    })

    it('tells what does not end to stop, and puts it back as due at once', async () => {
      const id = await add('a')
      const worker = hire({ deliver: untilAborted }, { options: { stopMs: 20 } })
      await worker.start()
      await settle(30)
      await worker.stop()
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.state, job.due, job.failures], ['ready', desk.clock(), 0])
    })

    it('leaves what does not obey to its lease, and ends all the same', async () => {
      const id = await add('a')
      const worker = hire({ deliver: () => new Promise(() => undefined) }, { options: { stopMs: 20, graceMs: 20 } })
      await worker.start()
      await settle(30)
      await worker.stop()
      assert.equal((await desk.jobs.byId(id)).state, 'running')
    })

    it('does nothing the second time, nor before it was started', async () => {
      const worker = hire({ deliver: done })
      await worker.stop()
      await worker.stop()
      await worker.start()
      await add('a')
      await queue.wakeUp()
      assert.equal(await worker.runDue(), 0)
    })
  })
})

function away(): Promise<never> {
  return Promise.reject(new StorageError('storage/database-unavailable', 'the database is away'))
}

/** The first call goes through; the next find nothing. */
function once<A, R>(call: (argument: A) => Promise<R[]>): (argument: A) => Promise<R[]> {
  let calls = 0
  return (argument) => (calls++ === 0 ? call(argument) : Promise.resolve([]))
}

const untilAborted: JobHandler = (_job, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('told to stop'))
    })
  })
