/** Mutated signature files: no fault of ours, no hang, and nothing holds together once a signed byte is another. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { addCadesSigner, signCades } from '../cms/cades.ts'
import { extendCades } from '../cms/cades-levels.ts'
import type { AdesLevel } from '../cms/cades-levels.ts'
import { readCmsFacts } from '../cms/document.ts'
import { bufferAccess } from '../index.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts } from '../validation/facts.ts'
import { startTestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const COUNT = process.env['AMTSBOTE_PROVE'] === '1' ? 100_000 : 2_000
const KINDS = [
  { form: 'attached', level: 'B-T', share: 0.75 },
  { form: 'detached', level: 'B-LTA', share: 0.25 },
] as const
const CONTENT = bufferAccess(Buffer.from('Der Bescheid ergeht unter Vorbehalt.'))

/** Two signers. */
async function signed(form: 'attached' | 'detached', level: AdesLevel): Promise<Buffer> {
  const authority = await startTestAuthority(NOW)
  const { http, anchors } = authority
  const online = { http, anchors, now: () => NOW, random: randomBytes, cache: createFetchCache() }
  const sources = { timestamps: authority.timestamps(), evidence: createOnline(online) }
  const one = await signCades(CONTENT, authority.sealKey(), { signedAt: NOW, form })
  const two = await addCadesSigner(one, CONTENT, authority.sealKey('Zweite Behörde', 'rsa-pss-sha256'), NOW)
  const cms = await extendCades(two, CONTENT, level, sources)
  await authority.close()
  return cms
}

const meaning = ({ valueId, claimed, certificate, algorithms }: SignatureFacts): string =>
  JSON.stringify([valueId, claimed, certificate?.sha256, algorithms])
const proof = ({ info, certificate }: TimestampFacts): string =>
  JSON.stringify([info?.genTime, info?.imprint, info?.serial, info?.policy, certificate?.sha256])

describe('mutated signature files', () => {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? Date.now() % 1_000_000)

  for (const { form, level, share } of KINDS) {
    it(`${form} ${level}: what still holds together says what it said before (seed ${seed})`, async () => {
      const original = await signed(form, level)
      const read = (bytes: Buffer): Promise<DocumentFacts> => readCmsFacts(bytes, form === 'attached' ? null : CONTENT)
      const before = await read(original)
      const said = new Set(before.signatures.map(meaning))
      const proven = new Set(before.timestamps.map(proof))
      assert.deepEqual([said.size, proven.size], [2, level === 'B-T' ? 2 : 4])
      const below = generator(seed)
      let broken = 0
      let slowest = 0
      for (let count = 0; count < COUNT * share; count++) {
        const started = process.cpuUsage()
        const { signatures, timestamps } = await read(mutated(original, below))
        const { user, system } = process.cpuUsage(started)
        slowest = Math.max(slowest, user + system)
        for (const signature of signatures) {
          if (signature.faults.length > 0) broken++
          else assert.ok(said.has(meaning(signature)), `mutation ${count}`)
        }
        for (const timestamp of timestamps) {
          if (timestamp.faults.length === 0) assert.ok(proven.has(proof(timestamp)), `mutation ${count}`)
        }
      }
      assert.ok(broken > (COUNT * share) / 10)
      assert.ok(slowest < 2_000_000, `${slowest} microseconds of processor time`)
    }).timeout(1_800_000)
  }

  it('deep and wide structures end in a verdict soon, and in little memory', async () => {
    const wrap = (tag: number, bytes: Buffer): Buffer => {
      const header = Buffer.alloc(6)
      header.writeUInt8(tag, 0)
      header.writeUInt8(0x84, 1)
      header.writeUInt32BE(bytes.length, 2)
      return Buffer.concat([header, bytes])
    }
    let octets: Buffer = Buffer.from('0400', 'hex')
    for (let depth = 0; depth < 5_000; depth++) octets = wrap(0x24, octets)
    const type = Buffer.from('06092a864886f70d010702', 'hex')
    const content = wrap(0x30, Buffer.concat([Buffer.from('06092a864886f70d010701', 'hex'), wrap(0xa0, octets)]))
    const version = Buffer.from('020101', 'hex')
    const empty = Buffer.from('3100', 'hex')
    const file = (...fields: Buffer[]): Buffer =>
      wrap(0x30, Buffer.concat([type, wrap(0xa0, wrap(0x30, Buffer.concat([version, empty, ...fields])))]))
    const wide = Buffer.alloc(3_000_000, Buffer.from('3000', 'hex'))
    const indefinite = Buffer.alloc(1_000_000, Buffer.from('3080', 'hex'))
    const plain = Buffer.from('300b06092a864886f70d010701', 'hex')
    const before = process.memoryUsage().rss
    for (const bytes of [
      file(content, empty),
      file(plain, wrap(0x31, wide)),
      file(plain, wrap(0xa0, wide), empty),
      indefinite,
      file(plain, indefinite),
    ]) {
      const { signatures } = await readCmsFacts(bytes, CONTENT)
      assert.ok(signatures.every(({ faults }) => faults.length > 0))
    }
    const more = process.memoryUsage().rss - before
    assert.ok(more < 300 * 1024 * 1024, `${more} bytes more`)
  })
})

function mutated(original: Buffer, below: (limit: number) => number): Buffer {
  const bytes = Buffer.from(original)
  const at = below(bytes.length)
  switch (below(6)) {
    case 0:
      bytes[at] = below(256)
      return bytes
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(40))])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(bytes.length))])
    case 3: {
      const from = below(bytes.length)
      bytes.copy(bytes, at, from, from + below(200))
      return bytes
    }
    default:
      for (let flips = 1 + below(3); flips > 0; flips--) {
        const place = below(bytes.length)
        bytes[place] = (bytes[place] ?? 0) ^ (1 << below(8))
      }
      return bytes
  }
}

/** A small generator whose seed can be given again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
