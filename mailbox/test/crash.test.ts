/**
 * Killed at any point: the story of a message and its confirmation always ends well, once, with nothing lost or doubled.
 *
 * `npm test` tries a sample of points, `npm run prove` every one. The process dies at the n-th call to storage or network;
 * then a new one starts on the same database and works to the end.
 */
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { Message, MessageId } from '../../storage/index.ts'
import { fingerprint } from '../osci/identity.ts'
import { sha256 } from '../stored-bytes.ts'
import { Dead, Fuse, failingTransport, fusedStorage, fusedTransport } from './support/fuse.ts'
import { OPERATOR, house } from './support/house.ts'
import type { House } from './support/house.ts'

const EVERY = process.env['AMTSBOTE_PROVE'] === '1'
const BYTES = randomBytes(20_000)

/** Everything after `send`: relay, court, its answer, collection, control. */
async function play(h: House, id: MessageId): Promise<void> {
  await h.deliver({ id })
  await h.mailbox.collect(h.court.id)
  await h.work()
  await h.mailbox.collect(h.city.id)
  await h.deliver({ id })
}

async function begin(folder: string | undefined): Promise<{ h: House; sent: Message }> {
  const h = await house(folder === undefined ? {} : { folder })
  const file = await h.addFile('Klage.pdf', BYTES)
  const order = { mailbox: h.city.id, to: h.court.address, subject: 'Klage', files: [file] }
  return { h, sent: await h.mailbox.send(order, OPERATOR) }
}

/** Runs until nothing moves any more, turning the clock over every pause. */
async function workToTheEnd(h: House, id: MessageId): Promise<void> {
  for (let n = 0; n < 6; n += 1) {
    h.clock.turn(3_600_000)
    await play(h, id)
    if ((await h.storage.messages.byId(id)).state === 'checked') return
  }
}

async function assertWhole(h: House, sent: Message): Promise<void> {
  const { state, control, receipt, receptionReceipt, uncertain } = await h.storage.messages.byId(sent.id)
  assert.deepEqual({ state, control, uncertain }, { state: 'checked', control: 'complete', uncertain: 0 })
  assert.ok(receipt && receptionReceipt)
  const atCourt = (await h.storage.messages.list({ mailboxId: h.court.id })).items
  const atCity = (await h.storage.messages.list({ mailboxId: h.city.id })).items
  assert.deepEqual(atCourt.map(({ direction }) => direction).sort(), ['in', 'out'])
  assert.deepEqual(atCity.map(({ direction }) => direction).sort(), ['in', 'out'])
  const arrived = atCourt.find(({ direction }) => direction === 'in')
  assert.ok(arrived)
  const { stream } = await h.mailbox.openAttachment(arrived.id, 0)
  assert.equal(sha256(await buffer(stream)), sha256(BYTES))
  for (const box of [h.court, h.city]) {
    const kept = await h.storage.deliveries.find({
      client: fingerprint(box.cipherCertificate),
      role: 'addressee',
      limit: 10,
    })
    assert.equal(kept.length, 1)
    assert.ok(kept[0]?.receivedAt)
  }
  assert.equal((await h.storage.audit.verify()).kind, 'whole')
}

/** Points to try: all of them, or a few spread evenly from a random first. */
function points(total: number, sample: number): number[] {
  if (EVERY) return Array.from({ length: total }, (_, n) => n + 1)
  const stride = Math.ceil(total / sample)
  const first = randomInt(stride) + 1
  return Array.from({ length: Math.ceil((total - first + 1) / stride) }, (_, n) => first + n * stride)
}

describe('a process killed in the middle of sending and collecting', function () {
  this.timeout(EVERY ? 3_600_000 : 120_000)

  it('ends with one message, one receipt, one confirmation', async () => {
    const counted = new Fuse()
    const whole = await begin(undefined)
    await whole.h.close()
    const dry = await house({
      folder: whole.h.folder,
      storage: (storage) => fusedStorage(storage, counted),
      transport: (transport) => fusedTransport(transport, counted),
    })
    await play(dry, whole.sent.id)
    await assertWhole(dry, whole.sent)
    await dry.close()
    const tried = points(counted.ticks, 4)
    for (const point of tried) {
      const { h, sent } = await begin(undefined)
      await h.close()
      const fuse = new Fuse(point)
      const dying = await house({
        folder: h.folder,
        storage: (storage) => fusedStorage(storage, fuse),
        transport: (transport) => fusedTransport(transport, fuse),
      })
      await play(dying, sent.id).catch((error: unknown) => {
        if (!(error instanceof Dead)) throw error
      })
      await dying.close()
      const next = await house({ folder: h.folder })
      try {
        await workToTheEnd(next, sent.id)
        await assertWhole(next, sent)
      } catch (error) {
        throw new Error(`killed at call ${point} of ${counted.ticks}`, { cause: error })
      } finally {
        await next.close()
      }
    }
    console.log(`      killed at ${tried.length} of ${counted.ticks} points: ${tried.slice(0, 12).join(' ')}`)
  })
})

describe('a network that fails once', function () {
  this.timeout(EVERY ? 3_600_000 : 120_000)

  for (const how of ['unreachable', 'unknown'] as const) {
    it(`at any request (${how}) delays the story and changes nothing else`, async () => {
      // 5 requests send, 4 collect at the court, 5 send the answer, 3 collect it, 3 watch
      const tried = points(20, 2)
      for (const at of tried) {
        const { h, sent } = await begin(undefined)
        await h.close()
        const shaky = await house({ folder: h.folder, transport: (transport) => failingTransport(transport, at, how) })
        try {
          await play(shaky, sent.id)
          await workToTheEnd(shaky, sent.id)
          await assertWhole(shaky, sent)
        } catch (error) {
          throw new Error(`${how} at request ${at}`, { cause: error })
        } finally {
          await shaky.close()
        }
      }
      console.log(`      failed at requests ${tried.join(' ')}`)
    })
  }
})
