/** What outbox and claims promise, on whichever database. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import { StorageError } from '../../errors.ts'
import { parseId } from '../../ids.ts'
import type { ClaimedJob, JobKind } from '../../jobs/job.ts'
import type { Database } from '../../metadata/database.ts'
import { LEASE, MINUTE, SECOND, jobDesk } from '../support/job-desk.ts'
import type { JobDesk } from '../support/job-desk.ts'

export interface JobsBench {
  /** Opens one more session on one and the same database; closed by `close`. */
  open(): Promise<Database>
  close(): Promise<void>
}

const BY = { kind: 'operator', name: 'test' } as const
const DONE = { kind: 'done' } as const

export function jobsSuite(bench: () => Promise<JobsBench>): void {
  let house: JobsBench
  let desk: JobDesk

  beforeEach(async () => {
    house = await bench()
    desk = jobDesk(await house.open())
  })
  afterEach(() => house.close())

  async function claimOne(): Promise<ClaimedJob> {
    const [job, ...others] = await desk.claim()
    assert(job !== undefined && others.length === 0)
    return job
  }

  describe('adding', () => {
    it('exists with the row it belongs to, or not at all', async () => {
      const fault = new Error('the act failed')
      await assert.rejects(
        desk.within(async (jobs) => {
          await jobs.add({ kind: 'deliver', subject: 'm1' })
          throw fault
        }),
        fault,
      )
      assert.deepEqual((await desk.jobs.list()).items, [])
    })

    it('asks for a wake-up at the time the job is due', async () => {
      const due = new Date(desk.clock().getTime() + MINUTE)
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm1', due })
      assert.deepEqual(desk.wakes, [{ id, at: due }])
    })

    it('keeps what the handler needs', async () => {
      const payload = { attempt: 2, urgent: true, note: null, place: 'Zürich ẞ' }
      await desk.jobs.add({ kind: 'deliver', subject: 'm1', partner: 'court', payload })
      const { kind, subject, partner, payload: kept, attempts, standing } = await claimOne()
      assert.deepEqual(
        { kind, subject, partner, attempts, standing },
        {
          ...{ kind: 'deliver', subject: 'm1', partner: 'court', attempts: 1, standing: false },
        },
      )
      assert.deepEqual(kept, payload)
    })

    it('refuses a payload that is no small thing', async () => {
      const payload = { text: 'x'.repeat(5_000) }
      await assert.rejects(desk.jobs.add({ kind: 'deliver', subject: 'm1', payload }), { code: 'storage/bad-value' })
    })

    it('keeps one standing job per kind and subject, with the newest pause and its own next time', async () => {
      const ids = await Promise.all(
        [1, 2, 3].map((hours) =>
          desk.jobs.ensureStanding({ kind: 'collect', subject: 'b1', everyMs: hours * 3_600_000 }),
        ),
      )
      assert.equal(new Set(ids).size, 1)
      await desk.claims.record(await claimOne(), DONE)
      const [job] = (await desk.jobs.list()).items
      const due = job?.due
      await desk.jobs.ensureStanding({ kind: 'collect', subject: 'b1', everyMs: 60_000 })
      assert.deepEqual((await desk.jobs.list()).items[0]?.due, due)
      assert.equal(desk.wakes.length, 1)
      await desk.jobs.removeStanding('collect', 'b1')
      await desk.jobs.removeStanding('collect', 'b1')
      assert.deepEqual((await desk.jobs.list()).items, [])
    })

    it('brings a standing job forward to an earlier time, and one that runs or was put aside not', async () => {
      const now = desk.clock().getTime()
      const in_ = (minutes: number): Date => new Date(now + minutes * MINUTE)
      const ensure = (due: Date) => desk.jobs.ensureStanding({ kind: 'expire', subject: '', everyMs: 60 * MINUTE, due })
      const id = await ensure(in_(30))
      const dues: (Date | null)[] = []
      for (const due of [in_(40), in_(20), in_(0)]) {
        await ensure(due)
        dues.push((await desk.jobs.byId(id)).due)
      }
      assert.deepEqual(dues, [in_(30), in_(20), in_(0)])
      const { leaseUntil } = await claimOne()
      await ensure(in_(0))
      assert.deepEqual((await desk.jobs.byId(id)).due, leaseUntil)
      await desk.jobs.hold(id, { kind: 'operator', name: 'test' })
      await ensure(in_(0))
      assert.equal((await desk.jobs.byId(id)).state, 'held')
    })

    it('refuses a standing job without a pause', async () => {
      for (const everyMs of [0, 999, NaN, 1.5, Infinity])
        await assert.rejects(desk.jobs.ensureStanding({ kind: 'expire', subject: '', everyMs }), {
          code: 'storage/bad-value',
        })
    })

    it('keeps one-off jobs of the same subject apart', async () => {
      for (let i = 0; i < 3; i++) await desk.jobs.add({ kind: 'erase', subject: 'c1' })
      assert.equal((await desk.claim()).length, 3)
    })
  })

  describe('claiming', () => {
    it('gives what is due, longest waiting first, and nothing before its time', async () => {
      const now = desk.clock().getTime()
      for (const [subject, offset] of [
        ['late', 1],
        ['now', 0],
        ['old', -MINUTE],
      ] as const)
        await desk.jobs.add({ kind: 'erase', subject, due: new Date(now + offset) })
      assert.deepEqual(
        (await desk.claim({ limit: 1 })).map((job) => job.subject),
        ['old'],
      )
      assert.deepEqual(
        (await desk.claim()).map((job) => job.subject),
        ['now'],
      )
      assert.deepEqual(await desk.claim(), [])
      desk.clock.turn(1)
      assert.equal((await claimOne()).subject, 'late')
    })

    it('leaves alone what the caller has no handler for', async () => {
      await desk.jobs.add({ kind: 'deliver', subject: 'm1' })
      assert.deepEqual(await desk.claim({ kinds: ['erase', 'expire'] }), [])
      assert.deepEqual(await desk.claim({ kinds: [] }), [])
      assert.deepEqual(await desk.claim({ limit: 0 }), [])
      assert.equal((await desk.claim({ kinds: ['deliver'] })).length, 1)
    })

    it('gives each job to one of eight racing sessions', async () => {
      const total = 400
      await desk.within(async (jobs) => {
        for (let i = 0; i < total; i++) await jobs.add({ kind: 'erase', subject: `c${i}` })
      })
      const desks = await Promise.all(Array.from({ length: 8 }, async () => jobDesk(await house.open(), desk.clock)))
      const claimed = await Promise.all(
        desks.map(async (each) => {
          const mine: string[] = []
          for (;;) {
            const jobs = await each.claim({ limit: 7 })
            if (jobs.length === 0) return mine
            mine.push(...jobs.map((job) => job.id))
          }
        }),
      )
      assert.equal(claimed.flat().length, total)
      assert.equal(new Set(claimed.flat()).size, total)
    })

    it('gives a job again when its runner is lost, once its lease is over', async () => {
      await desk.jobs.add({ kind: 'deliver', subject: 'm1' })
      const lost = await claimOne()
      assert.deepEqual(lost.leaseUntil, new Date(desk.clock().getTime() + LEASE))
      desk.clock.turn(LEASE - 1)
      assert.deepEqual(await desk.claim(), [])
      desk.clock.turn(1)
      const again = await claimOne()
      assert.deepEqual([again.id, again.attempts], [lost.id, 2])
    })

    it('lasts as long as it is renewed, by the newest claim alone', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const first = await claimOne()
      desk.clock.turn(LEASE - MINUTE)
      const until = new Date(desk.clock().getTime() + LEASE)
      assert.deepEqual(await desk.claims.renew(first, LEASE), until)
      desk.clock.turn(LEASE - MINUTE)
      assert.deepEqual(await desk.claim(), [])
      desk.clock.turn(MINUTE)
      const second = await claimOne()
      assert.equal(await desk.claims.renew(first, LEASE), null)
      await desk.claims.record(second, { kind: 'failed', reason: 'x' })
      const { due } = await desk.jobs.byId(id)
      assert.equal(await desk.claims.renew(second, LEASE), null)
      assert.deepEqual((await desk.jobs.byId(id)).due, due)
    })

    it('knows when the next thing becomes due', async () => {
      const kinds: JobKind[] = ['deliver', 'erase']
      const now = desk.clock().getTime()
      assert.equal(await desk.claims.nextDue(kinds, desk.clock()), null)
      assert.equal(await desk.claims.nextDue([], desk.clock()), null)
      await desk.jobs.add({ kind: 'collect', subject: 'b', due: new Date(now + SECOND) })
      await desk.jobs.add({ kind: 'deliver', subject: 'a', due: new Date(now + MINUTE) })
      assert.deepEqual(await desk.claims.nextDue(kinds, desk.clock()), new Date(now + MINUTE))
      await desk.jobs.add({ kind: 'erase', subject: 'c' })
      await desk.claim({ kinds, leaseMs: 30 * SECOND })
      assert.deepEqual(await desk.claims.nextDue(kinds, desk.clock()), new Date(now + 30 * SECOND))
    })
  })

  describe('partners', () => {
    const rule = (concurrency: number, gapMs = 0) => ({ partnerRule: () => ({ concurrency, gapMs }) })
    const add = async (partner: string, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await desk.jobs.add({ kind: 'deliver', subject: `${partner}${i}`, partner })
    }

    it('are called by no more jobs at once than their rule says, and by the next when one ends', async () => {
      await add('court', 5)
      const [first, second, ...more] = await desk.claim(rule(2))
      assert(first !== undefined && second !== undefined && more.length === 0)
      assert.deepEqual(await desk.claim(rule(2)), [])
      await desk.claims.record(first, DONE)
      assert.equal((await desk.claim(rule(2))).length, 1)
    })

    it('do not hold up each other, nor jobs without a partner', async () => {
      await add('court', 3)
      await add('city', 3)
      await desk.jobs.add({ kind: 'erase', subject: 'c' })
      const claimed = await desk.claim(rule(1))
      assert.deepEqual(claimed.map(({ partner }) => partner).sort(), ['city', 'court', null])
    })

    it('do not take more than the caller has room for', async () => {
      await add('court', 3)
      await add('city', 3)
      assert.equal((await desk.claim({ ...rule(3), limit: 4 })).length, 4)
    })

    it('are given their pause between two calls, and the pause is what is waited for', async () => {
      await add('court', 3)
      const paused = rule(5, 10 * SECOND)
      assert.equal((await desk.claim(paused)).length, 1)
      assert.deepEqual(await desk.claim(paused), [])
      assert.deepEqual(
        await desk.claims.nextDue(['deliver'], desk.clock()),
        new Date(desk.clock().getTime() + 10 * SECOND),
      )
      desk.clock.turn(10 * SECOND)
      assert.equal((await desk.claim(paused)).length, 1)
    })

    it('are not held back by a runner that is lost', async () => {
      await add('court', 1)
      await desk.claim(rule(1))
      desk.clock.turn(LEASE)
      assert.equal((await desk.claim(rule(1))).length, 1)
    })

    it('are held to their rule over all sessions that race', async () => {
      await add('court', 40)
      const desks = await Promise.all(Array.from({ length: 6 }, async () => jobDesk(await house.open(), desk.clock)))
      let finished = 0
      while (finished < 40) {
        const claimed = (await Promise.all(desks.map((each) => each.claim(rule(3))))).flat()
        assert(claimed.length >= 1 && claimed.length <= 3, `${claimed.length} at once`)
        for (const job of claimed) await desk.claims.record(job, DONE)
        finished += claimed.length
      }
      assert.equal(finished, 40)
    })
  })

  describe('an outcome', () => {
    it('takes a one-off job away and puts a standing one back', async () => {
      await desk.jobs.add({ kind: 'erase', subject: 'c' })
      assert.deepEqual(await desk.claims.record(await claimOne(), DONE), { kind: 'recorded', due: null })
      await desk.jobs.ensureStanding({ kind: 'expire', subject: '', everyMs: 10 * MINUTE })
      const job = await claimOne()
      desk.clock.turn(MINUTE)
      const due = new Date(desk.clock().getTime() + 10 * MINUTE)
      assert.deepEqual(await desk.claims.record(job, DONE), { kind: 'recorded', due })
      const [left, ...others] = (await desk.jobs.list()).items
      assert.deepEqual(others, [])
      assert.deepEqual([left?.state, left?.due, left?.standing, left?.attempts], ['ready', due, true, 1])
    })

    it('«again» comes back at its time and forgets failures', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      await desk.claims.record(await claimOne(), { kind: 'failed', reason: 'mailbox/unreachable' })
      desk.clock.turn(MINUTE)
      const at = new Date(desk.clock().getTime() + 5 * SECOND)
      await desk.claims.record(await claimOne(), { kind: 'again', at })
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.due, job.failures, job.lastError, job.state], [at, 0, null, 'ready'])
    })

    it('«failed» comes back after growing pauses: 10 s, doubled, at most an hour', async () => {
      await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const pauses: number[] = []
      for (let i = 0; i < 12; i++) {
        const recorded = await desk.claims.record(await claimOne(), { kind: 'failed', reason: 'x' })
        assert(recorded.kind === 'recorded' && recorded.due !== null)
        const pauseMs = recorded.due.getTime() - desk.clock().getTime()
        pauses.push(pauseMs / SECOND)
        desk.clock.turn(pauseMs)
      }
      assert.deepEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600])
    })

    it('«failed» with a time comes back at that time', async () => {
      const id = await desk.jobs.ensureStanding({ kind: 'collect', subject: 'b', everyMs: MINUTE })
      const at = new Date(desk.clock().getTime() + 600 * MINUTE)
      await desk.claims.record(await claimOne(), { kind: 'failed', reason: 'DE:signature AT:unreachable', at })
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.due, job.failures, job.lastError], [at, 1, 'DE:signature AT:unreachable'])
    })

    it('«failed» a hundred times is given up and shown; a standing job never is', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const standing = await desk.jobs.ensureStanding({ kind: 'collect', subject: 'b', everyMs: MINUTE })
      for (let i = 0; i < 100; i++) {
        for (const job of await desk.claim())
          await desk.claims.record(job, { kind: 'failed', reason: 'mailbox/rejected' })
        desk.clock.turn(61 * MINUTE)
      }
      const job = await desk.jobs.byId(id)
      assert.deepEqual([job.state, job.due, job.lastError, job.failures], ['failed', null, 'mailbox/rejected', 100])
      assert.deepEqual(
        (await desk.claim()).map(({ id: claimed }) => claimed),
        [standing],
      )
    })

    it('shows a code of the failure and never a text', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      await desk.claims.record(await claimOne(), { kind: 'failed', reason: 'Müller GmbH "Angebot.pdf" <a@b>' })
      assert.equal((await desk.jobs.byId(id)).lastError, 'unreadable-reason')
    })

    it('of a claim that is no longer the newest is dropped', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const late = await claimOne()
      desk.clock.turn(LEASE)
      const mine = await claimOne()
      for (const outcome of [DONE, { kind: 'failed', reason: 'x' }, { kind: 'again', at: desk.clock() }] as const)
        assert.deepEqual(await desk.claims.record(late, outcome), { kind: 'lost' })
      assert.equal((await desk.jobs.byId(id)).attempts, 2)
      assert.equal((await desk.claims.record(mine, DONE)).kind, 'recorded')
      assert.deepEqual(await desk.claims.record(mine, DONE), { kind: 'lost' })
    })
  })

  describe("the operator's handle", () => {
    it('holds a job until it is retried', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      await desk.jobs.hold(id, BY)
      assert.deepEqual(await desk.claim(), [])
      const held = await desk.jobs.byId(id)
      assert.deepEqual([held.state, held.due], ['held', null])
      await desk.jobs.retry(id, BY)
      assert.equal((await claimOne()).id, id)
      assert.deepEqual(desk.wakes.at(-1), { id, at: desk.clock() })
    })

    it('holds a job that runs after its step', async () => {
      for (const outcome of [
        { kind: 'again', at: new Date(0) },
        { kind: 'failed', reason: 'x' },
      ] as const) {
        const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
        const running = await claimOne()
        await desk.jobs.hold(id, BY)
        assert.deepEqual(await desk.claims.record(running, outcome), { kind: 'recorded', due: null })
        const { state, due } = await desk.jobs.byId(id)
        assert.deepEqual([state, due], ['held', null])
        assert.deepEqual(await desk.claim(), [])
      }
    })

    it('holds a standing job after its step', async () => {
      const id = await desk.jobs.ensureStanding({ kind: 'collect', subject: 'b', everyMs: MINUTE })
      const running = await claimOne()
      await desk.jobs.hold(id, BY)
      assert.deepEqual(await desk.claims.record(running, DONE), { kind: 'recorded', due: null })
      assert.equal((await desk.jobs.byId(id)).state, 'held')
    })

    it('lets a held job that runs be done with', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const running = await claimOne()
      await desk.jobs.hold(id, BY)
      await desk.claims.record(running, DONE)
      await assert.rejects(desk.jobs.byId(id), { code: 'storage/not-found' })
    })

    it('keeps a held job whose runner is lost', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      await claimOne()
      await desk.jobs.hold(id, BY)
      desk.clock.turn(LEASE)
      assert.deepEqual(await desk.claim(), [])
      await desk.jobs.retry(id, BY)
      assert.equal((await claimOne()).attempts, 2)
    })

    it('does not retry what runs right now', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      await claimOne()
      await assert.rejects(desk.jobs.retry(id, BY), { code: 'storage/in-use' })
      assert.equal((await desk.jobs.byId(id)).state, 'running')
    })

    it('gives a job that was given up a new start', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      for (let i = 0; i < 100; i++) {
        await desk.claims.record(await claimOne(), { kind: 'failed', reason: 'x' })
        desk.clock.turn(61 * MINUTE)
      }
      await desk.jobs.retry(id, BY)
      const again = await claimOne()
      assert.deepEqual([again.failures, again.attempts], [0, 101])
    })

    it('drops a job; the outcome of one that runs is ignored', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm' })
      const running = await claimOne()
      await desk.jobs.drop(id, BY)
      assert.deepEqual(await desk.claims.record(running, { kind: 'again', at: desk.clock() }), { kind: 'lost' })
      assert.deepEqual((await desk.jobs.list()).items, [])
    })

    it('writes what was done and by whom into the audit log', async () => {
      const id = await desk.jobs.add({ kind: 'deliver', subject: 'm7' })
      await desk.jobs.hold(id, BY)
      await desk.jobs.retry(id, BY)
      await desk.jobs.drop(id, BY)
      assert.deepEqual(desk.audited, [
        { action: 'job.held', subject: id, by: BY, detail: { kind: 'deliver' } },
        { action: 'job.retried', subject: id, by: BY, detail: { kind: 'deliver' } },
        { action: 'job.dropped', subject: id, by: BY, detail: { kind: 'deliver', about: 'm7' } },
      ])
    })

    it('says by its code that there is no such job', async () => {
      const nobody = parseId('job', randomUUID())
      for (const act of ['hold', 'retry', 'drop'] as const)
        await assert.rejects(desk.jobs[act](nobody, BY), { code: 'storage/not-found' })
      await assert.rejects(desk.jobs.byId(nobody), { code: 'storage/not-found' })
      assert.deepEqual(desk.audited, [])
    })
  })

  describe('the list', () => {
    it('shows every job once, oldest first, page by page', async () => {
      const ids: string[] = []
      for (let i = 0; i < 25; i++) {
        ids.push(await desk.jobs.add({ kind: 'erase', subject: `c${i}` }))
        if (i % 3 === 0) desk.clock.turn(1)
      }
      const seen: string[] = []
      let after: string | null = null
      do {
        const page = await desk.jobs.list({ after, limit: 4 })
        seen.push(...page.items.map(({ id }) => id))
        after = page.next
      } while (after !== null)
      assert.deepEqual(seen.toSorted(), ids.toSorted())
      const ages = seen.map((id) => Math.ceil(ids.indexOf(id) / 3))
      assert.deepEqual(
        ages,
        ages.toSorted((a, b) => a - b),
      )
    })

    it('is narrowed by kind, subject and state', async () => {
      const add = (kind: JobKind, subject: string): Promise<string> => desk.jobs.add({ kind, subject })
      const [a, b] = [await add('erase', 'c1'), await add('erase', 'c2')]
      const c = parseId('job', await add('deliver', 'c1'))
      await desk.jobs.hold(c, BY)
      await desk.claim({ limit: 1 })
      const ids = async (filter: Parameters<typeof desk.jobs.list>[0]): Promise<string[]> =>
        (await desk.jobs.list(filter)).items.map(({ id }) => id).sort()
      assert.deepEqual(await ids({ kind: 'erase' }), [a, b].sort())
      assert.deepEqual(await ids({ subject: 'c1' }), [a, c].sort())
      assert.deepEqual(await ids({ state: 'held' }), [c])
      assert.deepEqual([...(await ids({ state: 'running' })), ...(await ids({ state: 'ready' }))].sort(), [a, b].sort())
      assert.equal((await ids({ state: 'running' })).length, 1)
    })

    it('refuses a place that it did not give, and absurd page sizes', async () => {
      const id = randomUUID()
      for (const place of [[], [1], [1, 'x'], [-1, id], [1.5, id], ['1e3', id], [1, id, 2], [{}, id], [1, `${id}\0`]]) {
        const after = Buffer.from(JSON.stringify(place)).toString('base64url')
        await assert.rejects(desk.jobs.list({ after }), StorageError, JSON.stringify(place))
      }
      for (const limit of [0, -1, 1_001, 1.5, NaN])
        await assert.rejects(desk.jobs.list({ limit }), { code: 'storage/bad-value' })
    })
  })
}
