import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import type { ContentId } from '../ids.ts'
import { filesystemObjects } from '../objects/filesystem.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { s3Objects } from '../objects/s3.ts'
import { byteHouse, OPERATOR, type ByteHouse } from './support/byte-house.ts'
import { codeIs } from './support/codes.ts'
import { faultyObjects } from './support/faulty-objects.ts'
import { s3Bucket } from './support/s3-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { withS3 } from './support/with-s3.ts'

const MIB = 1024 * 1024
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const pieces = (bytes: Buffer, size: number) =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
  )

function contentsSuite(openStore: () => Promise<ObjectStore>, large: number): void {
  let house: ByteHouse
  let store: ObjectStore
  before(async () => {
    store = await openStore()
    house = await byteHouse({ objects: store })
  })
  after(async () => {
    await house.close()
    await store.close()
  })

  const put = async (bytes: Buffer, source: AsyncIterable<Uint8Array> | Uint8Array = bytes): Promise<ContentId> => {
    const stored = await house.contents.put(house.roomId, source)
    assert.equal(stored.size, bytes.length)
    assert.equal(stored.sha256, sha256(bytes))
    await house.database.transaction((db) => stored.commit(db))
    return stored.contentId
  }

  for (const size of [0, 1, 65_536, 65_537, MIB, MIB + 1, large]) {
    it(`give back ${size} bytes, put at once or in pieces`, async () => {
      const bytes = randomBytes(size)
      assert.ok((await house.plaintext(await put(bytes))).equals(bytes))
      const opened = await house.contents.open(await put(bytes, pieces(bytes, 100_001)))
      assert.equal(opened.size, size)
      assert.equal(opened.sha256, sha256(bytes))
      assert.ok(Buffer.concat(await opened.stream.toArray()).equals(bytes))
    })
  }

  it('give back any range, and refuse those that are none', async () => {
    const bytes = randomBytes(large)
    const id = await put(bytes, pieces(bytes, MIB))
    const edges = [0, 1, 65_535, 65_536, 65_537, MIB - 1, MIB, large - 1, large]
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        const { stream } = await house.contents.open(id, { start, end })
        assert.ok(Buffer.concat(await stream.toArray()).equals(bytes.subarray(start, end)), `${start}-${end}`)
      }
    }
    for (const [start, end] of [
      [-1, 5],
      [5, 4],
      [0, large + 1],
      [NaN, 5],
    ] as const) {
      await assert.rejects(house.contents.open(id, { start, end }), codeIs('storage/bad-value'))
    }
  })

  it('can be read at random', async () => {
    const bytes = randomBytes(large)
    const access = await house.contents.randomAccess(await put(bytes, pieces(bytes, MIB)))
    assert.equal(access.size, large)
    for (const at of [large - 10, 0, 65_530, MIB]) {
      assert.ok((await access.read(at, 20)).equals(bytes.subarray(at, at + 20)))
    }
    assert.equal((await access.read(large + 5, 10)).length, 0)
    await access.close()
  })

  it('leave nothing behind when they are discarded, too large, or their source fails', async () => {
    const before = await house.stored()
    const small = await house.contents.put(house.roomId, Buffer.from('x'))
    await small.discard()
    const bytes = randomBytes(large)
    await (await house.contents.put(house.roomId, pieces(bytes, MIB))).discard()
    const limits = { maxBytes: large - 1 }
    await assert.rejects(house.contents.put(house.roomId, pieces(bytes, MIB), limits), codeIs('storage/size-exceeded'))
    const shortLimit = house.contents.put(house.roomId, Buffer.from('xy'), { maxBytes: 1 })
    await assert.rejects(shortLimit, codeIs('storage/size-exceeded'))
    async function* failing() {
      yield bytes.subarray(0, large - 5)
      await Promise.resolve()
      throw new Error('source failed')
    }
    await assert.rejects(house.contents.put(house.roomId, failing()), /source failed/)
    assert.deepEqual((await house.stored()).sort(), before.sort())
  })

  it('do not exist before they are committed', async () => {
    const stored = await house.contents.put(house.roomId, Buffer.from('x'))
    await assert.rejects(house.contents.open(stored.contentId), codeIs('storage/not-found'))
    await stored.discard()
  })

  it('are erased: first unreadable, then gone', async () => {
    const before = await house.stored()
    const bytes = randomBytes(large)
    const stored = await house.contents.put(house.roomId, pieces(bytes, MIB))
    const fileId = await house.database.transaction(async (db) => {
      await stored.commit(db)
      return house
        .rowsIn(db)
        .files.create({ contentId: stored.contentId, roomId: house.roomId, name: 'x', state: 'released' }, OPERATOR)
    })
    await house.rows.files.erase(fileId, OPERATOR)
    await assert.rejects(house.contents.open(stored.contentId), codeIs('storage/key-destroyed'))
    const { items } = await house.rows.jobs.list({ kind: 'erase', subject: stored.contentId })
    assert.equal(items.length, 1)
    const [job] = items
    assert.ok(job)
    const claimed = { ...job, leaseUntil: new Date(0) }
    const signal = new AbortController().signal
    assert.deepEqual(await house.jobHandlers.erase(claimed, signal), { kind: 'done' })
    assert.deepEqual(await house.jobHandlers.erase(claimed, signal), { kind: 'done' })
    assert.deepEqual((await house.stored()).sort(), before.sort())
  })
}

