import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { isStorageError } from '../errors.ts'
import { openObjects } from '../objects/open.ts'
import { isDead, newHolder } from '../uploads/holder.ts'
import { byteHouse, OPERATOR, type ByteHouse } from './support/byte-house.ts'
import { codeIs } from './support/codes.ts'
import { describeWithPostgresql, sharedPostgresql } from './support/postgresql-server.ts'
import { s3Bucket } from './support/s3-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { runningClock, seededBytes, type ChildOrder } from './support/upload-child.ts'
import { withS3 } from './support/with-s3.ts'

const MIB = 1024 * 1024
const MANY = { maxBytes: Number.MAX_SAFE_INTEGER }
const once1 = (bytes: Buffer) => Readable.from([bytes], { objectMode: false })

describe('the lease of an upload', () => {
  let house: ByteHouse
  before(async () => {
    house = await byteHouse()
  })
  after(() => house.close())

  const begin = (size: number) => house.uploads.begin(house.spec({ size }), OPERATOR)
  const setRow = (id: string, values: Record<string, string | number | null>) =>
    house.database.kysely
      .updateTable('upload')
      .set(values)
      .where('id', '=', id as never)
      .execute()

  it('belongs to one at a time; the next one has to wait, and is refused when its time is over', async () => {
    const upload = await begin(10)
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    assert.equal(lease.wanted.aborted, false)
    await assert.rejects(house.uploads.acquire(upload.id, { waitMs: 20 }), codeIs('storage/upload-locked'))
    assert.equal(lease.wanted.aborted, true)
    const waiting = house.uploads.acquire(upload.id, { waitMs: 5000 })
    await lease.release()
    const next = await waiting
    await assert.rejects(house.uploads.append(lease, 0, once1(Buffer.from('x')), MANY), codeIs('storage/upload-locked'))
    await next.release()
  })

  it('is given up in the middle of a request when somebody newer comes; what arrived is kept', async () => {
    const bytes = randomBytes(3 * MIB)
    const upload = await begin(bytes.length)
    const slow = new PassThrough({ highWaterMark: 4 * MIB })
    slow.write(bytes.subarray(0, MIB + 77))
    const older = await house.uploads.acquire(upload.id, { waitMs: 0 })
    const request = house.uploads.append(older, 0, slow, MANY).finally(() => older.release())
    const displaced = assert.rejects(request, codeIs('storage/upload-locked'))
    while (slow.readableLength > 0) await pause(5)
    const newer = await house.uploads.acquire(upload.id, { waitMs: 5000 })
    await displaced
    assert.equal((await house.uploads.byTicket(upload.ticket))?.offset, MIB + 77)
    await house.uploads.append(newer, MIB + 77, once1(bytes.subarray(MIB + 77)), MANY)
    await newer.release()
    const state = await house.uploads.byTicket(upload.ticket)
    const version = await house.version(state?.fileId ?? null)
    assert.ok((await house.plaintext(version.contentId)).equals(bytes))
    assert.equal(version.state, 'released', 'its digest was not lost')
  })

  it('goes to exactly one of twenty who come at once, and one of twenty requests wins', async () => {
    const upload = await begin(100)
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, async () => {
        const lease = await house.uploads.acquire(upload.id, { waitMs: 4000 })
        try {
          return await house.uploads.append(lease, 0, once1(randomBytes(100)), MANY)
        } finally {
          await lease.release()
        }
      }),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) {
      if (result.status === 'fulfilled') continue
      const error: unknown = result.reason
      const codes = ['storage/offset-conflict', 'storage/upload-finished', 'storage/upload-locked'] as const
      assert.ok(
        codes.some((code) => isStorageError(error, code)),
        String(error),
      )
    }
  })

  it('of another host that has run out is taken over, and the last segment is left as it is', async () => {
    const bytes = randomBytes(3 * MIB)
    const upload = await begin(bytes.length)
    const first = await house.uploads.acquire(upload.id, { waitMs: 0 })
    await house.uploads.append(first, 0, once1(bytes.subarray(0, 2 * MIB + 5)), MANY)
    await first.release()
    await setRow(upload.id, { holder: 'elsewhere|1|2|3|4', held_until: house.clock().getTime() + 15_000 })
    await assert.rejects(house.uploads.acquire(upload.id, { waitMs: 0 }), codeIs('storage/upload-locked'))
    house.clock.turn(15_000)
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    await house.uploads.append(lease, 2 * MIB + 5, once1(bytes.subarray(2 * MIB + 5)), MANY)
    await lease.release()
    const state = await house.uploads.byTicket(upload.ticket)
    const { contentId } = await house.version(state?.fileId ?? null)
    const segments = await house.database.kysely
      .selectFrom('segment')
      .select(['cut', 'plain_size'])
      .where('content_id', '=', contentId)
      .orderBy('position')
      .execute()
    assert.deepEqual(
      segments.map(({ cut, plain_size }) => [cut, plain_size]),
      [
        [1, 2 * MIB],
        [0, MIB],
      ],
    )
    assert.ok((await house.plaintext(contentId)).equals(bytes))
  })

  it('that was lost in the middle writes nothing that counts', async () => {
    const bytes = randomBytes(2 * MIB)
    const upload = await begin(bytes.length)
    const late = await house.uploads.acquire(upload.id, { waitMs: 0 })
    const source = new PassThrough({ highWaterMark: 4 * MIB })
    source.write(bytes.subarray(0, 100))
    const request = house.uploads.append(late, 0, source, MANY)
    const refused = assert.rejects(request, codeIs('storage/upload-locked'))
    await setRow(upload.id, { held_until: house.clock().getTime() - 1 })
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    source.end(randomBytes(100))
    await refused
    assert.equal((await house.uploads.byTicket(upload.ticket))?.offset, 0)
    await house.uploads.append(lease, 0, once1(bytes), MANY)
    await lease.release()
    await late.release()
    const state = await house.uploads.byTicket(upload.ticket)
    const { contentId } = await house.version(state?.fileId ?? null)
    assert.ok((await house.plaintext(contentId)).equals(bytes))
  })

  it('of a dead process of this machine counts as over at once', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    const [host, boot, , , random] = newHolder(randomBytes).split('|')
    const upload = await begin(10)
    const holder = [host, boot, child.pid, '12345', random].join('|')
    await setRow(upload.id, { holder, held_until: house.clock().getTime() + 15_000 })
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    await lease.release()
  })

  it('tells living processes from dead and from strange ones', () => {
    const mine = newHolder(randomBytes)
    assert.equal(isDead(mine), false)
    const [host, boot, pid] = mine.split('|')
    assert.ok(host?.startsWith(hostname()))
    assert.equal(isDead([host, boot, pid, '1', 'x'].join('|')), true, 'the number was given to another process')
    assert.equal(isDead([host, 'an earlier boot', pid, '1', 'x'].join('|')), true)
    assert.equal(isDead(['other', boot, '999999', '1', 'x'].join('|')), false)
    assert.equal(isDead(''), false)
  })
})

