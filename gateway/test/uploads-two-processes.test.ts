import assert from 'node:assert/strict'
import { bucketWorld } from './support/bucket-world.ts'
import type { ServerProcess } from './support/server-process.ts'
import { ServerProcesses } from './support/server-process.ts'
import type { TusCaller } from './support/tus.ts'
import { OCTETS, randomBytes, sha256, tusCaller } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'
import { Wire, requestHead } from './support/wire.ts'

const PART = 8 * 1024 * 1024

bucketWorld('two server processes with one bucket and one database', (stores) => {
  const processes = new ServerProcesses()
  let house: UploadHouse
  let servers: [ServerProcess, ServerProcess]
  let [one, other]: TusCaller[] = []

  before(async function () {
    this.timeout(60_000)
    house = await openUploadHouse({ stores: await stores() })
    servers = [await processes.start(house.stores), await processes.start(house.stores)]
    const callers = servers.map(({ port }) =>
      tusCaller(
        () => port,
        () => house.standing(),
      ),
    )
    ;[one, other] = callers
  })
  after(async () => {
    await processes.close()
    await house.close()
  })
  const both = (): [TusCaller, TusCaller] => {
    assert.ok(one && other)
    return [one, other]
  }

  it('take turns with one upload', async () => {
    const [one, other] = both()
    const bytes = randomBytes(2 * PART + 12_345)
    const address = await one.create(bytes.length)
    let offset = 0
    for (const [caller, end] of [
      [one, 100],
      [other, PART + 7],
      [one, 2 * PART],
      [other, bytes.length],
    ] as const) {
      assert.equal((await caller.head(address)).headers['upload-offset'], String(offset))
      const reply = await caller.patch(address, offset, bytes.subarray(offset, end))
      assert.equal(reply.status, 204)
      offset = end
    }
    assert.equal(sha256(await house.read()), sha256(bytes))
  }).timeout(30_000)

  it('let the newer displace the older, who is told so, and nothing is corrupt', async () => {
    const [one, other] = both()
    const bytes = randomBytes(2 * PART)
    const address = await one.create(bytes.length)
    const stalled = await Wire.open(servers[0].port)
    stalled.send(
      requestHead({
        method: 'PATCH',
        path: address,
        headers: [
          ['Tus-Resumable', '1.0.0'],
          ['Content-Type', OCTETS],
          ['Upload-Offset', '0'],
          ['Content-Length', String(bytes.length)],
        ],
      }),
    )
    await new Promise((sent) => stalled.socket.write(bytes.subarray(0, PART + 500_000), sent))
    await house.untilWriting()
    const head = await other.head(address)
    const offset = Number(head.headers['upload-offset'])
    assert.ok(offset <= PART + 500_000)
    assert.equal((await stalled.reply()).status, 400)
    stalled.cut()
    assert.equal((await other.patch(address, offset, bytes.subarray(offset))).status, 204)
    assert.equal(sha256(await house.read()), sha256(bytes))
  }).timeout(30_000)

  it('let one of many racing PATCHes win', async () => {
    const [one, other] = both()
    const address = await one.create(200_000)
    const bodies = Array.from({ length: 8 }, () => randomBytes(200_000))
    const replies = await Promise.all(
      bodies.map((body, index) => (index % 2 === 0 ? one : other).patch(address, 0, body)),
    )
    const winners = replies.flatMap(({ status }, index) => (status === 204 ? [index] : []))
    assert.equal(winners.length, 1, replies.map(({ status }) => status).join(' '))
    assert.equal(sha256(await house.read()), sha256(bodies[winners[0] ?? 0] ?? Buffer.alloc(0)))
  }).timeout(60_000)

  it('go on with what a killed one had begun', async () => {
    const [one, other] = both()
    const bytes = randomBytes(PART + 1_000_000)
    const address = await one.create(bytes.length)
    assert.equal((await one.patch(address, 0, bytes.subarray(0, 300_000))).status, 204)
    const cut = await Wire.open(servers[0].port)
    cut.send(
      requestHead({
        method: 'PATCH',
        path: address,
        headers: [
          ['Tus-Resumable', '1.0.0'],
          ['Content-Type', OCTETS],
          ['Upload-Offset', '300000'],
          ['Content-Length', String(bytes.length - 300_000)],
        ],
      }),
    )
    await new Promise((sent) => cut.socket.write(bytes.subarray(300_000, 700_000), sent))
    await house.untilWriting()
    await servers[0].kill()
    cut.cut()
    const offset = Number((await other.head(address)).headers['upload-offset'])
    assert.ok(offset >= 300_000 && offset <= 700_000)
    assert.equal((await other.patch(address, offset, bytes.subarray(offset))).status, 204)
    assert.equal(sha256(await house.read()), sha256(bytes))
  }).timeout(30_000)
})
