/** The relay and the collector over storage: doubt is asked about, repeats are harmless, nothing unreadable is refused. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Message } from '../../storage/index.ts'
import { openOsciDialog } from '../osci/client.ts'
import { readControlBlock } from '../osci/parse.ts'
import { openTransport } from '../osci/security.ts'
import type { OsciTransport } from '../osci/transport.ts'
import { writeMessage } from '../osci/serialize.ts'
import { identity, party } from './support/fixtures.ts'
import { OPERATOR, house } from './support/house.ts'
import type { House, HouseOptions } from './support/house.ts'

async function withHouse(options: HouseOptions, work: (house: House) => Promise<void>): Promise<void> {
  const h = await house(options)
  try {
    await work(h)
  } finally {
    await h.close()
  }
}

async function send(h: House): Promise<Message> {
  const files = [await h.addFile('a.pdf', Buffer.from('Inhalt'))]
  return h.mailbox.send({ mailbox: h.city.id, to: h.court.address, subject: 'S', files }, OPERATOR)
}

const state = async (h: House, { id }: Message): Promise<string> => (await h.storage.messages.byId(id)).state

/** What the intermediary is asked, in order; and a hand on its answers. */
function watched(types: string[], change?: (type: string, n: number) => 'pass' | 'lose' | 'block') {
  return (transport: OsciTransport): OsciTransport => {
    return async (message, signal) => {
      const { decryption } = await identity('intermed')
      const limits = { maxBytes: 10_000_000, maxParts: 100, ciphers: 'modern' as const }
      const type = (await openTransport(message, decryption, limits)).envelope.type ?? 'fault'
      const what = change?.(type, types.filter((seen) => seen === type).length) ?? 'pass'
      types.push(type)
      if (what === 'block') return { kind: 'unreachable', cause: new Error('no route') }
      const exchange = await transport(message, signal)
      return what === 'lose' ? { kind: 'unknown', cause: new Error('lost') } : exchange
    }
  }
}

describe('the relay', () => {
  it('speaks one explicit dialog: InitDialog, GetMessageId, StoreDelivery, ExitDialog', () => {
    const types: string[] = []
    return withHouse({ transport: watched(types) }, async (h) => {
      await h.deliver(await send(h))
      assert.deepEqual(types, ['InitDialog', 'GetMessageId', 'StoreDelivery', 'ExitDialog'])
    })
  })

  it('asks for the Laufzettel when the answer to StoreDelivery is lost, and sends nothing twice', () => {
    const types: string[] = []
    const lose = watched(types, (type) => (type === 'StoreDelivery' ? 'lose' : 'pass'))
    return withHouse({ transport: lose }, async (h) => {
      const sent = await send(h)
      assert.equal((await h.deliver(sent)).kind, 'again')
      assert.equal(await state(h, sent), 'storing')
      await h.deliver(sent)
      assert.equal(await state(h, sent), 'accepted')
      assert.deepEqual(types.filter((type) => type === 'StoreDelivery').length, 1)
      assert.ok(types.includes('FetchProcessCard'))
    })
  })

  it('sends again under the same MessageId when the intermediary has no card of it', () => {
    const types: string[] = []
    const ids = new Set<string | null>()
    const block = watched(types, (type, n) => (type === 'StoreDelivery' && n === 0 ? 'block' : 'pass'))
    return withHouse({ transport: block }, async (h) => {
      const sent = await send(h)
      await h.deliver(sent)
      ids.add((await h.storage.messages.byId(sent.id)).osciMessageId)
      // As a crash would leave it: announced, and nobody knows.
      await h.storage.messages.advance(sent.id, 'reserved', { state: 'storing', uncertain: 1 }, OPERATOR)
      await h.deliver(sent)
      const { state: now, osciMessageId } = await h.storage.messages.byId(sent.id)
      ids.add(osciMessageId)
      assert.deepEqual([now, ids.size], ['accepted', 1])
    })
  })

  it('reserves a new MessageId when the old one ran out before it was ever used', () =>
    withHouse(
      { transport: watched([], (type, n) => (type === 'StoreDelivery' && n === 0 ? 'block' : 'pass')) },
      async (h) => {
        const sent = await send(h)
        await h.deliver(sent)
        const first = (await h.storage.messages.byId(sent.id)).osciMessageId
        h.clock.turn(23 * 3_600_000)
        await h.storage.deliveries.sweep(h.clock(), h.clock())
        assert.equal((await h.deliver(sent)).kind, 'again')
        await h.deliver(sent)
        const { state: now, osciMessageId } = await h.storage.messages.byId(sent.id)
        assert.equal(now, 'accepted')
        assert.notEqual(osciMessageId, first)
      },
    ))

  it('waits longer and longer for an intermediary that cannot be reached, until the deadline', () =>
    withHouse({ transport: watched([], () => 'block') }, async (h) => {
      const sent = await send(h)
      const pauses: number[] = []
      for (let n = 0; n < 3; n += 1) {
        const outcome = await h.deliver(sent)
        assert.ok(outcome.kind === 'again')
        pauses.push(outcome.at.getTime() - h.clock().getTime())
      }
      assert.deepEqual(pauses, [5_000, 10_000, 20_000])
      h.clock.turn(24 * 3_600_000)
      assert.deepEqual(await h.deliver(sent), { kind: 'done' })
      const { state: now, lastError } = await h.storage.messages.byId(sent.id)
      assert.deepEqual([now, lastError], ['failed', 'mailbox/unreachable'])
    }))

  it('fails a message whose room key was destroyed before it left', () =>
    withHouse({}, async (h) => {
      const sent = await send(h)
      await h.storage.rooms.destroyKey(h.roomId, OPERATOR)
      assert.deepEqual(await h.deliver(sent), { kind: 'done' })
      const { state: now, lastError } = await h.storage.messages.byId(sent.id)
      assert.deepEqual([now, lastError], ['failed', 'storage/key-destroyed'])
    }))

  it('gives up what the intermediary refuses for good', () =>
    withHouse(
      { trust: (der) => Promise.resolve(der.equals(party('bob').cipherCertificate) ? 'revoked' : 'known') },
      async (h) => {
        const sent = await send(h)
        await h.deliver(sent)
        const { state: now, lastError } = await h.storage.messages.byId(sent.id)
        assert.deepEqual([now, lastError], ['rejected', '9707'])
      },
    ))
})

