/** The embedded intermediary under honest clients, dishonest ones and broken ones. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { canonicalText } from '../../signing/index.ts'
import { partyOf } from '../index.ts'
import { openOsciDialog } from '../osci/client.ts'
import type { Answer, OsciDialog } from '../osci/client.ts'
import { fingerprint } from '../osci/identity.ts'
import type { OsciIdentity } from '../osci/identity.ts'
import { readFaultCode } from '../osci/parse.ts'
import { openTransport, sealTransport } from '../osci/security.ts'
import type { OsciTransport } from '../osci/transport.ts'
import { certificate, fixtureNamed, identity, party, wireBytes } from './support/fixtures.ts'
import { house } from './support/house.ts'
import type { House, HouseOptions } from './support/house.ts'

async function withHouse(options: HouseOptions, work: (house: House) => Promise<void>): Promise<void> {
  const h = await house(options)
  try {
    await work(h)
  } finally {
    await h.close()
  }
}

async function dialog(h: House, who: string | OsciIdentity, transport?: OsciTransport): Promise<OsciDialog> {
  const answer = await openOsciDialog({
    identity: typeof who === 'string' ? await identity(who) : who,
    intermediary: { party: party('intermed'), transport: transport ?? h.intermediary.transport },
    random: randomBytes,
    maxBytes: 10_000_000,
  })
  return value(answer)
}

function value<T>(answer: Answer<T>): T {
  if (answer.kind !== 'executed') assert.fail(JSON.stringify(answer))
  return answer.value
}

/** Stores one delivery for bob and returns its MessageId. */
async function store(open: OsciDialog, body = Buffer.from('Inhalt'), to = 'bob'): Promise<string> {
  const messageId = value(await open.getMessageId())
  const { cipherCertificate } = party(to)
  const attachments = [{ name: 'a.bin', contentType: 'application/octet-stream', body }]
  value(await open.storeDelivery({ messageId, subject: 'S', addressee: cipherCertificate, inline: body, attachments }))
  return messageId
}

/** The OSCI code of the fault that bytes are answered with. */
async function faultOf(h: House, bytes: Buffer): Promise<string> {
  const { status, body } = await h.intermediary.answer(bytes)
  assert.equal(status, 200)
  const { decryption } = await identity('alice')
  const { envelope } = await openTransport(body, decryption, { maxBytes: 1_000_000, maxParts: 3, ciphers: 'modern' })
  assert.equal(envelope.type, null, 'an answer where a fault was due')
  return readFaultCode(envelope.body)
}