describeWithPostgresql('two processes on one PostgreSQL', () => {
  withS3('and one bucket', () => {
    it('take turns at one upload, and the file is whole', async function () {
      this.timeout(120_000)
      const url = await (await sharedPostgresql()).createDatabase()
      const folder = temporaryFolder()
      const config = { kind: 's3' as const, ...(await s3Bucket()) }
      const database = { kind: 'postgresql' as const, url }
      const objects = await openObjects(config)
      const house = await byteHouse({ folder, database, objects, clock: runningClock() })
      const size = 90 * MIB + 99
      const bytes = seededBytes(7, size)
      const upload = await house.uploads.begin(house.spec({ size }), OPERATOR)
      const order: ChildOrder = {
        folder,
        database,
        objects: config,
        ticket: upload.ticket,
        seed: 7,
        size,
        request: 20 * MIB,
      }
      const script = fileURLToPath(new URL('support/upload-child.ts', import.meta.url))
      const children = [1, 2].map(() =>
        spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(order)], {
          stdio: ['ignore', 'ignore', 'pipe'],
        }),
      )
      const ends = await Promise.all(children.map((child) => once(child, 'exit')))
      // One of them may be displaced or find the upload finished; nothing may be corrupted.
      const state = await house.uploads.byTicket(upload.ticket)
      if (state?.state === 'open') {
        const lease = await house.uploads.acquire(upload.id, { waitMs: 5000 })
        await house.uploads.append(lease, state.offset, once1(bytes.subarray(state.offset)), MANY)
        await lease.release()
      }
      assert.equal(ends.length, 2)
      const done = await house.uploads.byTicket(upload.ticket)
      assert.equal(done?.state, 'finished')
      const { contentId } = await house.version(done.fileId)
      assert.ok((await house.plaintext(contentId)).equals(bytes))
      await house.close()
      await objects.close()
    })
  })
})