describe('contents on the filesystem', () => {
  contentsSuite(() => filesystemObjects({ root: join(temporaryFolder(), 'objects') }), 3 * MIB + 321)
})

withS3('contents on S3', () => {
  contentsSuite(async () => s3Objects(await s3Bucket()), 9 * MIB + 321)
})

describe('contents', () => {
  const setup = async () => {
    const house = await byteHouse()
    const bytes = randomBytes(3 * MIB)
    const stored = await house.contents.put(house.roomId, pieces(bytes, MIB))
    await house.database.transaction((db) => stored.commit(db))
    const root = join(house.folder, 'objects')
    const [name] = (await readdir(root, { recursive: true })).filter((path) => path.length > 30)
    return { house, bytes, id: stored.contentId, path: join(root, name ?? '') }
  }

  it('never hand out a byte of a damaged chunk', async () => {
    const { house, bytes, id, path } = await setup()
    const sealed = await readFile(path)
    for (const chunk of [0, 20, 47]) {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(chunk * 65_564 + 5000) ^ 1, chunk * 65_564 + 5000)
      await writeFile(path, altered)
      const { stream } = await house.contents.open(id)
      const got: Buffer[] = []
      const reading = (async () => {
        for await (const piece of stream) got.push(piece as Buffer)
      })()
      await assert.rejects(reading, codeIs('storage/object-damaged'))
      const before = Buffer.concat(got)
      assert.ok(before.length <= chunk * 65_536)
      assert.ok(before.equals(bytes.subarray(0, before.length)))
    }
    await house.close()
  })

  it('tell damaged, absent and destroyed apart', async () => {
    const { house, id, path } = await setup()
    const read = async () => house.plaintext(id)
    await truncate(path, 1000)
    await assert.rejects(read(), codeIs('storage/object-damaged'))
    await unlink(path)
    await assert.rejects(read(), codeIs('storage/object-absent'))
    const report = await house.leftovers.find(house.clock())
    assert.deepEqual(
      report.missing.map(({ contentId }) => contentId),
      [id],
    )
    await house.rows.rooms.destroyKey(house.roomId, OPERATOR)
    await assert.rejects(read(), codeIs('storage/key-destroyed'))
    await house.close()
  })

  it('read only the chunks that a range touches', async () => {
    const reads: [number, number][] = []
    const inner = await filesystemObjects({ root: join(temporaryFolder(), 'objects') })
    const objects: ObjectStore = {
      ...inner,
      open: async (id) => {
        const reader = await inner.open(id)
        const read = (position: number, into: Uint8Array) => {
          reads.push([position, into.length])
          return reader.read(position, into)
        }
        return { ...reader, read }
      },
    }
    const house = await byteHouse({ objects })
    const bytes = randomBytes(5 * MIB)
    const stored = await house.contents.put(house.roomId, pieces(bytes, MIB))
    await house.database.transaction((db) => stored.commit(db))
    const { stream } = await house.contents.open(stored.contentId, { start: 3 * MIB + 5, end: 3 * MIB + 65_536 })
    await stream.toArray()
    assert.deepEqual(reads, [[48 * 65_564, 65_564]])
    await house.close()
  })

  it('survive a store that is away for a moment, by failing and working again', async () => {
    const { objects, plan } = faultyObjects(await filesystemObjects({ root: join(temporaryFolder(), 'objects') }))
    const house = await byteHouse({ objects })
    const bytes = randomBytes(2 * MIB)
    Object.assign(plan, { failAt: 1, stays: true })
    await assert.rejects(house.contents.put(house.roomId, pieces(bytes, MIB)), codeIs('storage/objects-unavailable'))
    await assert.rejects(house.contents.put(house.roomId, Buffer.from('x')), codeIs('storage/objects-unavailable'))
    plan.failAt = 0
    const stored = await house.contents.put(house.roomId, pieces(bytes, MIB))
    assert.equal(stored.sha256, sha256(bytes))
    await house.close()
  })

  it('find leftovers, leave young ones and named ones alone, and remove the others', async () => {
    const house = await byteHouse()
    const kept = await house.contents.put(house.roomId, randomBytes(3 * MIB))
    await house.database.transaction((db) => kept.commit(db))
    const named = await house.stored()
    const upload = await house.uploads.begin(house.spec({ size: 100 }), OPERATOR)
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    await house.uploads.append(lease, 0, Readable.from([Buffer.from('tail')], { objectMode: false }), { maxBytes: 9 })
    await lease.release()
    const withTail = await house.stored()
    await house.contents.put(house.roomId, Buffer.from('left over'))
    assert.equal((await house.leftovers.find(new Date(0))).objects.length, 0)
    const report = await house.leftovers.find(new Date(Date.now() + 60_000))
    assert.equal(report.objects.length, 1)
    assert.equal(await house.leftovers.remove(report), 1)
    assert.deepEqual((await house.stored()).sort(), withTail.sort())
    assert.ok(named.every((name) => withTail.includes(name)))
    await house.close()
  })
})
