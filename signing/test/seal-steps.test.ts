/** Sealing in two steps and in batches, and room for what comes back. */
import assert from 'node:assert/strict'
import { SigningError, bufferAccess } from '../index.ts'
import type { RandomAccess, SealRequest, SealedPdf, SigningKey } from '../index.ts'
import { sealPdf } from '../pdf/seal.ts'
import { finishSeal, prepareSeal, sealMany } from '../pdf/seal-steps.ts'
import type { SealResume } from '../pdf/seal-steps.ts'
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
const MISFIT = /does not fit/

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

describe('a seal in two steps', () => {
  for (const [name, keyOf] of [
    ['RSA', async () => (await trialKey()).signing],
    ['ECDSA', () => Promise.resolve(ecSigningKey('prime256v1'))],
  ] as const) {
    it(`${name}: survives JSON between them`, async () => {
      const key = await keyOf()
      const source = bufferAccess(PAGE)
      const { signedAttributes, resume } = await prepareSeal(source, key, REQUEST)
      const later = JSON.parse(JSON.stringify(resume)) as SealResume
      const [value] = await key.sign([signedAttributes])
      const sealed = await finishSeal(source, later, value ?? Buffer.alloc(0))
      const pdf = await collect(sealed)
      assert.equal(pdf.length, sealed.size)
      const [signature] = await readSignatures(await openDocument(bufferAccess(pdf)))
      assert.equal(signature?.end, pdf.length)
    })
  }

  it('gives the same bytes as one step', async () => {
    const { signing } = await trialKey()
    const source = bufferAccess(PAGE)
    const { signedAttributes, resume } = await prepareSeal(source, signing, REQUEST)
    const [value] = await signing.sign([signedAttributes])
    const pdf = await collect(await finishSeal(source, resume, value ?? Buffer.alloc(0)))
    assert.ok(pdf.equals(await collect(await sealPdf(source, signing, REQUEST))))
  })

  it('does not take a value for something else, or another document', async () => {
    const { signing } = await trialKey()
    const source = bufferAccess(PAGE)
    const { signedAttributes, resume } = await prepareSeal(source, signing, REQUEST)
    const [value, other] = await signing.sign([signedAttributes, Buffer.from('something else')])
    assert.ok(value !== undefined && other !== undefined)
    await assert.rejects(finishSeal(source, resume, other), refusedAs('signing/signature-failed'))
    await assert.rejects(finishSeal(source, resume, Buffer.alloc(0)), MISFIT)
    const longer = bufferAccess(Buffer.concat([PAGE, Buffer.from('\n')]))
    await assert.rejects(finishSeal(longer, resume, value), refusedAs('signing/source-changed'))
    const changed = Buffer.from(PAGE)
    changed[100] = (changed[100] ?? 0) ^ 1
    const sealed = await finishSeal(bufferAccess(changed), resume, value)
    await assert.rejects(collect(sealed), refusedAs('signing/source-changed'))
  })
})

describe('a batch of seals', () => {
  it('asks the key once, and names what could not be sealed', async () => {
    const { key, calls } = counted((await trialKey()).signing)
    const documents = [PAGE, Buffer.from('no PDF'), buildPdf({ objects: onePage(), style: 'stream' }), PAGE]
    const outcomes = await sealMany(documents.map(bufferAccess), key, REQUEST)
    assert.deepEqual(calls, [3])
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.kind === 'sealed' ? 'sealed' : outcome.error.code)),
      ['sealed', 'signing/not-a-pdf', 'sealed', 'sealed'],
    )
    for (const outcome of outcomes) {
      if (outcome.kind === 'refused') continue
      assert.equal((await sealState(await collect(outcome.sealed))).kind, 'intact')
    }
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
