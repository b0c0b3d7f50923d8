import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

import fc from 'fast-check'

import { chunkCount, KIND, nonceSource, openRun, sealedSize, sealRun, type ChunkKind } from '../cipher/chunks.ts'
import { newId, type SegmentId } from '../ids.ts'
import { codeIs } from './support/codes.ts'

const FORMAT = readFileSync(new URL('../FORMAT.md', import.meta.url), 'utf8')
const PART = 8 * 1024 * 1024

const vectorCipher = {
  key: Uint8Array.from({ length: 32 }, (_, i) => i),
  segmentId: '00112233-4455-4677-8899-aabbccddeeff' as SegmentId,
}
const vectorPlain = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, i) => i % 251))
const vectorSeal = (plain: Buffer, first: number, end: ChunkKind) => {
  let number = first
  const nonces = () => {
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64BE(BigInt(number++), 4)
    return nonce
  }
  const out = Buffer.alloc(sealedSize(plain.length))
  const written = sealRun(vectorCipher, { first, end, plain, nonces }, out)
  assert.equal(written, out.length)
  return out
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

const own = () => ({ key: randomBytes(32), segmentId: newId<SegmentId>(randomBytes) })
const seal = (cipher: ReturnType<typeof own>, plain: Uint8Array, run: { first: number; end: ChunkKind }) => {
  const out = Buffer.alloc(sealedSize(plain.length))
  sealRun(cipher, { ...run, plain, nonces: nonceSource(randomBytes) }, out)
  return out
}
const open = (cipher: ReturnType<typeof own>, sealed: Uint8Array, run: { first: number; end: ChunkKind }) => {
  const out = Buffer.alloc(sealed.length)
  return out.subarray(0, openRun(cipher, { ...run, sealed }, out))
}
const LAST: { first: number; end: ChunkKind } = { first: 0, end: KIND.last }

describe('sealed chunks', () => {
  const rows = [...FORMAT.matchAll(/^\| ([\d,]+) +\| ([\d,]+) +\| ([0-9a-f]{64}) \|$/gm)]
  const asNumber = (text: string | undefined) => Number((text ?? '').replaceAll(',', ''))

  it('have a vector in FORMAT.md for every interesting length', () => {
    assert.deepEqual(
      rows.map((row) => asNumber(row[1])),
      [0, 1, 65_535, 65_536, 65_537, PART + 1],
    )
  })

  for (const [, plain, sealed, digest] of rows) {
    it(`of ${plain} bytes are those of FORMAT.md`, () => {
      const bytes = vectorSeal(vectorPlain(asNumber(plain)), 0, KIND.last)
      assert.equal(bytes.length, asNumber(sealed))
      assert.equal(sha256(bytes), digest)
    })
  }

  it('of two parts, and of a tail, are those of FORMAT.md', () => {
    const plain = vectorPlain(PART + 1)
    const first = vectorSeal(plain.subarray(0, PART), 0, KIND.more)
    const second = vectorSeal(plain.subarray(PART), 128, KIND.last)
    assert.equal(first.length, 8_392_192)
    assert.ok(FORMAT.includes(sha256(first)))
    assert.ok(FORMAT.includes(`second part of 8,388,609 bytes: \`${second.toString('hex')}\``))
    assert.ok(FORMAT.includes(`kind 2): \`${vectorSeal(plain.subarray(PART), 128, KIND.tail).toString('hex')}\``))
    assert.ok(FORMAT.includes(`- 0 bytes: \`${vectorSeal(Buffer.alloc(0), 0, KIND.last).toString('hex')}\``))
    assert.ok(FORMAT.includes(`- 1 byte: \`${vectorSeal(vectorPlain(1), 0, KIND.last).toString('hex')}\``))
  })

  it('open to what was sealed, whatever the length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 2 ** 40 }), (length, first) => {
        const cipher = own()
        const plain = randomBytes(length)
        const sealed = seal(cipher, plain, { first, end: KIND.last })
        assert.equal(sealed.length, length + 28 * chunkCount(length))
        assert.ok(open(cipher, sealed, { first, end: KIND.last }).equals(plain))
      }),
      { numRuns: 30 },
    )
  })

  it('never use a nonce twice', () => {
    const nonces = nonceSource(randomBytes)
    const seen = new Set<string>()
    for (let i = 0; i < 5000; i++) seen.add(Buffer.from(nonces()).toString('hex'))
    assert.equal(seen.size, 5000)
  })

  const cipher = own()
  const plain = randomBytes(150_000)
  const sealed = seal(cipher, plain, LAST)
  const refused = (bytes: Uint8Array, run = LAST, by = cipher) => {
    assert.throws(() => open(by, bytes, run), codeIs('storage/object-damaged'))
  }

  it('do not open when any byte was altered', () => {
    for (const at of [0, 11, 12, 5000, 65_547, 65_548, 65_563, 65_564, sealed.length - 17, sealed.length - 1]) {
      const altered = Buffer.from(sealed)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      refused(altered)
    }
  })

  it('do not open when they were shortened or prolonged', () => {
    for (const length of [0, 1, 27, 28, 65_564, 131_128, sealed.length - 1]) refused(sealed.subarray(0, length))
    refused(Buffer.concat([sealed, Buffer.alloc(1)]))
    refused(Buffer.concat([sealed, seal(cipher, Buffer.alloc(0), { first: 3, end: KIND.last })]))
  })

  it('do not open in another place, of another segment, with another key, or as another kind', () => {
    refused(sealed, { first: 1, end: KIND.last })
    refused(sealed, { first: 0, end: KIND.more })
    refused(sealed, { first: 0, end: KIND.tail })
    refused(Buffer.concat([sealed.subarray(65_564, 131_128), sealed.subarray(0, 65_564), sealed.subarray(131_128)]))
    refused(sealed, LAST, { ...cipher, segmentId: newId<SegmentId>(randomBytes) })
    refused(sealed, LAST, { ...cipher, key: randomBytes(32) })
  })

  it('of a tail never open as content', () => {
    const tail = seal(cipher, plain, { first: 0, end: KIND.tail })
    refused(tail, LAST)
    refused(tail, { first: 0, end: KIND.more })
  })
})
