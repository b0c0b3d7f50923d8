import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

import { s3Objects } from '../objects/s3.ts'
import type { BegunUpload } from '../uploads.ts'
import { byteHouse, OPERATOR, type ByteHouse } from './support/byte-house.ts'
import { codeIs } from './support/codes.ts'
import { faultyProxy, type Fault, type FaultyProxy } from './support/faulty-proxy.ts'
import { s3Bucket } from './support/s3-server.ts'
import { withS3 } from './support/with-s3.ts'

const MIB = 1024 * 1024
const SIZE = 33 * MIB + 77
const PART = /partNumber=(\d+)/

withS3('uploads through a bad connection to S3', () => {
  let house: ByteHouse
  let proxy: FaultyProxy
  before(async () => {
    const options = await s3Bucket()
    proxy = await faultyProxy(options.endpoint)
    const timeouts = { connectionTimeoutMs: 300, idleTimeoutMs: 1500 }
    house = await byteHouse({ objects: await s3Objects({ ...options, ...timeouts, endpoint: proxy.endpoint }) })
  })
  after(async () => {
    await house.close()
    await house.objects.close()
    await proxy.goAway()
  })
  afterEach(() => {
    proxy.decide = () => null
  })

  /** Meets the n-th request that fits with a fault, as often as told. */
  const fail = (fits: RegExp, fault: Fault, times = 1, method = 'PUT') => {
    let left = times
    proxy.decide = (request) => (request.method === method && fits.test(request.url) && left-- > 0 ? fault : null)
  }
  const begin = () => house.uploads.begin(house.spec({ size: SIZE }), OPERATOR)
  const send = async (upload: BegunUpload, bytes: Buffer, to: number): Promise<number> => {
    const state = await house.uploads.confirm(upload.ticket)
    assert.ok(state)
    const lease = await house.uploads.acquire(upload.id, { waitMs: 0 })
    try {
      const source = Readable.from([bytes.subarray(state.offset, to)], { objectMode: false })
      return await house.uploads.append(lease, state.offset, source, { maxBytes: SIZE })
    } finally {
      await lease.release()
    }
  }
  const assertWhole = async (upload: BegunUpload, bytes: Buffer) => {
    const state = await house.uploads.byTicket(upload.ticket)
    assert.equal(state?.state, 'finished')
    const version = await house.version(state.fileId)
    assert.ok((await house.plaintext(version.contentId)).equals(bytes))
    if (version.state === 'released') assert.equal(version.sha256, createHash('sha256').update(bytes).digest('hex'))
  }
  /** Sends in two requests, with a fault in the second; then as often as it takes. */
  const sendThrough = async (fault: () => void) => {
    const bytes = randomBytes(SIZE)
    const upload = await begin()
    const acknowledged = await send(upload, bytes, 3 * MIB)
    fault()
    await send(upload, bytes, SIZE).catch(async () => {
      const offset = (await house.uploads.confirm(upload.ticket))?.offset ?? 0
      assert.ok(offset >= acknowledged && offset <= SIZE)
      await send(upload, bytes, SIZE)
    })
    await assertWhole(upload, bytes)
  }

  for (const number of [1, 2, 4]) {
    it(`survive that part ${number} is answered with 503 once, and more often than the client repeats`, async () => {
      await sendThrough(() => {
        fail(new RegExp(`partNumber=${number}&`), { kind: 'answer', status: 503 })
      })
      await sendThrough(() => {
        fail(new RegExp(`partNumber=${number}&`), { kind: 'answer', status: 503 }, 3)
      })
    }).timeout(30_000)
  }

  it('survive a part whose connection is cut, and one whose answer is lost', async () => {
    await sendThrough(() => {
      fail(PART, { kind: 'cut' }, 3)
    })
    await sendThrough(() => {
      fail(/partNumber=2&/, { kind: 'lose-answer' }, 3)
    })
  }).timeout(30_000)

  it('do not count parts behind one that is late', async () => {
    const bytes = randomBytes(SIZE)
    const upload = await begin()
    // Part 2 never comes through, and parts 3 and 4 are there long before that is known.
    fail(/partNumber=2&/, { kind: 'cut-late', ms: 700 }, 3)
    await assert.rejects(send(upload, bytes, SIZE), codeIs('storage/objects-unavailable'))
    const offset = (await house.uploads.confirm(upload.ticket))?.offset ?? 0
    assert.ok(offset <= 8 * MIB, `counts ${offset}`)
    await send(upload, bytes, SIZE)
    await assertWhole(upload, bytes)
  }).timeout(30_000)

  it('ask when the answer to the completion was lost, and do not repeat it blindly', async () => {
    let completions = 0
    const asked: string[] = []
    const bytes = randomBytes(SIZE)
    const upload = await begin()
    proxy.decide = ({ method, url }) => {
      if (method === 'POST' && url.includes('uploadId=')) return ++completions === 1 ? { kind: 'lose-answer' } : null
      if (completions > 0) asked.push(method)
      return null
    }
    assert.equal(await send(upload, bytes, SIZE), SIZE)
    assert.ok(asked.includes('HEAD'))
    await assertWhole(upload, bytes)
  }).timeout(30_000)

  it('finish later when the completion did not come through', async () => {
    const bytes = randomBytes(SIZE)
    const upload = await begin()
    fail(/uploadId=/, { kind: 'answer', status: 503 }, 3, 'POST')
    await assert.rejects(send(upload, bytes, SIZE), codeIs('storage/objects-unavailable'))
    const state = await house.uploads.confirm(upload.ticket)
    assert.ok(state?.state === 'open' && state.offset < SIZE)
    await send(upload, bytes, SIZE)
    await assertWhole(upload, bytes)
  }).timeout(30_000)

  it('say that the store is away, keep what they had, and go on when it is back', async () => {
    const bytes = randomBytes(SIZE)
    const upload = await begin()
    const acknowledged = await send(upload, bytes, 9 * MIB)
    await proxy.goAway()
    await assert.rejects(send(upload, bytes, SIZE), codeIs('storage/objects-unavailable'))
    await assert.rejects(house.uploads.confirm(upload.ticket), codeIs('storage/objects-unavailable'))
    assert.equal((await house.uploads.byTicket(upload.ticket))?.offset, acknowledged)
    await proxy.comeBack()
    await send(upload, bytes, SIZE)
    await assertWhole(upload, bytes)
  }).timeout(30_000)
})
