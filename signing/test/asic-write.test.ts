/** Containers that this program makes, at every level, with a whole trust service on loopback. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openContainer, readWhole } from '../asic/container.ts'
import { extendAsic } from '../asic/extend.ts'
import { readAsicFacts } from '../asic/facts.ts'
import { signAsic } from '../asic/write.ts'
import type { AsicFile, AsicRequest } from '../asic/write.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { SigningError, bufferAccess } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { validateDocument } from '../validation/validate.ts'
import { programsFor, run } from './programs.ts'
import { rawZip } from './support/raw-zip.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const MIB = 1024 * 1024
const file = (name: string, content: string): AsicFile => ({
  name,
  mimeType: 'text/plain',
  content: bufferAccess(Buffer.from(content)),
})
const FILES = [file('Bescheid Nr. 5 & Anlage?.txt', 'Der Bescheid'), file('Anlagen/Übersicht.txt', 'Die Anlage')]

const KINDS = [
  ['asic-s', 'CAdES'],
  ['asic-s', 'XAdES'],
  ['asic-e', 'CAdES'],
  ['asic-e', 'XAdES'],
] as const

const whole = (access: RandomAccess): Promise<Buffer> => access.read(0, access.size)

async function contents(container: RandomAccess): Promise<Map<string, Buffer>> {
  const { files } = await openContainer(container)
  const found = new Map<string, Buffer>()
  for (const entry of files) found.set(entry.name, await readWhole(entry, 16 * MIB))
  return found
}

describe('containers', () => {
  let authority: TestAuthority
  let sources: LevelSources
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    sources = authority.sources()
  })
  afterEach(() => authority.close())

  const make = async (
    container: AsicRequest['container'],
    level: AdesLevel | 'B-B',
    form: 'CAdES' | 'XAdES' = 'CAdES',
  ): Promise<RandomAccess> => {
    const files = container === 'asic-s' ? FILES.slice(0, 1) : FILES
    const made = await signAsic(files, authority.sealKey(), { container, form, signedAt: NOW })
    return level === 'B-B' ? made : extendAsic(made, level, sources, NOW)
  }

  for (const [container, form] of KINDS) {
    for (const level of ['B-B', 'B-T', 'B-LT', 'B-LTA'] as const) {
      it(`${container} ${form} ${level}: the reader finds it faultless, every file covered`, async () => {
        const made = await make(container, level, form)
        const facts = await readAsicFacts(made)
        const [signature, ...others] = facts.signatures
        assert.ok(signature)
        assert.deepEqual(others, [])
        assert.equal(facts.format, container)
        assert.deepEqual(facts.findings, [])
        assert.deepEqual([signature.faults, signature.profileFaults, signature.scope.kind], [[], [], 'whole'])
        assert.ok(facts.timestamps.every(({ faults }) => faults.length === 0))
        const options = { anchors: authority.anchors, now: NOW, producer: 'test' }
        const report = await validateDocument(made, options)
        assert.equal(report.signatures[0]?.level, `${form}-BASELINE-${level.slice(2)}`)
        if (level.startsWith('B-LT')) assert.equal(report.headline, 'valid')
      })
    }
  }

  it('renewing adds an archive manifest and leaves all that it names as it was', async () => {
    const first = await make('asic-e', 'B-LTA')
    authority.now = new Date(NOW.getTime() + 30 * 24 * 60 * 60 * 1000)
    const second = await extendAsic(first, 'B-LTA', sources, authority.now)
    const third = await extendAsic(second, 'B-LTA', sources, authority.now)
    const facts = await readAsicFacts(third)
    assert.deepEqual(
      facts.timestamps.map(({ kind, faults }) => [kind, faults]),
      [
        ['signature', []],
        ['manifest', []],
        ['manifest', []],
        ['manifest', []],
      ],
    )
    assert.equal(facts.signatures[0]?.timestampIds.length, 4)
    const [before, after] = [await contents(second), await contents(third)]
    const changing = /ASiCArchiveManifest\.xml$|timestamp002\.tst$/
    for (const [name, bytes] of before) if (!changing.test(name)) assert.deepEqual(after.get(name), bytes, name)
    assert.deepEqual(
      [...after.keys()].filter((name) => name.includes('ArchiveManifest')).sort(),
      ['', '001', '002'].map((number) => `META-INF/ASiCArchiveManifest${number}.xml`),
    )
    // the authority of the time-stamp before: its evidence is inside now
    assert.ok(
      (after.get('META-INF/timestamp002.tst')?.length ?? 0) > (before.get('META-INF/timestamp002.tst')?.length ?? 0),
    )
  })

  it('renewing a container with XAdES adds an archive time-stamp inside', async () => {
    const first = await make('asic-e', 'B-LTA', 'XAdES')
    authority.now = new Date(NOW.getTime() + 30 * 24 * 60 * 60 * 1000)
    const second = await extendAsic(first, 'B-LTA', sources, authority.now)
    const { signatures, timestamps } = await readAsicFacts(second)
    assert.deepEqual(
      timestamps.map(({ kind, faults }) => [kind, faults]),
      [
        ['signature', []],
        ['archive', []],
        ['archive', []],
      ],
    )
    assert.deepEqual(signatures[0]?.faults, [])
  })

  it('an archive manifest notices every change afterwards', async () => {
    const files = await contents(await make('asic-e', 'B-LTA'))
    const changed = [...files].map(([name, content]) => ({
      name,
      content: name.startsWith('Bescheid') ? Buffer.from('Der bescheid') : content,
    }))
    const facts = await readAsicFacts(bufferAccess(rawZip({ entries: changed })))
    assert.deepEqual(
      facts.signatures[0]?.faults.map(({ code }) => code),
      ['digest'],
    )
    assert.deepEqual(
      facts.timestamps.map(({ faults }) => faults.map(({ code }) => code)),
      [[], ['index']],
    )
    await assert.rejects(extendAsic(bufferAccess(rawZip({ entries: changed })), 'B-LTA', sources, NOW), {
      code: 'signing/signature-broken',
    })
  })

  it('does not lift a container that can be read in two ways', async () => {
    const files = await contents(await make('asic-e', 'B-T'))
    const entries = [...files].map(([name, content]) => ({ name, content }))
    const twice = rawZip({ entries: [...entries, { name: 'Anlagen/übersicht.TXT', content: 'x' }] })
    await assert.rejects(extendAsic(bufferAccess(twice), 'B-LT', sources, NOW), { code: 'signing/container-damaged' })
  })

  it('refuses names that do not fit', async () => {
    const names = [
      [],
      ['a', 'A'],
      ['../a'],
      ['mimetype'],
      ['META-INF/a'],
      ['meta-inf/a'],
      ['a/'],
      ['a', 'a/b'],
      ['a\\b'],
    ]
    for (const list of names) {
      const files = list.map((name) => file(name, 'x'))
      const request = { container: 'asic-e', signedAt: NOW } as const
      await assert.rejects(
        signAsic(files, authority.sealKey(), request),
        { code: 'signing/bad-file-name' },
        list.join(),
      )
    }
    const request = { container: 'asic-s', signedAt: NOW } as const
    await assert.rejects(signAsic(FILES, authority.sealKey(), request), { code: 'signing/bad-file-name' })
  })

  it('large files pass through and stay out of memory', async () => {
    const piece = Buffer.alloc(MIB, 'x')
    const size = 200 * MIB
    const content = { size, read: (_: number, length: number) => Promise.resolve(piece.subarray(0, length)) }
    const before = process.memoryUsage().rss
    const request = { container: 'asic-e', signedAt: NOW } as const
    const large = { name: 'groß.bin', mimeType: 'application/octet-stream', content }
    const made = await signAsic([large, ...FILES], authority.sealKey(), request)
    const facts = await readAsicFacts(made)
    assert.deepEqual(facts.signatures[0]?.faults, [])
    const more = process.memoryUsage().rss - before
    assert.ok(more < 120 * MIB, `${Math.round(more / MIB)} MiB more`)
  }).timeout(60_000)

  if (programsFor('containers before unzip and OpenSSL', 'unzip', 'openssl')) {
    it('unzip and OpenSSL find no fault', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'amtsbote-asic-'))
      const at = (name: string): string => join(folder, name)
      await writeFile(at('x.asice'), await whole(await make('asic-e', 'B-LTA')))
      const unpacked = await run('unzip', '-d', folder, at('x.asice'))
      const time = ['-attime', String(NOW.getTime() / 1000)]
      const issuing = await authority.http({
        method: 'GET',
        url: `${authority.url}/issuing.cer`,
        timeoutMs: 1000,
        maxBytes: MIB,
      })
      const trusted = [authority.root, issuing.body].map((bytes) => new X509Certificate(bytes).toString())
      await writeFile(at('trusted.pem'), trusted.join('\n'))
      const inside = (name: string): string => at(join('META-INF', name))
      const verify = [
        'cms',
        '-verify',
        '-cades',
        '-binary',
        '-purpose',
        'any',
        '-CAfile',
        at('trusted.pem'),
        ...time,
        '-inform',
        'DER',
        '-in',
        inside('signature001.p7s'),
      ]
      const signature = await run('openssl', ...verify, '-content', inside('ASiCManifest001.xml'), '-out', at('out'))
      const query = [
        'ts',
        '-verify',
        '-data',
        inside('ASiCArchiveManifest.xml'),
        '-token_in',
        '-in',
        inside('timestamp001.tst'),
      ]
      const token = await run('openssl', ...query, '-CAfile', at('trusted.pem'), ...time)
      await rm(folder, { recursive: true })
      assert.equal(unpacked.code, 0, unpacked.output)
      assert.match(signature.output, /CAdES Verification successful/)
      assert.match(token.output, /Verification: OK/)
    })
  }
})

const COUNT = process.env['AMTSBOTE_PROVE'] === '1' ? 100_000 : 2_000

describe('mutated containers', () => {
  const seed = Number(process.env['AMTSBOTE_SEED'] ?? Date.now() % 1_000_000)

  it(`no fault but our own, and no other content passes (seed ${seed})`, async () => {
    const authority = await startTestAuthority(NOW)
    await authority.close()
    const request = { container: 'asic-e', signedAt: NOW } as const
    const original = Buffer.from(await whole(await signAsic(FILES, authority.sealKey(), request)))
    const expected = await contents(bufferAccess(original))
    const below = generator(seed)
    for (let count = 0; count < COUNT; count++) {
      const bytes = mutated(original, below)
      const { signatures, findings } = await readAsicFacts(bufferAccess(bytes))
      const isClean = signatures.length > 0 && signatures.every(({ faults }) => faults.length === 0)
      if (!isClean || findings.some(({ severity }) => severity === 'unclean')) continue
      const now = await contents(bufferAccess(bytes)).catch((error: unknown) => {
        assert.ok(error instanceof SigningError)
        return new Map<string, Buffer>()
      })
      for (const { name } of FILES) assert.deepEqual(now.get(name), expected.get(name))
    }
  }).timeout(7_200_000)
})

function mutated(original: Buffer, below: (limit: number) => number): Buffer {
  const bytes = Buffer.from(original)
  for (let flips = 1 + below(3); flips > 0; flips--) bytes[below(bytes.length)] = below(256)
  if (below(10) > 0) return bytes
  const at = below(bytes.length)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + below(40))])
}

/** A small generator whose seed can be given again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}
