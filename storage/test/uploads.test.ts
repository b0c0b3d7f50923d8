import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'

import { newId, type UploadId } from '../ids.ts'
import type { BegunUpload, Lease } from '../uploads.ts'
import { byteHouse, OPERATOR, type ByteHouse } from './support/byte-house.ts'
import { codeIs } from './support/codes.ts'

const MIB = 1024 * 1024
const MANY = { maxBytes: Number.MAX_SAFE_INTEGER }
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const asSource = (bytes: Buffer, piece = 65_536) => {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece))
  return Readable.from(pieces, { objectMode: false })
}
/** Gives its bytes, then breaks off as a connection does. */
const broken = (bytes: Buffer) => {
  const source = new PassThrough({ highWaterMark: bytes.length + 1 })
  source.write(bytes, () => {
    source.once('drain', () => undefined)
    setTimeout(() => source.destroy(new Error('connection lost')), 20)
  })
  return source
}

describe('uploads', () => {
  let house: ByteHouse
  before(async () => {
    house = await byteHouse()
  })
  after(() => house.close())

  const withLease = async <T>(id: UploadId, work: (lease: Lease) => Promise<T>): Promise<T> => {
    const lease = await house.uploads.acquire(id, { waitMs: 1000 })
    try {
      return await work(lease)
    } finally {
      await lease.release()
    }
  }
  const patch = (id: UploadId, offset: number, bytes: Buffer) =>
    withLease(id, (lease) => house.uploads.append(lease, offset, asSource(bytes), MANY))
  const stateOf = async (upload: BegunUpload) => {
    const state = await house.uploads.byTicket(upload.ticket)
    assert.ok(state)
    return state
  }
  const assertBecame = async (upload: BegunUpload, bytes: Buffer, hash: 'known' | 'lost' = 'known') => {
    const state = await stateOf(upload)
    assert.equal(state.state, 'finished')
    assert.equal(state.offset, bytes.length)
    const version = await house.version(state.fileId)
    assert.equal(version.size, bytes.length)
    assert.equal(version.state, hash === 'known' ? 'released' : 'held')
    assert.equal(version.sha256, hash === 'known' ? sha256(bytes) : null)
    assert.ok((await house.plaintext(version.contentId)).equals(bytes))
  }

  for (const size of [1, 65_535, 65_536, 65_537, MIB, MIB + 1, 3 * MIB, 5 * MIB + 77_777]) {
    it(`takes ${size} bytes in one request`, async () => {
      const bytes = randomBytes(size)
      const upload = await house.uploads.begin(house.spec({ size }), OPERATOR)
      assert.equal(await patch(upload.id, 0, bytes), size)
      await assertBecame(upload, bytes)
    })
  }

  it('takes an empty file', async () => {
    const upload = await house.uploads.begin(house.spec({ size: 0 }), OPERATOR)
    assert.equal(await withLease(upload.id, (lease) => house.uploads.finishIfComplete(lease)), true)
    await assertBecame(upload, Buffer.alloc(0))
  })

  it('takes a small file at once, in one object', async () => {
    const before = (await house.stored()).length
    const bytes = randomBytes(64 * 1024)
    const upload = await house.uploads.beginWhole({ ...house.spec(), size: bytes.length }, bytes, OPERATOR)
    assert.equal(upload.state.state, 'finished')
    assert.equal((await house.stored()).length, before + 1)
    await assertBecame(upload, bytes)
    const empty = await house.uploads.beginWhole({ ...house.spec(), size: 0 }, Buffer.alloc(0), OPERATOR)
    await assertBecame(empty, Buffer.alloc(0))
  })

  it('gives the memory of pieces back that belong to nobody else, also where they had to wait', async () => {
    const pieces = Array.from({ length: 200 }, (_, i) => Buffer.from(randomBytes(90_000 + i).buffer))
    const bytes = Buffer.concat(pieces)
    for (const ownsPieces of [false, true]) {
      const upload = await house.uploads.begin(house.spec({ size: bytes.length }), OPERATOR)
      const source = Readable.from(pieces, { objectMode: false })
      await withLease(upload.id, (lease) => house.uploads.append(lease, 0, source, { ...MANY, ownsPieces }))
      await assertBecame(upload, bytes)
      assert.ok(pieces.every(({ length }) => (length === 0) === ownsPieces))
    }
  })

  it('takes requests of odd sizes and pieces, and knows the offset after each', async () => {
    const bytes = randomBytes(4 * MIB + 4321)
    const upload = await house.uploads.begin(house.spec({ size: bytes.length }), OPERATOR)
    const cuts = [1, 65_536, 65_537, MIB, 2 * MIB, 3 * MIB + 1, bytes.length]
    let offset = 0
    for (const cut of cuts) {
      const source = asSource(bytes.subarray(offset, cut), 7919)
      offset = await withLease(upload.id, (lease) => house.uploads.append(lease, offset, source, MANY))
      assert.equal(offset, cut)
      assert.equal((await stateOf(upload)).offset, cut)
    }
    await assertBecame(upload, bytes)
  })

  it('takes a file byte by byte', async () => {
    const bytes = randomBytes(9)
    const upload = await house.uploads.begin(house.spec({ size: 9 }), OPERATOR)
    for (let i = 0; i < 9; i++) await patch(upload.id, i, bytes.subarray(i, i + 1))
    await assertBecame(upload, bytes)
  })

  it('leaves no tail behind', async () => {
    const alone = await byteHouse()
    const bytes = randomBytes(2 * MIB + 5)
    const upload = await alone.uploads.begin(alone.spec({ size: bytes.length }), OPERATOR)
    for (const [from, to] of [
      [0, 100],
      [100, MIB + 7],
      [MIB + 7, bytes.length],
    ] as const) {
      const lease = await alone.uploads.acquire(upload.id, { waitMs: 0 })
      await alone.uploads.append(lease, from, asSource(bytes.subarray(from, to)), MANY)
      await lease.release()
    }
    assert.equal((await alone.stored()).length, 1)
    await alone.close()
  })

  it('refuses another offset than the stored one and changes nothing', async () => {
    const upload = await house.uploads.begin(house.spec({ size: 100 }), OPERATOR)
    await patch(upload.id, 0, randomBytes(10))
    for (const offset of [0, 9, 11, 100, -1]) {
      await assert.rejects(patch(upload.id, offset, randomBytes(10)), codeIs('storage/offset-conflict'))
    }
    assert.equal((await stateOf(upload)).offset, 10)
  })

  it('refuses more bytes than declared or allowed and stays where it was', async () => {
    const upload = await house.uploads.begin(house.spec({ size: 100 }), OPERATOR)
    await patch(upload.id, 0, randomBytes(10))
    await assert.rejects(patch(upload.id, 10, randomBytes(91)), codeIs('storage/size-exceeded'))
    const bounded = withLease(upload.id, (lease) =>
      house.uploads.append(lease, 10, asSource(randomBytes(51)), { maxBytes: 50 }),
    )
    await assert.rejects(bounded, codeIs('storage/size-exceeded'))
    assert.equal((await stateOf(upload)).offset, 10)
  })

  it('keeps what arrived before the connection broke', async () => {
    const bytes = randomBytes(3 * MIB)
    const upload = await house.uploads.begin(house.spec({ size: bytes.length }), OPERATOR)
    const request = withLease(upload.id, (lease) =>
      house.uploads.append(lease, 0, broken(bytes.subarray(0, 2 * MIB + 333)), MANY),
    )
    await assert.rejects(request, codeIs('storage/upload-interrupted'))
    assert.equal((await stateOf(upload)).offset, 2 * MIB + 333)
    await patch(upload.id, 2 * MIB + 333, bytes.subarray(2 * MIB + 333))
    await assertBecame(upload, bytes)
  })

  it('does nothing for a request without bytes', async () => {
    const upload = await house.uploads.begin(house.spec({ size: 10 }), OPERATOR)
    assert.equal(await patch(upload.id, 0, Buffer.alloc(0)), 0)
    assert.equal((await stateOf(upload)).state, 'open')
  })

  it('says that an upload is finished already', async () => {
    const upload = await house.uploads.begin(house.spec({ size: 3 }), OPERATOR)
    await patch(upload.id, 0, randomBytes(3))
    await assert.rejects(patch(upload.id, 3, randomBytes(1)), codeIs('storage/upload-finished'))
  })

  it('refuses rooms that are closed, do not exist, and sizes that are none', async () => {
    const { uploads } = house
    for (const size of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      await assert.rejects(uploads.begin(house.spec({ size }), OPERATOR), codeIs('storage/bad-value'))
    }
    const nowhere = house.spec({ roomId: newId(randomBytes) })
    await assert.rejects(uploads.begin(nowhere, OPERATOR), codeIs('storage/not-found'))
    const room = await house.rows.rooms.create({ name: 'Alt', level: 'SB2' }, OPERATOR)
    await house.rows.rooms.close(room.id, OPERATOR)
    await assert.rejects(
      uploads.begin(house.spec({ roomId: room.id, size: 1 }), OPERATOR),
      codeIs('storage/room-closed'),
    )
    const body = Buffer.from('x')
    const whole = uploads.beginWhole({ ...house.spec({ roomId: room.id }), size: 1 }, body, OPERATOR)
    await assert.rejects(whole, codeIs('storage/room-closed'))
  })

  it('refuses new uploads when the reserve is reached', async () => {
    const full = await byteHouse({ limits: { reserveBytes: Number.MAX_SAFE_INTEGER } })
    await assert.rejects(full.uploads.begin(full.spec({ size: 1 }), OPERATOR), codeIs('storage/disk-full'))
    await full.close()
  })

  describe('with a deferred length', () => {
    it('end when the length is declared with the last bytes', async () => {
      const bytes = randomBytes(2 * MIB)
      const upload = await house.uploads.begin(house.spec(), OPERATOR)
      await patch(upload.id, 0, bytes.subarray(0, MIB))
      assert.equal((await stateOf(upload)).size, null)
      await withLease(upload.id, async (lease) => {
        await house.uploads.declareSize(lease, bytes.length)
        await house.uploads.append(lease, MIB, asSource(bytes.subarray(MIB)), MANY)
      })
      await assertBecame(upload, bytes)
    })

    for (const size of [0, 5, 65_536, MIB, MIB + 1]) {
      it(`end when the length is declared after all ${size} bytes`, async () => {
        const bytes = randomBytes(size)
        const upload = await house.uploads.begin(house.spec(), OPERATOR)
        await patch(upload.id, 0, bytes)
        await withLease(upload.id, (lease) => house.uploads.declareSize(lease, size))
        await assertBecame(upload, bytes)
      })
    }

    it('end at a length that lies at a part boundary which once was not the end', async () => {
      const bytes = randomBytes(2 * MIB)
      const upload = await house.uploads.begin(house.spec({ size: 3 * MIB }), OPERATOR)
      await patch(upload.id, 0, bytes)
      await house.database.kysely.updateTable('upload').set({ size: null }).where('id', '=', upload.id).execute()
      await withLease(upload.id, (lease) => house.uploads.declareSize(lease, bytes.length))
      await assertBecame(upload, bytes)
    })

    it('take the same length twice, but no other and none below the offset', async () => {
      const upload = await house.uploads.begin(house.spec(), OPERATOR)
      await patch(upload.id, 0, randomBytes(10))
      const declare = (size: number) => withLease(upload.id, (lease) => house.uploads.declareSize(lease, size))
      await assert.rejects(declare(9), codeIs('storage/size-mismatch'))
      await declare(20)
      await declare(20)
      await assert.rejects(declare(21), codeIs('storage/size-mismatch'))
    })
  })

  describe('with a checksum', () => {
    const check = (upload: BegunUpload, offset: number, bytes: Buffer, expected: Buffer) =>
      withLease(upload.id, (lease) =>
        house.uploads.append(lease, offset, asSource(bytes), { ...MANY, checksum: { algorithm: 'sha1', expected } }),
      )
    const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest()

    it('keep bytes whose digest agrees, also where a tail was before', async () => {
      const bytes = randomBytes(3 * MIB + 17)
      const upload = await house.uploads.begin(house.spec({ size: bytes.length }), OPERATOR)
      await check(upload, 0, bytes.subarray(0, 100), sha1(bytes.subarray(0, 100)))
      await check(upload, 100, bytes.subarray(100, MIB), sha1(bytes.subarray(100, MIB)))
      await check(upload, MIB, bytes.subarray(MIB), sha1(bytes.subarray(MIB)))
      await assertBecame(upload, bytes)
    })

    it('keep nothing of a request whose digest does not agree', async () => {
      const bytes = randomBytes(40 * MIB)
      const upload = await house.uploads.begin(house.spec({ size: bytes.length }), OPERATOR)
      await patch(upload.id, 0, bytes.subarray(0, 1000))
      const wrong = check(upload, 1000, bytes.subarray(1000, 39 * MIB), sha1(Buffer.from('other')))
      await assert.rejects(wrong, codeIs('storage/checksum-mismatch'))
      assert.equal((await stateOf(upload)).offset, 1000)
      await assert.rejects(
        check(upload, 1000, bytes.subarray(1000), Buffer.alloc(3)),
        codeIs('storage/checksum-mismatch'),
      )
      assert.equal((await stateOf(upload)).state, 'open')
      await check(upload, 1000, bytes.subarray(1000), sha1(bytes.subarray(1000)))
      await assertBecame(upload, bytes)
    })

    it('keep nothing of a request that broke off', async () => {
      const upload = await house.uploads.begin(house.spec({ size: 1000 }), OPERATOR)
      const options = { ...MANY, checksum: { algorithm: 'sha256', expected: Buffer.alloc(32) } } as const
      const request = withLease(upload.id, (lease) => house.uploads.append(lease, 0, broken(randomBytes(10)), options))
      await assert.rejects(request, codeIs('storage/upload-interrupted'))
      assert.equal((await stateOf(upload)).offset, 0)
    })

    it('know CRC-32C', async () => {
      const upload = await house.uploads.begin(house.spec({ size: 9 }), OPERATOR)
      const expected = Buffer.from('e3069283', 'hex')
      await withLease(upload.id, (lease) =>
        house.uploads.append(lease, 0, asSource(Buffer.from('123456789')), {
          ...MANY,
          checksum: { algorithm: 'crc32c', expected },
        }),
      )
      assert.equal((await stateOf(upload)).state, 'finished')
    })
  })

  describe('that are joined', () => {
    const partial = async (bytes: Buffer) => {
      const upload = await house.uploads.begin(house.spec({ size: bytes.length, kind: 'partial', name: '' }), OPERATOR)
      await patch(upload.id, 0, bytes)
      return upload
    }

    it('become one file that is released once it is hashed', async () => {
      const pieces = [randomBytes(MIB + 5), randomBytes(1), randomBytes(2 * MIB)]
      const partials: BegunUpload[] = []
      for (const bytes of pieces) partials.push(await partial(bytes))
      const before = (await house.stored()).length
      const final = await house.uploads.concat(
        house.spec(),
        partials.map(({ ticket }) => ticket),
        OPERATOR,
      )
      assert.equal((await house.stored()).length, before)
      const whole = Buffer.concat(pieces)
      assert.equal(final.state.kind, 'final')
      await assertBecame(final, whole, 'lost')
      const { contentId } = await house.version(final.state.fileId)
      await house.jobHandlers.fingerprint(job('fingerprint', contentId), new AbortController().signal)
      await assertBecame(final, whole)
      const across = await house.contents.open(contentId, { start: MIB, end: MIB + 10 })
      assert.ok(Buffer.concat(await across.stream.toArray()).equals(whole.subarray(MIB, MIB + 10)))
    })

    it('must be whole, partial, of this room, named once and used once', async () => {
      const [done, open] = [
        await partial(Buffer.from('a')),
        await house.uploads.begin(house.spec({ size: 5, kind: 'partial' }), OPERATOR),
      ]
      const ordinary = await house.uploads.beginWhole({ ...house.spec(), size: 1 }, Buffer.from('x'), OPERATOR)
      const join = (...of: BegunUpload[]) =>
        house.uploads.concat(
          house.spec(),
          of.map(({ ticket }) => ticket),
          OPERATOR,
        )
      await assert.rejects(join(), codeIs('storage/bad-value'))
      await assert.rejects(join(done, open), codeIs('storage/wrong-state'))
      await assert.rejects(join(ordinary), codeIs('storage/wrong-state'))
      await assert.rejects(join(done, done), codeIs('storage/wrong-state'))
      await assert.rejects(house.uploads.concat(house.spec(), ['nonsense'], OPERATOR), codeIs('storage/not-found'))
      const room = await house.rows.rooms.create({ name: 'Anderer', level: 'SB2' }, OPERATOR)
      const elsewhere = house.uploads.concat(house.spec({ roomId: room.id }), [done.ticket], OPERATOR)
      await assert.rejects(elsewhere, codeIs('storage/not-found'))
      const other = house.uploads.concat(house.spec(), [done.ticket], { kind: 'user', id: newId(randomBytes) })
      await assert.rejects(other, codeIs('storage/not-found'))
      await join(done)
      await assert.rejects(join(done), codeIs('storage/not-found'))
    })
  })

  describe('that end', () => {
    it('leave nothing behind when they are cancelled', async () => {
      const alone = await byteHouse()
      const bytes = randomBytes(3 * MIB)
      const upload = await alone.uploads.begin(alone.spec({ size: 5 * MIB }), OPERATOR)
      const lease = await alone.uploads.acquire(upload.id, { waitMs: 0 })
      await alone.uploads.append(lease, 0, asSource(bytes.subarray(0, 2 * MIB + 99)), MANY)
      assert.notDeepEqual(await alone.stored(), [])
      await alone.uploads.cancel(lease, OPERATOR)
      await lease.release()
      assert.deepEqual(await alone.stored(), [])
      assert.equal(await alone.uploads.byTicket(upload.ticket), null)
      await assert.rejects(alone.uploads.acquire(upload.id, { waitMs: 0 }), codeIs('storage/upload-gone'))
      await alone.close()
    })

    it('lose only their ticket when they are a file already', async () => {
      const bytes = randomBytes(10)
      const upload = await house.uploads.beginWhole({ ...house.spec(), size: 10 }, bytes, OPERATOR)
      await withLease(upload.id, (lease) => house.uploads.cancel(lease, OPERATOR))
      assert.equal(await house.uploads.byTicket(upload.ticket), null)
      const { contentId } = await house.version(upload.state.fileId)
      assert.ok((await house.plaintext(contentId)).equals(bytes))
    })

    it('expire so long after their last acknowledged byte, and leave nothing behind', async () => {
      const alone = await byteHouse()
      const upload = await alone.uploads.begin(alone.spec({ size: 100, expiresAfterMs: 1000 }), OPERATOR)
      const append = async (offset: number) => {
        const lease = await alone.uploads.acquire(upload.id, { waitMs: 0 })
        await alone.uploads.append(lease, offset, asSource(randomBytes(10)), MANY)
        await lease.release()
      }
      alone.clock.turn(999)
      await append(0)
      alone.clock.turn(999)
      await append(10)
      assert.equal(await alone.uploads.expire(alone.clock(), 10), 0)
      alone.clock.turn(1000)
      assert.equal(await alone.uploads.byTicket(upload.ticket), null)
      assert.equal(await alone.uploads.expire(alone.clock(), 10), 1)
      assert.deepEqual(await alone.stored(), [])
      await alone.close()
    })
  })
})

function job(kind: 'fingerprint', subject: string) {
  const now = new Date()
  return {
    id: newId(randomBytes),
    kind,
    subject,
    partner: null,
    payload: {},
    attempts: 1,
    failures: 0,
    standing: false,
    leaseUntil: now,
  } as never
}
