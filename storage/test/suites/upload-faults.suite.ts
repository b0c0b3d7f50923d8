/** Uploads while the object store or the database fail at every single call in turn: the same expectations on each store. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

import { isStorageError, StorageError, type StorageErrorCode } from '../../errors.ts'
import type { Db } from '../../metadata/schema.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { BegunUpload } from '../../uploads.ts'
import { byteHouse, OPERATOR, type ByteHouse } from '../support/byte-house.ts'
import { codeIs } from '../support/codes.ts'
import { faultyObjects, type FaultPlan } from '../support/faulty-objects.ts'

const MANY = { maxBytes: Number.MAX_SAFE_INTEGER }
const FAULTS = new Set<StorageErrorCode>([
  'storage/objects-unavailable',
  'storage/database-unavailable',
  'storage/disk-full',
  'storage/upload-locked',
])

export interface Story {
  size: number
  /** where the requests end */
  cuts: number[]
  /** every so many calls one is made to fail; 1 with AMTSBOTE_PROVE */
  step: number
}

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'

export function uploadFaultsSuite(openStore: () => Promise<ObjectStore>, story: Story): void {
  const step = PROVE ? 1 : story.step
  const setup = async (): Promise<ByteHouse & { plan: FaultPlan; own(): Promise<void> }> => {
    const store = await openStore()
    const { objects, plan } = faultyObjects(store)
    const house = await byteHouse({ objects })
    return { ...house, plan, own: () => house.close().then(() => store.close()) }
  }

  /** One request as a client sends it: asks where it stands, then sends up to `cut`. */
  const request = async (house: ByteHouse, upload: BegunUpload, bytes: Buffer, cut: number): Promise<number> => {
    const state = await house.uploads.byTicket(upload.ticket)
    assert.ok(state, 'the upload is there')
    if (state.state === 'finished') return state.offset
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    try {
      const pieces: Buffer[] = []
      const end = Math.max(cut, state.offset)
      for (let at = state.offset; at < end; at += 65_536) pieces.push(bytes.subarray(at, Math.min(end, at + 65_536)))
      const source = Readable.from(pieces, { objectMode: false })
      return await house.uploads.append(lease, state.offset, source, MANY)
    } finally {
      await lease.release().catch(() => undefined)
    }
  }

  /** Plays the story with faults; every acknowledged byte must be there, and the file identical in the end. */
  const play = async (house: ByteHouse, calm: () => void): Promise<void> => {
    const bytes = randomBytes(story.size)
    const upload = await house.uploads.begin(house.spec({ size: story.size }), OPERATOR)
    let acknowledged = 0
    for (const cut of story.cuts) {
      while (acknowledged < cut) {
        try {
          acknowledged = await request(house, upload, bytes, cut)
        } catch (error) {
          assert.ok(isStorageError(error) && FAULTS.has(error.code), String(error))
          calm()
          // A lease that could not be released runs out.
          house.clock.turn(16_000)
        }
        const state = await house.uploads.byTicket(upload.ticket)
        assert.ok(state && state.offset >= acknowledged, 'nothing acknowledged is lost')
        assert.ok(state.offset <= cut, 'nothing is counted that was not sent')
        acknowledged = state.offset
      }
    }
    calm()
    const state = await house.uploads.byTicket(upload.ticket)
    assert.equal(state?.state, 'finished')
    const version = await house.version(state.fileId)
    assert.ok((await house.plaintext(version.contentId)).equals(bytes), 'the file is identical')
    if (version.state === 'released') assert.equal(version.sha256, createHash('sha256').update(bytes).digest('hex'))
  }

  for (const when of ['before', 'after'] as const) {
    it(`stay whole when the object store fails once, ${when} doing what it was asked`, async function () {
      this.timeout(PROVE ? 600_000 : 60_000)
      const house = await setup()
      for (let n = 1; ; n += step) {
        Object.assign(house.plan, { failAt: n, when, stays: false, failed: 0 })
        await play(house, () => {
          house.plan.failAt = 0
        })
        if (house.plan.failed === 0) break
      }
      await house.own()
    })
  }

  for (const [when, times] of [
    ['before', 1],
    ['after', 1],
    ['after', 2],
  ] as const) {
    it(`stay whole when the database fails ${times} times, ${when} the commit`, async function () {
      this.timeout(PROVE ? 600_000 : 60_000)
      const house = await setup()
      const { database } = house
      const transaction = database.transaction.bind(database)
      for (let n = 1; ; n += step) {
        let left = n
        const failing = async <T>(work: (db: Db) => Promise<T>): Promise<T> => {
          left--
          if (left > 0 || left <= -times) return transaction(work)
          if (when === 'after') await transaction(work)
          throw new StorageError('storage/database-unavailable', 'made to fail')
        }
        const upload = play(house, () => undefined)
        database.transaction = failing
        await upload.catch((error: unknown) => {
          // The very first transaction is `begin`: nothing was promised yet.
          if (n > 1) throw error
        })
        database.transaction = transaction
        if (left > 0) break
      }
      await house.own()
    })
  }

  it('stop where they are while the store is full, and go on when there is room', async () => {
    const house = await setup()
    const bytes = randomBytes(story.size)
    const upload = await house.uploads.begin(house.spec({ size: story.size }), OPERATOR)
    const first = story.cuts[0] ?? 0
    await request(house, upload, bytes, first)
    Object.assign(house.plan, { failAt: 1, when: 'before', stays: true, code: 'storage/disk-full' })
    await assert.rejects(request(house, upload, bytes, story.size), codeIs('storage/disk-full'))
    await assert.rejects(request(house, upload, bytes, story.size), codeIs('storage/disk-full'))
    assert.equal((await house.uploads.byTicket(upload.ticket))?.offset, first)
    Object.assign(house.plan, { failAt: 0, code: 'storage/objects-unavailable' })
    assert.equal(await request(house, upload, bytes, story.size), story.size)
    const state = await house.uploads.byTicket(upload.ticket)
    const { contentId } = await house.version(state?.fileId ?? null)
    assert.ok((await house.plaintext(contentId)).equals(bytes))
    await house.own()
  })

  it('leave nothing behind when they are cancelled after faults', async () => {
    const house = await setup()
    const before = await house.stored()
    const bytes = randomBytes(story.size)
    const upload = await house.uploads.begin(house.spec({ size: story.size }), OPERATOR)
    for (let n = 1; n < 4; n++) {
      Object.assign(house.plan, { failAt: n + 1, when: 'after', stays: false })
      await request(house, upload, bytes, story.cuts[1] ?? story.size).catch(() => undefined)
      house.plan.failAt = 0
    }
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    await house.uploads.cancel(lease, OPERATOR)
    await lease.release()
    // What only a failed writer knew of is found by the search for leftovers.
    const report = await house.leftovers.find(new Date(Date.now() + 3_600_000))
    await house.leftovers.remove(report)
    assert.deepEqual(await house.stored(), before)
    await house.own()
  })

  it('are gone when what they kept was removed behind their back', async () => {
    const house = await setup()
    const bytes = randomBytes(story.size)
    const upload = await house.uploads.begin(house.spec({ size: story.size }), OPERATOR)
    await request(house, upload, bytes, story.cuts[1] ?? 0)
    assert.ok(await house.uploads.confirm(upload.ticket))
    for await (const { id, handle } of house.objects.listUnfinished()) await house.objects.abort(id, handle)
    assert.equal(await house.uploads.confirm(upload.ticket), null)
    assert.equal(await house.uploads.byTicket(upload.ticket), null)
    await house.own()
  })

  it('say so on the next request, too, when what they kept was removed behind their back', async () => {
    const house = await setup()
    const bytes = randomBytes(story.size)
    const upload = await house.uploads.begin(house.spec({ size: story.size }), OPERATOR)
    await request(house, upload, bytes, story.cuts[1] ?? 0)
    for await (const { id, handle } of house.objects.listUnfinished()) await house.objects.abort(id, handle)
    await assert.rejects(request(house, upload, bytes, story.size), codeIs('storage/upload-gone'))
    assert.equal(await house.uploads.byTicket(upload.ticket), null)
    await house.own()
  })
}
