/** Mutated answers, tokens and signatures: no fault but our own, and never a pass for something that was changed. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { signCades } from '../cms/cades.ts'
import { readSignedData } from '../cms/container.ts'
import { verifySigner } from '../cms/signer.ts'
import { SigningError, bufferAccess } from '../index.ts'
import type { Http } from '../http.ts'
import { timestampRequest } from '../timestamp/request.ts'
import { checkResponse } from '../timestamp/response.ts'
import { parseToken } from '../timestamp/token.ts'
import { startTestAuthority } from './support/test-authority.ts'
import { dice } from './support/dice.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const COUNT = process.env['AMTSBOTE_PROVE'] === '1' ? 20_000 : 1_000
const CONTENT = Buffer.from('Bescheid')
const DIGEST = createHash('sha256').update(CONTENT).digest()

function mutate(bytes: Buffer, below: (count: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = below(copy.length)
  switch (below(4)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
      return copy
    case 1:
      copy[at] = below(256)
      return copy
    case 2:
      return copy.subarray(0, at)
    default:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + below(8))])
  }
}

describe('mutated time-stamps and signatures', () => {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? Date.now() % 1_000_000)

  it(`an answer passes only with what it said before (seed ${seed})`, async () => {
    const authority = await startTestAuthority(NOW)
    const request = timestampRequest('sha256', DIGEST, Buffer.alloc(16, 7))
    const ask: Parameters<Http>[0] = {
      method: 'POST',
      url: `${authority.url}/tsa`,
      body: request.der,
      timeoutMs: 1000,
      maxBytes: 100_000,
    }
    const { body } = await authority.http(ask)
    await authority.close()
    const conditions = { now: NOW, trusts: () => true }
    const first = await checkResponse(request, body, conditions)
    assert.ok(first.kind === 'accepted')
    const below = dice(seed)
    let rejected = 0
    for (let count = 0; count < COUNT; count++) {
      const verdict = await checkResponse(request, mutate(body, below), conditions)
      if (verdict.kind === 'rejected') rejected++
      else assert.deepEqual(verdict.token.signedData.content, first.token.signedData.content)
    }
    assert.ok(rejected > COUNT / 2)
    for (let count = 0; count < COUNT; count++) ownFault(() => parseToken(mutate(first.token.der, below)))
  }).timeout(120_000)

  it(`a signature passes only over what was signed (seed ${seed})`, async () => {
    const authority = await startTestAuthority(NOW)
    await authority.close()
    const request = { signedAt: NOW, form: 'attached' } as const
    const cms = await signCades(bufferAccess(CONTENT), authority.sealKey(), request)
    const original = readSignedData(cms).signers[0]
    const below = dice(seed)
    for (let count = 0; count < COUNT; count++) {
      const parts = ownFault(() => readSignedData(mutate(cms, below)))
      const signer = parts?.signers[0]
      if (!parts || !signer) continue
      const content = parts.content ?? Buffer.alloc(0)
      const verdict = await judge(() =>
        verifySigner(parts, signer, (digest) => createHash(digest).update(content).digest()),
      )
      if (verdict?.kind !== 'good') continue
      assert.deepEqual(content, CONTENT)
      assert.deepEqual(signer.signedAttributes, original?.signedAttributes)
    }
  }).timeout(120_000)
})

function ownFault<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

async function judge<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}
