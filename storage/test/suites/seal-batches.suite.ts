/** Batches of seals as rows: the same on every database. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

import { newId } from '../../ids.ts'
import type { FileId, RoomId } from '../../ids.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import { codeIs } from '../support/codes.ts'
import { OPERATOR, openHouse, type House } from '../support/databases.ts'

export function sealBatchesSuite(fresh: () => Promise<DatabaseConfig>): void {
  let storage: House['storage']
  let room: RoomId
  let files: FileId[]
  let number = 0

  before(async function () {
    this.timeout(60_000)
    storage = (await openHouse(await fresh())).storage
  })
  after(() => storage.close())
  beforeEach(async () => {
    room = (await storage.rooms.create({ name: `Bescheide ${++number}`, level: 'SB2' }, OPERATOR)).id
    files = []
    for (let i = 0; i < 3; i++) files.push(await addFile(`Bescheid ${i}.pdf`))
  })

  async function addFile(fileName: string): Promise<FileId> {
    const content = await storage.contents.put(room, Buffer.from(fileName))
    return storage.transact(async (rows) => {
      await content.commit(rows.db)
      return rows.files.create(
        { roomId: room, name: fileName, contentId: content.contentId, state: 'released' },
        OPERATOR,
      )
    })
  }

  const begin = () =>
    storage.sealBatches.create(
      { roomId: room, items: files.map((fileId) => ({ fileId, version: 1 })), wishes: { level: 'B-B' } },
      OPERATOR,
    )

  it('keeps the wishes, counts its files, and comes with a job', async () => {
    const id = await begin()
    const batch = await storage.sealBatches.byId(id)
    assert.deepEqual([batch.total, batch.sealed, batch.failed, batch.state], [3, 0, 0, 'running'])
    assert.deepEqual(batch.wishes, { level: 'B-B' })
    const jobs = await storage.jobs.list({ kind: 'seal-batch', subject: id })
    assert.equal(jobs.items.length, 1)
  })

  it('takes each file as sealed or failed once', async () => {
    const id = await begin()
    await storage.sealBatches.itemSealed(id, 0, 2)
    await storage.sealBatches.itemFailed(id, 1, 'signing/not-a-pdf')
    await assert.rejects(storage.sealBatches.itemSealed(id, 0, 3), codeIs('storage/wrong-state'))
    await assert.rejects(storage.sealBatches.itemSealed(id, 1, 2), codeIs('storage/wrong-state'))
    const batch = await storage.sealBatches.byId(id)
    assert.deepEqual([batch.sealed, batch.failed], [1, 1])
    const waiting = await storage.sealBatches.items(id, { limit: 10, state: 'waiting' })
    assert.deepEqual(
      waiting.map(({ position }) => position),
      [2],
    )
  })

  it('undoes the seal of a file when its transaction is undone', async () => {
    const id = await begin()
    const undone = storage.transact(async (rows) => {
      await rows.sealBatches.itemSealed(id, 0, 2)
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    assert.equal((await storage.sealBatches.byId(id)).sealed, 0)
  })

  it('seals nothing more once it is cancelled, and ends once', async () => {
    const id = await begin()
    await storage.sealBatches.cancel(id, OPERATOR)
    await assert.rejects(storage.sealBatches.itemSealed(id, 0, 2), codeIs('storage/wrong-state'))
    await assert.rejects(storage.sealBatches.cancel(id, OPERATOR), codeIs('storage/wrong-state'))
    await assert.rejects(storage.sealBatches.finish(id, newId(randomBytes), OPERATOR), codeIs('storage/wrong-state'))
  })

  it('refuses no files, and the same file twice', async () => {
    const all = files.map((fileId) => ({ fileId, version: 1 }))
    for (const items of [[], [...all, ...all]]) {
      await assert.rejects(
        storage.sealBatches.create({ roomId: room, items, wishes: {} }, OPERATOR),
        codeIs('storage/bad-value'),
      )
    }
  })

  it('lists the batches of a room, newest first', async () => {
    const id = await begin()
    const listed = await storage.sealBatches.ofRoom(room)
    assert.deepEqual(
      listed.map((batch) => batch.id),
      [id],
    )
  })
}