describe('the intermediary', () => {
  it('hands a delivery out until the next request confirms it', () =>
    withHouse({}, async (h) => {
      const sender = await dialog(h, 'alice')
      const messageId = await store(sender)
      const card = async (): Promise<unknown> => {
        const [found] = value(await sender.fetchProcessCards([messageId]))
        return [found?.creation !== null, found?.forwarding !== null, found?.reception !== null]
      }
      assert.deepEqual(await card(), [true, false, false])
      const first = await dialog(h, 'bob')
      assert.equal(value(await first.fetchDelivery())?.card.messageId, messageId)
      assert.deepEqual(await card(), [true, true, false])
      // The addressee died here: the delivery comes again.
      const second = await dialog(h, 'bob')
      assert.equal(value(await second.fetchDelivery())?.card.messageId, messageId)
      assert.deepEqual(await card(), [true, true, false])
      value(await second.exit())
      assert.deepEqual(await card(), [true, true, true])
      const third = await dialog(h, 'bob')
      assert.equal(value(await third.fetchDelivery()), null)
    }))

  it('gives everybody only what is addressed to them', () =>
    withHouse({ trust: () => Promise.resolve('known') }, async (h) => {
      const messageId = await store(await dialog(h, 'alice'))
      const eve = await dialog(h, 'eve')
      assert.equal(value(await eve.fetchDelivery()), null)
      assert.deepEqual(value(await eve.fetchProcessCards([messageId])), [])
      const alice = await dialog(h, 'alice')
      assert.equal(value(await alice.fetchDelivery()), null)
    }))

  it('tells that more is waiting, and hands out the oldest first', () =>
    withHouse({}, async (h) => {
      const sender = await dialog(h, 'alice')
      const ids: string[] = []
      for (let n = 0; n < 3; n += 1) {
        ids.push(await store(sender))
        h.clock.turn(1_000)
      }
      const open = await dialog(h, 'bob')
      const seen: unknown[] = []
      for (let n = 0; n < 3; n += 1) {
        const answer = await open.fetchDelivery()
        assert.ok(answer.kind === 'executed')
        seen.push([answer.value?.card.messageId, answer.feedback.some(({ code }) => code === '3800')])
      }
      assert.deepEqual(seen, [
        [ids[0], true],
        [ids[1], true],
        [ids[2], false],
      ])
    }))

  it('keeps content as it was signed', () =>
    withHouse({}, async (h) => {
      const body = randomBytes(5_000)
      await store(await dialog(h, 'alice'), body)
      const fetched = value(await (await dialog(h, 'bob')).fetchDelivery())
      assert.ok(fetched)
      const { openContent } = await import('../osci/content-reading.ts')
      const { decryption } = await identity('bob')
      const content = await openContent(fetched.message, fetched.certificates, { key: decryption, ciphers: 'modern' })
      assert.deepEqual([content.author, content.attachments[0]?.body], ['valid', body])
      assert.match(canonicalText(fetched.message.body), /^<soap:Body/)
    }))

  it('takes a MessageId once, and only from whom it was issued to', () =>
    withHouse({ trust: () => Promise.resolve('known') }, async (h) => {
      const alice = await dialog(h, 'alice')
      const messageId = await store(alice)
      const order = {
        subject: '',
        addressee: party('bob').cipherCertificate,
        inline: Buffer.from('x'),
        attachments: [],
      }
      assert.deepEqual(await alice.storeDelivery({ ...order, messageId }), { kind: 'refused', code: '9801' })
      assert.deepEqual(await alice.storeDelivery({ ...order, messageId: 'invented' }), {
        kind: 'refused',
        code: '9801',
      })
      const eves = value(await (await dialog(h, 'eve')).getMessageId())
      assert.deepEqual(await alice.storeDelivery({ ...order, messageId: eves }), { kind: 'refused', code: '9801' })
      const kept = await h.storage.deliveries.find({
        client: fingerprint(party('bob').cipherCertificate),
        role: 'addressee',
        limit: 9,
      })
      assert.equal(kept.length, 1)
    }))

  it('survives a new process in the middle of a dialog', async () => {
    const first = await house()
    let current = first
    const open = await dialog(first, 'alice', (message, signal) => current.intermediary.transport(message, signal))
    const messageId = value(await open.getMessageId())
    await first.close()
    current = await house({ folder: first.folder })
    try {
      const order = { messageId, subject: '', addressee: party('bob').cipherCertificate }
      value(await open.storeDelivery({ ...order, inline: Buffer.from('x'), attachments: [] }))
    } finally {
      await current.close()
    }
  })

  it('forgets dialogs that rest too long, and ids that nobody used', () =>
    withHouse({}, async (h) => {
      const open = await dialog(h, 'alice')
      value(await open.getMessageId())
      h.clock.turn(600_001)
      assert.deepEqual(await open.getMessageId(), { kind: 'fault', code: '9400' })
      await dialog(h, 'alice')
      h.clock.turn(25 * 3_600_000)
      assert.equal(await h.intermediary.sweep(), 2)
    }))
})

