/**
 * Every recorded message of the official library: off the wire, verified, opened; every broken variant refused by its code.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { MailboxError } from '../index.ts'
import { openContent } from '../osci/content-reading.ts'
import { decisiveEntry } from '../osci/feedback.ts'
import { readControlBlock, readFaultCode, readFeedback, readMessageId } from '../osci/parse.ts'
import { readProcessCards } from '../osci/process-card.ts'
import type { OsciMessage } from '../osci/security.ts'
import type { XmlElement } from '../../signing/index.ts'
import {
  FIXTURES,
  certificate,
  certificatesOf,
  fixtureNamed,
  judge,
  keyPair,
  receive,
  wireBytes,
} from './support/fixtures.ts'
import type { Fixture } from './support/fixtures.ts'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const CODES: Record<string, string> = {
  'mailbox/malformed': '9100',
  'mailbox/wrong-recipient': '9200',
  'mailbox/undecryptable': '9202',
}

/** The code with which a receiver refuses, or the message. */
async function read(fixture: Fixture): Promise<{ refused: string } | { message: OsciMessage; type: string | null }> {
  try {
    const recipient = fixture.expected.transportEncryption?.recipient ?? recipientOfBase(fixture)
    const opened = await receive(wireBytes(fixture), recipient)
    const verdict = judge(opened)
    if (verdict.kind === 'accepted') return { message: verdict.message, type: opened.envelope.type }
    return { refused: verdict.kind === 'wrong' ? '9601' : '9602' }
  } catch (error) {
    assert.ok(error instanceof MailboxError, String(error))
    return { refused: CODES[error.code] ?? error.code }
  }
}

/** A message for a stranger is read with the key of who should have got it. */
function recipientOfBase({ id, base }: Fixture): string {
  const name = base ?? id.replace(/--.*/, '')
  return FIXTURES.find((fixture) => fixture.id === name)?.expected.transportEncryption?.recipient ?? 'intermed_enc'
}

describe('messages of the official library', () => {
  for (const fixture of FIXTURES.filter(
    ({ expected, category }) => expected.accept === true && category !== 'broken',
  )) {
    it(`reads ${fixture.id}`, async () => {
      const { expected } = fixture
      const found = await read(fixture)
      assert.ok('message' in found, 'refused' in found ? found.refused : '')
      const { message } = found
      if (fixture.category === 'fault') {
        assert.equal(found.type, null)
        assert.equal(readFaultCode(message.body), fixture.id.slice(-4))
        return
      }
      assert.equal(found.type, expected.messageType)
      const signer = expected.messageSignature?.valid === true ? expected.messageSignature.signer : null
      assert.deepEqual(message.signer, signer && certificate(signer))
      const headers = expected.headers?.filter((name) => !/^(?:Client|Supplier)Signature$/.test(name))
      assert.deepEqual(
        message.blocks.map(({ local }) => local),
        headers,
      )
      assert.deepEqual(controlOf(message), expected.controlBlock)
      const wire = expected.attachmentsOnWire?.map(({ contentId, sha256: hash }) => `${contentId} ${hash}`).sort()
      assert.deepEqual(message.parts.map(({ name, body }) => `${name} ${sha256(body)}`).sort(), wire ?? [])
    })
  }

  for (const fixture of FIXTURES.filter(({ category }) => category === 'broken')) {
    it(`gives ${fixture.id} what it deserves`, async () => {
      const { expected } = fixture
      const found = await read(fixture)
      if ('refused' in found) {
        assert.ok(expected.codes?.includes(found.refused), `${found.refused} is not in ${String(expected.codes)}`)
      } else if (expected.accept === 'policy') assert.equal(found.message.signer, null)
      else if (!expected.accept) {
        // What remains is wrong in its dialog: the challenge or number that it answers.
        assert.deepEqual(expected.codes, ['9400'])
        assert.notDeepEqual(controlOf(found.message), fixtureNamed(fixture.base ?? '').expected.controlBlock)
      } else assert.ok(found.message.signer)
    })
  }
})

function controlOf(message: OsciMessage): unknown {
  const block = message.blocks[0]
  return block && readControlBlock(block)
}

