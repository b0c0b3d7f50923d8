/**
 * The official OSCI library as a peer against our intermediary, over real HTTP, where somebody provides it.
 *
 * AMTSBOTE_OSCI_PEER names a command that plays originator and addressee: `COMMAND dialog|store|fetch|process-card OPTIONS`,
 * one JSON object per line. It is a foreign program under a licence of its own and not part of this repository.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sha256 } from '../stored-bytes.ts'
import { OPERATOR, house, serve } from './support/house.ts'
import type { House } from './support/house.ts'

const PEER = process.env['AMTSBOTE_OSCI_PEER']
const KEYS = fileURLToPath(new URL('fixtures/keys/', import.meta.url))

interface Step {
  step?: string
  result?: string
  feedback?: [language: string, code: string, text: string][]
  messageId?: string
  signed?: boolean
  encrypted?: boolean
  processCard?: { messageId: string }
  processCards?: Record<string, unknown>[]
  encryptedData?: { container?: { contents: { sha256?: string }[]; signatures: { valid: boolean }[] } }[]
  sent?: { sha256: string }[]
}

const run = promisify(execFile)

if (PEER === undefined || PEER === '') {
  console.log('  not run: the official OSCI library as a peer: AMTSBOTE_OSCI_PEER is not set')
} else {
  describe('the official OSCI library', function () {
    this.timeout(120_000)

    type Peer = (...options: string[]) => Promise<Step[]>

    async function withPeer(work: (peer: Peer, h: House) => Promise<void>): Promise<void> {
      const h = await house()
      const server = await serve(h.intermediary)
      try {
        await work(async (command = '', who = '', ...options) => {
          const keys = [`--intermed-enc`, `${KEYS}intermed_enc.cer`, '--intermed-sig', `${KEYS}intermed_sig.cer`]
          const own = ['--sig', `${KEYS}${who}_sig.p12`, '--enc', `${KEYS}${who}_enc.p12`]
          const { stdout } = await run(PEER ?? '', [command, '--url', server.url, ...keys, ...own, ...options])
          return stdout
            .split('\n')
            .filter((line) => line.startsWith('{'))
            .map((line) => JSON.parse(line) as Step)
        }, h)
      } finally {
        await server.close()
        await h.close()
      }
    }
    const named = (steps: Step[], name: string): Step => {
      const found = steps.find(({ step }) => step === name)
      assert.ok(found, `${name} is missing`)
      return found
    }
    const code = ({ feedback }: Step): string | undefined => feedback?.[0]?.[1]

    it('opens and closes a dialog with signed and encrypted answers', () =>
      withPeer(async (peer) => {
        const steps = await peer('dialog', 'alice')
        const opened = named(steps, 'InitDialog')
        assert.deepEqual([code(opened), opened.signed, opened.encrypted], ['0801', true, true])
        assert.equal(code(named(steps, 'ExitDialog')), '0800')
      }))

    it('stores, fetches and reads the process card of what it stored', () =>
      withPeer(async (peer) => {
        const content = ['--content', 'Inhalt', '--attach', 'anlage.bin:100000', '--subject', 'Betreff']
        const security = ['--encrypt-to', `${KEYS}bob_enc.cer`, '--originator-sign', '--explicit']
        const stored = named(
          await peer('store', 'alice', '--to', `${KEYS}bob_enc.cer`, ...content, ...security),
          'StoreDelivery',
        )
        const messageId = stored.processCard?.messageId ?? ''
        assert.equal(code(stored), '0801')
        const fetched = named(await peer('fetch', 'bob', '--by', 'msgid', '--rule', messageId), 'FetchDelivery')
        assert.equal(fetched.messageId, messageId)
        const container = fetched.encryptedData?.[0]?.container
        assert.deepEqual(
          container?.signatures.map(({ valid }) => valid),
          [true],
        )
        const hashes = container.contents.map(({ sha256 }) => sha256).sort()
        assert.deepEqual(hashes, stored.sent?.map(({ sha256 }) => sha256).sort())
        const cards = named(
          await peer('process-card', 'alice', '--by', 'msgid', '--rule', messageId),
          'FetchProcessCard',
        )
        assert.ok(cards.processCards?.[0]?.['reception'])
      }))

    it('reads what our own mailbox sends, the signature of its author included', () =>
      withPeer(async (peer, h) => {
        const bytes = randomBytes(70_000)
        const files = [await h.addFile(`Klage äöü a'b%c+d#e;f=g(h)[i].pdf`, bytes)]
        const order = { mailbox: h.city.id, to: h.court.address, subject: 'Klage', files }
        const sent = await h.mailbox.send(order, OPERATOR)
        await h.deliver(sent)
        const fetched = named(await peer('fetch', 'bob'), 'FetchDelivery')
        assert.equal(fetched.messageId, (await h.storage.messages.byId(sent.id)).osciMessageId)
        const container = fetched.encryptedData?.[0]?.container
        assert.deepEqual(
          container?.signatures.map(({ valid }) => valid),
          [true],
        )
        assert.ok(container.contents.some((content) => content.sha256 === sha256(bytes)))
        // The library's ExitDialog was the receipt.
        await h.deliver(sent)
        assert.equal((await h.storage.messages.byId(sent.id)).state, 'received')
      }))
  })
}
