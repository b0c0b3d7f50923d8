/** What every object store keeps to; each adapter runs it. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'

import { newId, type ObjectId } from '../../ids.ts'
import type { ObjectReader, ObjectStore } from '../../objects/object-store.ts'
import { codeIs } from '../support/codes.ts'

const id = () => newId<ObjectId>(randomBytes)

async function read(reader: ObjectReader, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  await reader.read(position, bytes)
  return bytes
}

/** @param open gives a store that nobody else uses; it is closed here */
export function objectStoreSuite(open: () => Promise<ObjectStore>): void {
  let store: ObjectStore
  before(async () => {
    store = await open()
  })
  after(() => store.close())

  const readAll = async (object: ObjectId): Promise<Buffer> => {
    const reader = await store.open(object)
    try {
      return await read(reader, 0, reader.size)
    } finally {
      await reader.close()
    }
  }

  it('gives back what was put, whole and in ranges', async () => {
    const object = id()
    const bytes = randomBytes(100_000)
    await store.put(object, bytes)
    assert.deepEqual(await readAll(object), bytes)
    const reader = await store.open(object)
    assert.deepEqual(await read(reader, 99_990, 10), bytes.subarray(99_990))
    assert.deepEqual(await read(reader, 1, 3), bytes.subarray(1, 4))
    assert.equal((await read(reader, 5, 0)).length, 0)
    await reader.close()
    assert.equal(await store.size(object), 100_000)
  })

  it('takes an object of no bytes', async () => {
    const object = id()
    await store.put(object, Buffer.alloc(0))
    assert.equal(await store.size(object), 0)
  })

  it('takes bytes in shared memory', async () => {
    const object = id()
    const shared = Buffer.from(new SharedArrayBuffer(70_000))
    randomBytes(70_000).copy(shared)
    await store.put(object, shared)
    assert.ok((await readAll(object)).equals(shared))
  })

  it('says that an object is absent, before, after and beyond', async () => {
    const object = id()
    await assert.rejects(store.open(object), codeIs('storage/object-absent'))
    assert.equal(await store.size(object), null)
    await store.put(object, Buffer.from('x'))
    const reader = await store.open(object)
    await assert.rejects(read(reader, 0, 2), codeIs('storage/object-damaged'))
    await reader.close()
    await store.delete(object)
    await store.delete(object)
    await assert.rejects(store.open(object), codeIs('storage/object-absent'))
  })

  const PART = 5 * 1024 * 1024
  const parts = [randomBytes(PART), randomBytes(PART), randomBytes(1000)]

  const send = async (
    object: ObjectId,
    order: number[],
  ): Promise<{ handle: string; receipts: string[]; bytes: number }> => {
    const writer = await store.openParts(object, null)
    const receipts: (string | null)[] = []
    await Promise.all(
      order.map(async (i) => {
        const bytes = parts[i] ?? Buffer.alloc(0)
        const sha256 = createHash('sha256').update(bytes).digest('hex')
        receipts[i] = await writer.putPart(i + 1, i * PART, { bytes, sha256 })
      }),
    )
    await writer.flush()
    await writer.close()
    const bytes = order.reduce((sum, i) => sum + (parts[i]?.length ?? 0), 0)
    return { handle: writer.handle, receipts: receipts.filter((receipt) => receipt !== null), bytes }
  }

  it('makes one object of parts that were put in any order', async () => {
    const object = id()
    const finished = await send(object, [2, 0, 1])
    assert.equal(await store.size(object), null)
    await store.complete(object, finished)
    assert.ok((await readAll(object)).equals(Buffer.concat(parts)))
  })

  it('may be asked twice to complete', async () => {
    const object = id()
    const finished = await send(object, [0, 1])
    await store.complete(object, finished)
    await store.complete(object, finished)
    assert.equal(await store.size(object), 2 * PART)
  })

  it('goes on with an object that another process began', async () => {
    const object = id()
    const first = await store.openParts(object, null)
    const one = await first.putPart(1, 0, { bytes: parts[0] ?? Buffer.alloc(0) })
    await first.flush()
    await first.close()
    const second = await store.openParts(object, first.handle)
    const two = await second.putPart(2, PART, { bytes: parts[2] ?? Buffer.alloc(0) })
    await second.close()
    const receipts = [one, two].filter((receipt) => receipt !== null)
    await store.complete(object, { handle: first.handle, receipts, bytes: PART + 1000 })
    assert.ok((await readAll(object)).equals(Buffer.concat([parts[0] ?? Buffer.alloc(0), parts[2] ?? Buffer.alloc(0)])))
  })

  it('counts only the parts it is told to', async () => {
    const object = id()
    const finished = await send(object, [0, 1])
    await store.complete(object, { handle: finished.handle, receipts: finished.receipts.slice(0, 1), bytes: PART })
    // Some servers keep what lies behind; it is not counted and never read.
    assert.ok(((await store.size(object)) ?? 0) >= PART)
    const reader = await store.open(object)
    assert.ok((await read(reader, 0, PART)).equals(parts[0] ?? Buffer.alloc(0)))
    await reader.close()
  })

  it('counts the parts before a gap when later ones were put as well', async () => {
    const object = id()
    const writer = await store.openParts(object, null)
    const put = (number: number, bytes: Buffer) => writer.putPart(number, (number - 1) * PART, { bytes })
    const receipt = await put(1, parts[0] ?? Buffer.alloc(0))
    await put(3, parts[1] ?? Buffer.alloc(0))
    await put(4, parts[1] ?? Buffer.alloc(0))
    await writer.flush()
    await writer.close()
    const receipts = receipt === null ? [] : [receipt]
    await store.complete(object, { handle: writer.handle, receipts, bytes: PART })
    const reader = await store.open(object)
    assert.ok((await read(reader, 0, PART)).equals(parts[0] ?? Buffer.alloc(0)))
    await reader.close()
  })

  it('says that what was begun is gone after an abort', async () => {
    const object = id()
    const finished = await send(object, [0])
    await store.abort(object, finished.handle)
    await store.abort(object, finished.handle)
    await assert.rejects(store.openParts(object, finished.handle), codeIs('storage/object-absent'))
    await assert.rejects(store.complete(object, finished), codeIs('storage/object-absent'))
  })

  it('drops whatever was begun under an id when the handle was never learnt', async () => {
    const object = id()
    const { handle } = await send(object, [0])
    await store.abort(object, null)
    await assert.rejects(store.openParts(object, handle), codeIs('storage/object-absent'))
  })

  it('lists whole objects and unfinished ones apart', async () => {
    const [whole, begun] = [id(), id()]
    await store.put(whole, Buffer.from('abc'))
    const { handle } = await send(begun, [0])
    const objects = new Map<string, number>()
    for await (const object of store.list()) objects.set(object.id, object.size)
    const unfinished = new Map<string, string>()
    for await (const object of store.listUnfinished()) unfinished.set(object.id, object.handle)
    assert.equal(objects.get(whole), 3)
    assert.equal(objects.has(begun), false)
    assert.equal(unfinished.get(begun), handle)
    assert.equal(unfinished.has(whole), false)
    await store.abort(begun, handle)
  })
}
