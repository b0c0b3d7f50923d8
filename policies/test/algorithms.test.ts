import assert from 'node:assert/strict'
import { judgeAlgorithm, judgeDigest, judgeKey, judgeSigningKey } from '../algorithms.ts'
import type { AlgorithmUse } from '../algorithms.ts'

const rsa = (keyBits: number, signature = 'rsa-pss', digest = 'sha256'): AlgorithmUse => ({
  signature,
  digest,
  keyKind: 'rsa',
  keyBits,
})

describe('judging the algorithms of a signature', () => {
  it('finds RSA below 3000 bit good in Europe and at its end in Germany when 2025 is over', () => {
    const lastSecond = new Date('2025-12-31T23:59:59Z')
    const newYear = new Date('2026-01-01T00:00:00Z')
    assert.equal(judgeAlgorithm(rsa(2048), 'bnetza', lastSecond).kind, 'good')
    assert.deepEqual(judgeAlgorithm(rsa(2048), 'bnetza', newYear), { kind: 'ended', part: 'key', until: lastSecond })
    assert.equal(judgeAlgorithm(rsa(2048), 'ts119312', newYear).kind, 'good')
    assert.equal(judgeAlgorithm(rsa(2048), 'ts119312', new Date('2029-01-01T00:00:00Z')).kind, 'ended')
  })

  it('ends PKCS#1 v1.5 in Europe with 2028, whatever the length of the key', () => {
    const later = new Date('2029-06-01T00:00:00Z')
    const verdict = judgeAlgorithm(rsa(4096, 'rsa-pkcs1'), 'ts119312', later)
    assert.deepEqual(verdict, { kind: 'ended', part: 'scheme', until: new Date('2029-01-01T00:00:00Z') })
    assert.equal(judgeAlgorithm(rsa(4096), 'ts119312', later).kind, 'good')
    assert.equal(judgeAlgorithm(rsa(4096, 'rsa-pkcs1'), 'bnetza', later).kind, 'good')
  })

  it('names the part that ended first', () => {
    const verdict = judgeAlgorithm(rsa(1024, 'rsa-pkcs1', 'sha1'), 'ts119312', new Date('2026-01-01T00:00:00Z'))
    assert.deepEqual(verdict, { kind: 'ended', part: 'digest', until: new Date('2012-08-01T00:00:00Z') })
  })

  it('tells the next end of what is still good', () => {
    const verdict = judgeAlgorithm(rsa(3072, 'rsa-pkcs1', 'sha224'), 'ts119312', new Date('2026-01-01T00:00:00Z'))
    assert.deepEqual(verdict, { kind: 'good', until: new Date('2029-01-01T00:00:00Z') })
  })

  it('refuses what no table names, even beside something that ended', () => {
    const at = new Date('2026-01-01T00:00:00Z')
    assert.deepEqual(judgeAlgorithm(rsa(3072, 'rsa-pss', 'tiger'), 'ts119312', at), { kind: 'refused', part: 'digest' })
    assert.deepEqual(judgeAlgorithm(rsa(3072, 'unknown', 'sha1'), 'ts119312', at), { kind: 'refused', part: 'scheme' })
    assert.deepEqual(judgeAlgorithm(rsa(512), 'ts119312', at), { kind: 'refused', part: 'key' })
    assert.deepEqual(judgeAlgorithm({ ...rsa(3072), digest: null }, 'bnetza', at), { kind: 'refused', part: 'digest' })
  })

  it('takes EdDSA without a digest, and curves by the size of their field', () => {
    const at = new Date('2026-01-01T00:00:00Z')
    const ed: AlgorithmUse = { signature: 'eddsa', digest: null, keyKind: 'ed25519', keyBits: 255 }
    assert.deepEqual(judgeAlgorithm(ed, 'bnetza', at), { kind: 'good', until: null })
    assert.equal(judgeKey({ keyKind: 'ec', keyBits: 256 }, 'bnetza', at).kind, 'good')
    assert.equal(judgeKey({ keyKind: 'ec', keyBits: 224 }, 'ts119312', at).kind, 'ended')
    assert.equal(judgeKey({ keyKind: 'ec', keyBits: 192 }, 'ts119312', at).kind, 'refused')
  })

  it('finds SHA-1 good as long as it was', () => {
    assert.equal(judgeDigest('sha1', 'ts119312', new Date('2012-07-31T00:00:00Z')).kind, 'good')
    assert.equal(judgeDigest('sha1', 'bnetza', new Date('2012-07-31T00:00:00Z')).kind, 'ended')
    assert.equal(judgeDigest('sha3-512', 'bnetza', new Date('2100-01-01T00:00:00Z')).kind, 'good')
  })
})

describe('judging a key for new signatures', () => {
  it('refuses short RSA, warns a year before an end, and finds long RSA good', () => {
    const now = new Date('2026-03-01T00:00:00Z')
    assert.equal(judgeSigningKey({ kind: 'rsa', bits: 3072 }, now).kind, 'good')
    assert.equal(judgeSigningKey({ kind: 'rsa', bits: 2048 }, now).kind, 'refused')
    assert.equal(judgeSigningKey({ kind: 'rsa', bits: 1024 }, now).kind, 'refused')
    assert.equal(judgeSigningKey({ kind: 'rsa', bits: 2048 }, new Date('2025-06-01T00:00:00Z')).kind, 'ending')
    assert.equal(judgeSigningKey({ kind: 'ec', bits: 256 }, now).kind, 'good')
  })
})