describe('the collector', () => {
  it('takes a delivery once when its ExitDialog is lost and it comes again', () =>
    withHouse(
      { transport: watched([], (type, n) => (type === 'ExitDialog' && n === 1 ? 'block' : 'pass')) },
      async (h) => {
        await h.deliver(await send(h))
        const first = await h.mailbox.collect(h.court.id)
        assert.deepEqual(first, { kind: 'interrupted', collected: 1, reason: 'mailbox/unreachable' })
        assert.deepEqual(await h.mailbox.collect(h.court.id), { kind: 'emptied', collected: 0 })
        assert.equal((await h.storage.messages.list({ mailboxId: h.court.id, direction: 'in' })).items.length, 1)
      },
    ))

  it('does not confirm what it could not save', () =>
    withHouse({}, async (h) => {
      await h.deliver(await send(h))
      const broken = await house({
        folder: h.folder,
        storage: (storage) => ({
          ...storage,
          contents: { ...storage.contents, put: () => Promise.reject(new Error('disk full')) },
        }),
      })
      await assert.rejects(broken.mailbox.collect(broken.court.id), /disk full/)
      await broken.close()
      assert.deepEqual(await h.mailbox.collect(h.court.id), { kind: 'emptied', collected: 1 })
    }))

  it('puts what it cannot read into the tray, raw bytes kept, and goes on', () =>
    withHouse({}, async (h) => {
      const opened = await openOsciDialog({
        identity: await identity('alice'),
        intermediary: { party: party('intermed'), transport: h.intermediary.transport },
        random: randomBytes,
        maxBytes: 1_000_000,
      })
      assert.ok(opened.kind === 'executed')
      const id = await opened.value.getMessageId()
      assert.ok(id.kind === 'executed')
      // Addressed to bob, encrypted for carol: nobody at bob's can read it.
      const misdirected = await storeFor(h, id.value)
      assert.equal(misdirected, 'stored')
      await h.deliver(await send(h))
      assert.deepEqual(await h.mailbox.collect(h.court.id), { kind: 'emptied', collected: 2 })
      const items = (await h.storage.messages.list({ mailboxId: h.court.id, direction: 'in' })).items
      assert.deepEqual(items.map((item) => item.state).sort(), ['received', 'tray'])
      const tray = items.find((item) => item.state === 'tray')
      assert.ok(tray?.contentId && tray.lastError === 'mailbox/wrong-recipient')
    }))

  it('finds a confirmation of another list incomplete', () =>
    withHouse({ mailbox: { practiceCourt: { mood: 'silent' } } }, async (h) => {
      const sent = await send(h)
      await h.deliver(sent)
      await h.mailbox.collect(h.court.id)
      const { queueMessage } = await import('../send.ts')
      const { osciMessageId } = await h.storage.messages.byId(sent.id)
      // The court confirms another list than the one that was sent.
      const letter = { kind: 'eingang' as const, subject: 'E', answers: osciMessageId, files: [] }
      const deps = {
        storage: h.storage,
        limits: { deliveryDeadlineMs: 3_600_000 },
        random: randomBytes,
        clock: h.clock,
      }
      const order = { mailbox: h.court, addressee: h.city, letter, attachments: [] }
      await queueMessage(deps as unknown as Parameters<typeof queueMessage>[0], order, { by: OPERATOR })
      await h.work()
      await h.mailbox.collect(h.city.id)
      await h.deliver(sent)
      const { state: now, control } = await h.storage.messages.byId(sent.id)
      assert.deepEqual([now, control], ['received', 'incomplete'])
    }))

  it('has a standing job for every own mailbox, once', () =>
    withHouse({}, async (h) => {
      await h.mailbox.ensureCollecting()
      await h.mailbox.ensureCollecting()
      const jobs = (await h.storage.jobs.list({ kind: 'collect' })).items
      assert.deepEqual(jobs.map(({ subject }) => subject).sort(), [h.city.id, h.court.id].sort())
      assert.ok(jobs.every(({ standing }) => standing))
    }))

  it('tells the worker why it could not', () =>
    withHouse({ transport: watched([], () => 'block') }, async (h) => {
      const job = { kind: 'collect', subject: h.city.id } as unknown as Parameters<
        House['mailbox']['handlers']['collect']
      >[0]
      const outcome = await h.mailbox.handlers.collect(job, new AbortController().signal)
      assert.deepEqual(outcome, { kind: 'failed', reason: 'mailbox/unreachable' })
    }))
})