describe('the intermediary refuses', () => {
  it('a client that is in no directory, before anything else', () =>
    withHouse({}, async (h) => {
      const eve = await openOsciDialog({
        identity: await identity('eve'),
        intermediary: { party: party('intermed'), transport: h.intermediary.transport },
        random: randomBytes,
        maxBytes: 1_000_000,
      })
      assert.deepEqual(eve, { kind: 'fault', code: '9501' })
    }))

  it('a revoked client with the code for it', () =>
    withHouse({ trust: () => Promise.resolve('revoked') }, async (h) => {
      await assert.rejects(dialog(h, 'alice'), /9502/)
    }))

  it('a signer that is unknown, though the cipher certificate is known', () =>
    withHouse({}, async (h) => {
      const [alice, eve] = await Promise.all([identity('alice'), identity('eve')])
      const mixed = { signing: eve.signing, decryption: alice.decryption }
      await assert.rejects(dialog(h, mixed), /9700/)
    }))

  it('an addressee that is in no directory', () =>
    withHouse({}, async (h) => {
      const alice = await dialog(h, 'alice')
      const messageId = value(await alice.getMessageId())
      const addressee = party('carol').cipherCertificate
      const answer = await alice.storeDelivery({
        messageId,
        subject: '',
        addressee,
        inline: Buffer.alloc(1),
        attachments: [],
      })
      assert.deepEqual(answer, { kind: 'refused', code: '9706' })
    }))

  const faults: [string, (wire: Buffer) => Buffer, string][] = [
    ['nothing at all', () => Buffer.alloc(0), '9100'],
    ['noise', () => randomBytes(5_000), '9100'],
    ['HTML', () => Buffer.from('<html></html>'), '9100'],
    ['half a message', (wire) => wire.subarray(0, wire.length / 2), '9100'],
    ['a flipped byte of ciphertext', (wire) => flip(wire, wire.length - 300), '9202'],
    ['a message for somebody else', (wire) => sealTransport(wire, certificate('eve_enc'), randomBytes), '9200'],
    ['an unencrypted request', () => wireBytes(fixtureNamed('p-req-initdialog-unsigned-plain')), '9100'],
    ['a fault', () => wireBytes(fixtureNamed('p-fault-9100')), '9100'],
    ['a type that it does not serve', () => sealed('p-req-mediate-msgid-signed-plain'), '9300'],
    ['a response', () => sealed('p-rsp-initdialog-signed-plain'), '9300'],
    ['FetchDelivery without dialog', () => sealed('p-req-fetch-none-signed-plain'), '9400'],
    [
      'encryption twice',
      () => sealTransport(sealed('p-req-initdialog-unsigned-plain'), certificate('intermed_enc'), randomBytes),
      '9100',
    ],
  ]
  for (const [what, change, code] of faults) {
    it(`${what} with ${code}`, () =>
      withHouse({}, async (h) => {
        const wire = wireBytes(fixtureNamed('p-req-initdialog-signed-enc'))
        assert.equal(await faultOf(h, change(wire)), code)
      }))
  }

  it('a request beyond its limit without reading it to the end', () =>
    withHouse({ settings: { maxBytes: 10_000 } }, async (h) => {
      let given = 0
      async function* endless(): AsyncGenerator<Buffer> {
        for (; given < 1_000; given += 1) yield await Promise.resolve(Buffer.alloc(1_000))
      }
      const { status } = await h.intermediary.answer(endless())
      assert.equal(status, 200)
      assert.ok(given < 20)
    }))

  it('requests beyond what it can hold at once, to come later', () =>
    withHouse({ settings: { maxBytesInFlight: 1_000 } }, async (h) => {
      assert.equal((await h.intermediary.answer(Buffer.alloc(2_000))).status, 503)
      assert.equal((await h.intermediary.answer(Buffer.alloc(500))).status, 200)
      assert.equal((await h.intermediary.answer(Buffer.alloc(600))).status, 200)
    }))

  it('a request sent twice: the second is not the next of its dialog', () =>
    withHouse({}, async (h) => {
      let last: Buffer = Buffer.alloc(0)
      const open = await dialog(h, 'alice', (message) => {
        last = message
        return h.intermediary.transport(message)
      })
      value(await open.getMessageId())
      assert.equal(await faultOf(h, last), '9400')
      // A replay closes the dialog: somebody is listening.
      assert.deepEqual(await open.getMessageId(), { kind: 'fault', code: '9400' })
    }))

  function sealed(name: string): Buffer {
    return sealTransport(wireBytes(fixtureNamed(name)), certificate('intermed_enc'), randomBytes)
  }
  function flip(wire: Buffer, at: number): Buffer {
    const copy = Buffer.from(wire)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
})

describe('a client', () => {
  /** An intermediary that does something else with the answer. */
  const altered =
    (h: House, change: (body: Buffer) => Buffer | Promise<Buffer>): OsciTransport =>
    async (message) => {
      const exchange = await h.intermediary.transport(message)
      return exchange.kind === 'answered' ? { kind: 'answered', body: await change(exchange.body) } : exchange
    }

  const bad: [string, (h: House) => OsciTransport][] = [
    ['a cut answer', (h) => altered(h, (body) => body.subarray(0, body.length - 40))],
    ['an answer in the clear', (h) => altered(h, async (body) => decrypted(body))],
    ['an empty answer', (h) => altered(h, () => Buffer.alloc(0))],
    [
      "somebody else's answer",
      () => () => Promise.resolve({ kind: 'answered', body: wireBytes(fixtureNamed('p-rsp-initdialog-signed-enc')) }),
    ],
  ]
  for (const [what, transport] of bad) {
    it(`takes ${what} for none`, () =>
      withHouse({}, async (h) => {
        const answer = await openOsciDialog({
          identity: await identity('alice'),
          intermediary: { party: party('intermed'), transport: transport(h) },
          random: randomBytes,
          maxBytes: 1_000_000,
        })
        assert.equal(answer.kind, 'unknown')
      }))
  }

  it('refuses an intermediary with another signature key', () =>
    withHouse({}, async (h) => {
      const wrong = { ...partyOf(await identity('intermed')), signatureCertificate: certificate('eve_sig') }
      const answer = await openOsciDialog({
        identity: await identity('alice'),
        intermediary: { party: wrong, transport: h.intermediary.transport },
        random: randomBytes,
        maxBytes: 1_000_000,
      })
      assert.equal(answer.kind, 'unknown')
    }))

  it('sends nothing more in a dialog whose answer it could not read', () =>
    withHouse({}, async (h) => {
      let cut = false
      const open = await dialog(h, 'alice', async (message) => {
        const exchange = await h.intermediary.transport(message)
        return cut && exchange.kind === 'answered'
          ? { kind: 'answered', body: exchange.body.subarray(0, 50) }
          : exchange
      })
      cut = true
      assert.equal((await open.fetchDelivery()).kind, 'unknown')
      await assert.rejects(open.exit(), { code: 'mailbox/control-block' })
    }))

  async function decrypted(body: Buffer): Promise<Buffer> {
    const { decryption } = await identity('alice')
    return (await openTransport(body, decryption, { maxBytes: 1_000_000, maxParts: 3, ciphers: 'modern' })).bytes
  }
})
