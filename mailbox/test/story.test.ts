/** A message from a room to the practice court and back: sent, collected, confirmed, checked. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { FileId } from '../../storage/index.ts'
import { httpTransport } from '../index.ts'
import { parseMime } from '../osci/mime.ts'
import { sha256 } from '../stored-bytes.ts'
import { describeWithPostgresql, sharedPostgresql } from '../../storage/test/support/postgresql-server.ts'
import { OPERATOR, house, serve } from './support/house.ts'
import type { House, HouseOptions } from './support/house.ts'

async function withHouse(options: HouseOptions, work: (house: House) => Promise<void>): Promise<void> {
  const h = await house(options)
  try {
    await work(h)
  } finally {
    await h.close()
  }
}

const overHttp = (url: string) =>
  httpTransport({ url, connectTimeoutMs: 5_000, answerTimeoutMs: 20_000, maxAnswerBytes: 10_000_000 })

const order = (h: House, files: FileId[]) => ({
  mailbox: h.city.id,
  to: h.court.address,
  subject: 'Klage Müller ./. Stadt <&>',
  files,
})

describe('a message to the practice court', () => {
  it('arrives byte by byte, is confirmed and its control closes', () =>
    withHouse({}, async (h) => {
      const bytes = randomBytes(300_000)
      const files = [await h.addFile('Klageschrift äöü.pdf', bytes), await h.addFile('Anlage_1.pdf', Buffer.alloc(0))]
      const sent = await h.mailbox.send(order(h, files), OPERATOR)
      assert.equal(sent.state, 'queued')
      const outcome = await h.deliver(sent)
      assert.equal(outcome.kind, 'again')
      const accepted = await h.storage.messages.byId(sent.id)
      assert.equal(accepted.state, 'accepted')
      assert.ok(accepted.receipt && accepted.acceptedAt && accepted.osciMessageId)
      assert.deepEqual(await h.mailbox.collect(h.court.id), { kind: 'emptied', collected: 1 })
      const [arrived] = (await h.storage.messages.list({ mailboxId: h.court.id, direction: 'in' })).items
      assert.ok(arrived)
      assert.equal(arrived.author, 'valid')
      assert.equal(arrived.subject, 'Klage Müller ./. Stadt <&>')
      assert.equal(arrived.partner, h.city.address)
      const first = await h.mailbox.openAttachment(arrived.id, 0)
      assert.equal(first.attachment.name, 'Klageschrift äöü.pdf')
      assert.equal(sha256(await buffer(first.stream)), sha256(bytes))
      // The court's answer is an ordinary message that the relay delivers.
      await h.work()
      assert.deepEqual(await h.mailbox.collect(h.city.id), { kind: 'emptied', collected: 1 })
      assert.equal((await h.storage.messages.byId(sent.id)).control, 'complete')
      assert.deepEqual(await h.deliver(sent), { kind: 'done' })
      const checked = await h.storage.messages.byId(sent.id)
      assert.equal(checked.state, 'checked')
      assert.ok(checked.receptionReceipt && checked.receivedAt)
      assert.deepEqual((await h.storage.audit.verify()).kind, 'whole')
    }))

  it('keeps receipts as they came, with the signature of the intermediary inside', () =>
    withHouse({}, async (h) => {
      const sent = await h.mailbox.send(order(h, [await h.addFile('a.pdf', Buffer.from('x'))]), OPERATOR)
      await h.deliver(sent)
      const { receipt, osciMessageId } = await h.storage.messages.byId(sent.id)
      assert.ok(receipt && osciMessageId)
      const { soap } = parseMime(receipt, { maxBytes: 1_000_000, maxParts: 1 })
      assert.match(soap.toString(), /<osci:SupplierSignature/)
      assert.match(soap.toString(), new RegExp(Buffer.from(osciMessageId).toString('base64').slice(0, 60)))
    }))

  it('shows the intermediary neither subject nor content', () =>
    withHouse({}, async (h) => {
      const secret = 'streng geheimer Inhalt'
      const sent = await h.mailbox.send(order(h, [await h.addFile('a.txt', Buffer.from(secret))]), OPERATOR)
      await h.deliver(sent)
      const [kept] = await h.storage.deliveries.find({
        client: (await import('../osci/identity.ts')).fingerprint(h.court.cipherCertificate),
        role: 'addressee',
        limit: 2,
      })
      assert.ok(kept)
      assert.equal(kept.subject, 'Allgemeine Nachricht')
      const seen = await buffer((await h.storage.contents.open(kept.contentId)).stream)
      assert.equal(seen.includes(secret), false)
      assert.equal(seen.includes('Klage'), false)
    }))

  it('goes over a real HTTP connection', async () => {
    let url = ''
    await withHouse({ transport: () => (message, signal) => overHttp(url)(message, signal) }, async (h) => {
      const server = await serve(h.intermediary)
      url = server.url
      try {
        const sent = await h.mailbox.send(order(h, [await h.addFile('a.pdf', randomBytes(100_000))]), OPERATOR)
        await h.deliver(sent)
        assert.equal((await h.storage.messages.byId(sent.id)).state, 'accepted')
      } finally {
        await server.close()
      }
    })
  })

  it('stays without confirmation when the court is silent', () =>
    withHouse({ mailbox: { practiceCourt: { mood: 'silent' } } }, async (h) => {
      const sent = await h.mailbox.send(order(h, [await h.addFile('a.pdf', Buffer.from('x'))]), OPERATOR)
      await h.deliver(sent)
      await h.mailbox.collect(h.court.id)
      assert.deepEqual(await h.deliver(sent), { kind: 'done' })
      const { state, control } = await h.storage.messages.byId(sent.id)
      assert.deepEqual({ state, control }, { state: 'received', control: null })
      assert.deepEqual(await h.mailbox.collect(h.city.id), { kind: 'emptied', collected: 0 })
    }))

  it('is confirmed later when the court is late', () =>
    withHouse({ mailbox: { practiceCourt: { mood: 'late', delayMs: 3_600_000 } } }, async (h) => {
      const sent = await h.mailbox.send(order(h, [await h.addFile('a.pdf', Buffer.from('x'))]), OPERATOR)
      await h.deliver(sent)
      await h.mailbox.collect(h.court.id)
      const jobs = (await h.storage.jobs.list({ kind: 'deliver' })).items
      const due = jobs.map((job) => job.due?.getTime() ?? 0).sort((a, b) => a - b)
      assert.equal(due.at(-1), h.clock().getTime() + 3_600_000)
    }))
})

describeWithPostgresql('a message to the practice court, on PostgreSQL', function () {
  this.timeout(120_000)

  it('goes the whole way there and back', async () => {
    const url = await (await sharedPostgresql()).createDatabase()
    await withHouse({ database: { kind: 'postgresql', url } }, async (h) => {
      const bytes = randomBytes(30_000)
      const sent = await h.mailbox.send(order(h, [await h.addFile('a.pdf', bytes)]), OPERATOR)
      await h.deliver(sent)
      // Two collectors at once: one of them keeps the delivery.
      const both = await Promise.all([h.mailbox.collect(h.court.id), h.mailbox.collect(h.court.id)])
      assert.equal(
        both.reduce((sum, { collected }) => sum + collected, 0),
        1,
      )
      await h.work()
      await h.mailbox.collect(h.city.id)
      await h.deliver(sent)
      const { state, control } = await h.storage.messages.byId(sent.id)
      assert.deepEqual({ state, control }, { state: 'checked', control: 'complete' })
      assert.equal((await h.storage.audit.verify()).kind, 'whole')
    })
  })
})

describe('a message that cannot be sent', () => {
  const refused = (what: string, code: string, change: (h: House) => Promise<Partial<ReturnType<typeof order>>>) => {
    it(what, () =>
      withHouse({ mailbox: { limits: { maxFiles: 3, maxBytes: 1_000 } } }, async (h) => {
        const good = order(h, [await h.addFile('a.pdf', Buffer.from('x'))])
        await assert.rejects(h.mailbox.send({ ...good, ...(await change(h)) }, OPERATOR), { code })
        assert.equal((await h.storage.messages.list({})).items.length, 0)
      }),
    )
  }
  refused('names no file', 'mailbox/nothing-to-send', () => Promise.resolve({ files: [] }))
  refused('goes to nobody we know', 'mailbox/unknown-addressee', () => Promise.resolve({ to: 'nobody@example' }))
  refused('comes from a mailbox of somebody else', 'mailbox/unknown-mailbox', async (h) => {
    const { cipherCertificate, signatureCertificate } = h.court
    const certificates = { cipherCertificate, signatureCertificate }
    const foreign = { name: 'foreign', address: 'f@example', ...certificates, kind: 'partner' as const }
    return { mailbox: (await h.storage.mailboxes.create(foreign, OPERATOR)).id }
  })
  refused('carries too many bytes', 'mailbox/too-large', async (h) => ({
    files: [await h.addFile('big.pdf', Buffer.alloc(1_001))],
  }))
  refused('carries too many files', 'mailbox/too-large', async (h) => {
    const names = ['1.pdf', '2.pdf', '3.pdf', '4.pdf']
    return { files: await Promise.all(names.map((name) => h.addFile(name, Buffer.from(name)))) }
  })
  refused('carries two names that differ in case only', 'mailbox/bad-attachment-name', async (h) => ({
    files: [await h.addFile('A.pdf', Buffer.from('1')), await h.addFile('b.PDF', Buffer.from('2'))].concat(
      await h.addFile('B.pdf', Buffer.from('3')),
    ),
  }))
  refused('carries a name that breaks a MIME header', 'mailbox/bad-attachment-name', async (h) => ({
    files: [await h.addFile('a<b>.pdf', Buffer.from('1'))],
  }))
  refused('carries a name that breaks signatures in the common library', 'mailbox/bad-attachment-name', async (h) => ({
    files: [await h.addFile('Müller & Sohn.pdf', Buffer.from('1'))],
  }))
})