/** Stores, without dialog, a delivery for bob whose content only carol can read. */
async function storeFor(h: House, messageId: string): Promise<string> {
  const { composeContent } = await import('../osci/content.ts')
  const serialize = await import('../osci/serialize.ts')
  const { sealTransport } = await import('../osci/security.ts')
  const alice = await identity('alice')
  const [own, bob, carol] = [party('alice'), party('bob'), party('carol')]
  const author = serialize.certificateEntry('SignatureCertificateOriginator', 'originator', own.signatureCertificate)
  const reader = serialize.certificateEntry('CipherCertificateOtherReader', 'reader0', carol.cipherCertificate)
  const content = await composeContent(
    {
      inline: Buffer.from('x'),
      attachments: [],
      author: { key: alice.signing, certificateId: author.id },
      reader: { certificate: carol.cipherCertificate, certificateId: reader.id },
    },
    randomBytes,
  )
  const bytes = await writeMessage(
    {
      type: 'StoreDelivery',
      control: { response: null, challenge: 'c', conversationId: null, sequenceNumber: 0 },
      blocks: [
        serialize.desiredLanguages(),
        serialize.operationHeader('storeDelivery', serialize.messageIdText(messageId)),
        serialize.nonIntermediaryCertificates([
          author,
          reader,
          serialize.certificateEntry('CipherCertificateOriginator', 'originator', own.cipherCertificate),
          serialize.certificateEntry('CipherCertificateAddressee', 'addressee', bob.cipherCertificate),
        ]),
      ],
      body: content.packageText,
      attachments: [],
    },
    { key: alice.signing, certificateId: author.id, as: 'client' },
    randomBytes,
  )
  const { body } = await h.intermediary.answer(sealTransport(bytes, party('intermed').cipherCertificate, randomBytes))
  const limits = { maxBytes: 1_000_000, maxParts: 3, ciphers: 'modern' as const }
  const { envelope } = await openTransport(body, alice.decryption, limits)
  const [control] = envelope.blocks
  assert.ok(control)
  // An answer without dialog has a ConversationId and no challenge.
  const { challenge, conversationId } = readControlBlock(control)
  assert.ok(challenge === null && conversationId !== null)
  const answer = JSON.stringify(envelope.blocks.map((block) => block.local))
  return answer.includes('responseToStoreDelivery') ? 'stored' : answer
}