describe('content of the official library', () => {
  const withContent = FIXTURES.filter(
    ({ expected, category }) => expected.content !== undefined && expected.accept === true && category !== 'fault',
  )
  for (const fixture of withContent) {
    it(`opens ${fixture.id} and judges its authors`, async () => {
      const recipient = fixture.expected.transportEncryption?.recipient ?? recipientOfBase(fixture)
      const opened = await receive(wireBytes(fixture), recipient)
      const verdict = judge(opened)
      assert.ok(verdict.kind === 'accepted')
      const text = JSON.stringify(fixture.expected.content)
      const reader = text.includes('"bob_enc"') || !text.includes('"alice_enc"') ? 'bob_enc' : 'alice_enc'
      const { decryption } = await keyPair(reader)
      const certificates = certificatesOf(opened.envelope)
      const content = await openContent(verdict.message, certificates, { key: decryption, ciphers: 'legacy-allowed' })
      const hashes = [...content.inline.map(({ bytes }) => bytes), ...content.attachments.map(({ body }) => body)]
      const wanted = [...text.matchAll(/"sha256":"([0-9a-f]{64})"/g)].map((match) => match[1])
      assert.deepEqual(hashes.map(sha256).sort(), wanted.sort())
      assert.equal(content.unreadable, 0)
      const verdicts = [...text.matchAll(/"valid":(true|false)/g)].map((match) => match[1] === 'true')
      if (verdicts.includes(false)) assert.equal(content.author, 'invalid')
      else assert.notEqual(content.author, 'invalid')
      if (verdicts.length === 0) assert.equal(content.author, 'unsigned')
      else assert.ok(content.signers.length > 0)
    })
  }

  it('finds an altered author signature invalid without refusing the message', async () => {
    const name = 'p-req-store-encrypted-content-signed-plain--author-signature-invalid'
    const opened = await receive(wireBytes(fixtureNamed(name)))
    const verdict = judge(opened)
    assert.ok(verdict.kind === 'accepted')
    const { decryption } = await keyPair('bob_enc')
    const certificates = certificatesOf(opened.envelope)
    const content = await openContent(verdict.message, certificates, { key: decryption, ciphers: 'legacy-allowed' })
    assert.equal(content.author, 'invalid')
  })

  it('counts what is encrypted for others instead of failing', async () => {
    const opened = await receive(wireBytes(fixtureNamed('p-req-store-encrypted-content-signed-plain')))
    const verdict = judge(opened)
    assert.ok(verdict.kind === 'accepted')
    const { decryption } = await keyPair('eve_enc')
    const certificates = certificatesOf(opened.envelope)
    const content = await openContent(verdict.message, certificates, { key: decryption, ciphers: 'modern' })
    assert.ok(content.unreadable > 0)
  })

  it('refuses old ciphers unless they are asked for', async () => {
    const { decryption } = await keyPair('intermed_enc')
    const { openTransport } = await import('../osci/security.ts')
    const limits = { maxBytes: 1_000_000, maxParts: 10, ciphers: 'modern' as const }
    const bytes = wireBytes(fixtureNamed('p-req-store-cbc-rsa15-signed-enc'))
    await assert.rejects(openTransport(bytes, decryption, limits), { code: 'mailbox/malformed' })
  })
})

describe('answers of the intermediary as the official library reads them', () => {
  const operation = (message: OsciMessage, name: string): XmlElement => {
    const children = message.body.children.filter((child) => typeof child !== 'string')
    const found = [...message.blocks, ...children].find(({ local }) => local === name)
    assert.ok(found, name)
    return found
  }

  it('reads a process card with its stamps', async () => {
    const fixture = fixtureNamed('p-rsp-processcard-signed-enc')
    const verdict = judge(await receive(wireBytes(fixture), fixture.expected.transportEncryption?.recipient))
    assert.ok(verdict.kind === 'accepted')
    const found = operation(verdict.message, 'responseToFetchProcessCard')
    const [card] = readProcessCards(found)
    assert.ok(card?.creation)
    assert.match(decisiveEntry(readFeedback(found))?.code ?? '', /^080[01]$/)
  })

  it('reads an issued message id', async () => {
    const fixture = fixtureNamed('p-rsp-getmessageid-explicit-signed-plain')
    const verdict = judge(await receive(wireBytes(fixture)))
    assert.ok(verdict.kind === 'accepted')
    const found = operation(verdict.message, 'responseToGetMessageId')
    const id = found.children.find((child) => typeof child !== 'string' && child.local === 'MessageId')
    assert.ok(id && typeof id !== 'string')
    assert.equal(readMessageId(id), fixture.expected.messageId)
  })
})
