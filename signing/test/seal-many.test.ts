/** Sealing in batches, and room for what comes back. */
import assert from 'node:assert/strict'
import { SigningError, bufferAccess } from '../index.ts'
import type { RandomAccess, SealRequest, SealedPdf, SigningKey } from '../index.ts'
import { sealPdf } from '../pdf/seal.ts'
import { sealMany } from '../pdf/seal-many.ts'
import type { SealOutcome } from '../pdf/seal-many.ts'
import { readSignatures } from '../pdf/signatures.ts'
import { openDocument } from '../pdf/document.ts'
import { documentTimestamp } from '../pdf/document-timestamp.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { startTestAuthority } from './support/test-authority.ts'
import { NOW, ecSigningKey, trialKey } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'

const REQUEST: SealRequest = { signedAt: NOW, reason: 'geprüft' }
const PAGE = buildPdf({ objects: onePage() })

async function collect({ bytes }: Pick<SealedPdf, 'bytes'>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

const refusedAs = (code: string) => (error: unknown) => error instanceof SigningError && error.code === code

/** Counts how often the key is asked, and with how many messages. */
function counted(key: SigningKey): { key: SigningKey; calls: number[] } {
  const calls: number[] = []
  const sign: SigningKey['sign'] = (messages, algorithm) => {
    calls.push(messages.length)
    return key.sign(messages, algorithm)
  }
  const { certificateChain, algorithm, kind, signatureBytes } = key
  return { key: { certificateChain, algorithm, kind, signatureBytes, sign }, calls }
}

function sealedOf(outcome: SealOutcome | undefined): Extract<SealOutcome, { kind: 'sealed' }> {
  assert.ok(outcome?.kind === 'sealed')
  return outcome
}

const codeOf = (outcome: SealOutcome): string => (outcome.kind === 'sealed' ? 'sealed' : outcome.error.code)

describe('a batch of seals', () => {
  it('asks the key once, and names what could not be sealed', async () => {
    const { key, calls } = counted((await trialKey()).signing)
    const documents = [PAGE, Buffer.from('no PDF'), buildPdf({ objects: onePage(), style: 'stream' }), PAGE]
    const outcomes = await sealMany(documents.map(bufferAccess), key, REQUEST)
    assert.deepEqual(calls, [3])
    assert.deepEqual(outcomes.map(codeOf), ['sealed', 'signing/not-a-pdf', 'sealed', 'sealed'])
    for (const outcome of outcomes) {
      if (outcome.kind === 'refused') continue
      assert.equal((await sealState(await collect(outcome.sealed))).kind, 'intact')
    }
  })

  for (const [name, keyOf] of [
    ['RSA', async () => (await trialKey()).signing],
    ['ECDSA', () => Promise.resolve(ecSigningKey('prime256v1'))],
  ] as const) {
    it(`makes seals that hold, of the size that it says (${name})`, async () => {
      const [outcome] = await sealMany([bufferAccess(PAGE)], await keyOf(), REQUEST)
      const { sealed } = sealedOf(outcome)
      const pdf = await collect(sealed)
      assert.equal(pdf.length, sealed.size)
      const [signature] = await readSignatures(await openDocument(bufferAccess(pdf)))
      assert.equal(signature?.end, pdf.length)
    })
  }

  it('gives the same bytes whenever it is read', async () => {
    const [outcome] = await sealMany([bufferAccess(PAGE)], (await trialKey()).signing, REQUEST)
    const { sealed } = sealedOf(outcome)
    const first = await collect(sealed)
    assert.ok((await collect(sealed)).equals(first))
    assert.equal((await sealState(first)).kind, 'intact')
  })

  it('gives the same bytes as a seal alone', async () => {
    const { signing } = await trialKey()
    const [outcome] = await sealMany([bufferAccess(PAGE)], signing, REQUEST)
    const alone = await collect(await sealPdf(bufferAccess(PAGE), signing, REQUEST))
    assert.ok((await collect(sealedOf(outcome).sealed)).equals(alone))
  })

  it('refuses values that belong to another document, or are none (ECDSA, which the key itself does not look at)', async () => {
    const key = ecSigningKey('prime256v1')
    const other = buildPdf({ objects: onePage(), style: 'stream' })
    const swapped: SigningKey = { ...key, sign: async (messages) => (await key.sign(messages)).reverse() }
    const none: SigningKey = { ...key, sign: (messages) => Promise.resolve(messages.map(() => Buffer.alloc(0))) }
    for (const wrong of [swapped, none]) {
      const outcomes = await sealMany([bufferAccess(PAGE), bufferAccess(other)], wrong, REQUEST)
      assert.deepEqual(outcomes.map(codeOf), ['signing/signature-failed', 'signing/signature-failed'])
    }
  })

  it('refuses values of RSA that have another length, or are missing', async () => {
    const { signing } = await trialKey()
    const short: SigningKey = { ...signing, sign: () => Promise.resolve([Buffer.alloc(383)]) }
    const outcomes = await sealMany([bufferAccess(PAGE), bufferAccess(PAGE)], short, REQUEST)
    assert.deepEqual(outcomes.map(codeOf), ['signing/signature-failed', 'signing/signature-failed'])
  })

  it('does not join a value to a document that has changed meanwhile', async () => {
    const { signing } = await trialKey()
    const document = Buffer.from(PAGE)
    const [outcome] = await sealMany([bufferAccess(document)], signing, REQUEST)
    document[100] = (document[100] ?? 0) ^ 1
    await assert.rejects(collect(sealedOf(outcome).sealed), refusedAs('signing/source-changed'))
  })

  it('does not ask the key for nothing', async () => {
    const { key, calls } = counted((await trialKey()).signing)
    const [outcome] = await sealMany([bufferAccess(Buffer.from('no PDF'))], key, REQUEST)
    assert.equal(outcome?.kind, 'refused')
    assert.deepEqual(calls, [])
  })
})

describe('a time-stamp larger than its authority said', () => {
  const withSmallRoom = (source: TimestampSource): TimestampSource => ({
    digest: source.digest,
    tokenBytes: 100,
    stamp: (value) => source.stamp(value),
  })

  it('makes a batch whose seals fit all the same', async () => {
    const authority = await startTestAuthority(NOW)
    try {
      const request = { ...REQUEST, timestamps: withSmallRoom(authority.timestamps()) }
      const outcomes = await sealMany([bufferAccess(PAGE), bufferAccess(PAGE)], authority.sealKey(), request)
      for (const outcome of outcomes) {
        const pdf = await collect(sealedOf(outcome).sealed)
        const [signature] = await readSignatures(await openDocument(bufferAccess(pdf)))
        assert.ok(signature?.kind === 'signature' && signature.timestamps.length === 1)
      }
    } finally {
      await authority.close()
    }
  })

  it('makes a seal and a document time-stamp that fit at the second attempt', async () => {
    const authority = await startTestAuthority(NOW)
    try {
      const timestamps = withSmallRoom(authority.timestamps())
      const source: RandomAccess = bufferAccess(PAGE)
      const sealed = await sealPdf(source, authority.sealKey(), { ...REQUEST, timestamps })
      const expected = sealed.size
      const pdf = await collect(sealed)
      assert.ok(sealed.size > expected)
      assert.equal(pdf.length, sealed.size)
      const stamped = Buffer.concat([pdf, await documentTimestamp(bufferAccess(pdf), timestamps)])
      const signatures = await readSignatures(await openDocument(bufferAccess(stamped)))
      assert.deepEqual(
        signatures.map(({ kind, end }) => [kind, end]),
        [
          ['signature', pdf.length],
          ['timestamp', stamped.length],
        ],
      )
    } finally {
      await authority.close()
    }
  })
})
