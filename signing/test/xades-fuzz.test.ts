/** Mutated signed XML: no crash, no hang, and nothing holds that says something else than what was signed. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { bufferAccess } from '../random-access.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import { canonicalize } from '../xml/c14n.ts'
import { findSignatures } from '../xml/dsig.ts'
import { parseDocument } from '../xml/parse.ts'
import { readXadesFacts } from '../xades/document.ts'
import { extendXades } from '../xades/levels.ts'
import { XADES_LIMITS } from '../xades/limits.ts'
import { signXadesDetached, signXadesEnveloped, signXadesEnveloping } from '../xades/sign.ts'
import { startTestAuthority } from './support/test-authority.ts'
import { ecSigningKey } from './trial-key.ts'
import { dice } from './support/dice.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const COUNT = process.env['AMTSBOTE_PROVE'] === '1' ? 100_000 : 2_000
const FILE = Buffer.from('Anlage')
const DOCUMENT = Buffer.from(
  '<?xml version="1.0"?>\n<o:order xmlns:o="urn:o" n="1"><o:sum c="EUR">10</o:sum>\n <o:text>für &amp; wider</o:text></o:order>',
)
const detached = (uri: string) => (uri === 'a.txt' ? bufferAccess(FILE) : null)

/** Bytes, and things that stand between `<` and `>`: those are moved, doubled and dropped. */
function mutate(bytes: Buffer, below: (count: number) => number): Buffer {
  const at = below(bytes.length)
  const start = bytes.indexOf('<', at)
  const end = bytes.indexOf('>', at + below(2000)) + 1
  const piece = start === -1 || end <= start ? bytes.subarray(at, at + 1 + below(40)) : bytes.subarray(start, end)
  const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))])
  const to = below(bytes.length)
  switch (below(6)) {
    case 0: {
      const copy = Buffer.from(bytes)
      copy[at] = (copy[at] ?? 0) ^ (1 << below(7))
      return copy
    }
    case 1:
      return without
    case 2:
      return bytes.subarray(0, at)
    case 3:
      return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)])
    case 4: {
      const between = bytes.indexOf('<', to)
      const place = between === -1 ? to : between
      return Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)])
    }
    default: {
      const found = piece.length === 0 ? -1 : bytes.indexOf(piece)
      return found === -1 ? without : Buffer.concat([bytes.subarray(0, found), bytes.subarray(found + piece.length)])
    }
  }
}

/** What a reader sees of the document apart from its signatures. */
function visible(bytes: Buffer): string {
  const { root } = parseDocument(bytes, XADES_LIMITS)
  return canonicalize(root, { exclusive: new Set(), without: new Set(findSignatures(root)) }).toString('utf8')
}

async function samples(): Promise<[string, Buffer][]> {
  const authority = await startTestAuthority(NOW)
  const { http, anchors } = authority
  const online = { http, anchors, now: () => NOW, random: randomBytes, cache: createFetchCache() }
  const sources = { timestamps: authority.timestamps(), evidence: createOnline(online) }
  const lift = (bytes: Buffer) => extendXades(bytes, detached, 'B-LTA', sources)
  const request = { signedAt: NOW }
  const digestOf = (digest: string) => Promise.resolve(createHash(digest).update(FILE).digest())
  const reference = { uri: 'a.txt', digestOf, mimeType: 'text/plain' }
  try {
    return [
      ['enveloped', await signXadesEnveloped(DOCUMENT, ecSigningKey('P-256'), request)],
      [
        'enveloped with archive time-stamp',
        await lift(await signXadesEnveloped(DOCUMENT, authority.sealKey(), request)),
      ],
      ['enveloping', await signXadesEnveloping(FILE, 'text/plain', ecSigningKey('P-256'), request)],
      [
        'detached with archive time-stamp',
        await lift(await signXadesDetached([reference], authority.sealKey(), request)),
      ],
    ]
  } finally {
    await authority.close()
  }
}

describe('mutated signed XML', () => {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? Date.now() % 1_000_000)

  it(`holds only with the content and the claims that were signed (seed ${seed})`, async () => {
    const below = dice(seed)
    const originals = await samples()
    let held = 0
    for (const [form, original] of originals) {
      const [expected] = (await readXadesFacts(original, detached)).signatures
      assert.deepEqual(expected?.faults, [], form)
      for (let count = 0; count < COUNT / originals.length; count++) {
        const changed = mutate(original, below)
        const { signatures } = await readXadesFacts(changed, detached)
        for (const { faults, scope, claimed, certificate } of signatures) {
          if (faults.length > 0) continue
          held++
          assert.deepEqual([claimed, certificate?.sha256], [expected.claimed, expected.certificate?.sha256])
          if (scope.kind !== 'whole') continue
          assert.deepEqual(scope.names, expected.scope.names)
          // a signature file has nothing that is seen
          if (scope.names.length === 0) assert.equal(visible(changed), visible(original))
        }
      }
    }
    assert.ok(held < COUNT / 2, `${held} of ${COUNT} hold`)
  }).timeout(3_600_000)
})
