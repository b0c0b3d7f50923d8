/** PAdES B-T, B-LT, B-LTA and renewal, with a whole trust service on loopback. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeFirst } from '../asn1/der.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { bufferAccess, sealPdf } from '../index.ts'
import { openDocument } from '../pdf/document.ts'
import { documentTimestamp } from '../pdf/document-timestamp.ts'
import { extendPdf, sealPdfToLevel } from '../pdf/levels.ts'
import { renewPdf } from '../pdf/renewal.ts'
import { readSecurityStore } from '../pdf/security-store.ts'
import { readSignatures } from '../pdf/signatures.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import type { Revision } from './build-pdf.ts'
import { programsFor, run } from './programs.ts'
import { askPyHanko } from './support/pyhanko.ts'
import { startTestAuthority } from './support/test-authority.ts'
import type { TestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const DAY = 24 * 60 * 60 * 1000
const FIXTURES = new URL('fixtures/', import.meta.url)

const STRUCTURES: Record<string, Revision[]> = {
  'classic table': [{ objects: onePage() }],
  'cross-reference stream': [{ objects: onePage(), style: 'stream', packed: [1, 2, 3, 5], predictor: 12 }],
  hybrid: [{ objects: onePage(), style: 'hybrid', packed: [1, 2, 3] }],
}

const ENCRYPTIONS: Record<string, string[]> = {
  'encrypted with AES-128 (R4)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'x', '128', '--use-aes=y', '--'],
  'encrypted with AES-256 (R6), object streams': ['--object-streams=generate', '--encrypt', 'nutzer', 'x', '256', '--'],
}

describe('levels of PAdES', () => {
  let authority: TestAuthority
  let sources: LevelSources
  beforeEach(async () => {
    authority = await startTestAuthority(NOW)
    sources = authority.sources()
  })
  afterEach(() => authority.close())

  const plain = buildPdf({ objects: onePage() })
  const seal = async (pdf: Buffer, level: AdesLevel | 'B-B'): Promise<Buffer> => {
    const request = { signedAt: NOW, reason: 'Bescheid' }
    const key = authority.sealKey()
    if (level === 'B-B') return collect((await sealPdf(bufferAccess(pdf), key, request)).bytes)
    return collect((await sealPdfToLevel(bufferAccess(pdf), key, request, { level, sources })).bytes)
  }
  const extend = async (pdf: Buffer, level: AdesLevel): Promise<Buffer> =>
    collect((await extendPdf(bufferAccess(pdf), level, sources)).bytes)
  const kinds = async (pdf: Buffer): Promise<string[]> =>
    (await readSignatures(await openDocument(bufferAccess(pdf)))).map(({ kind }) => kind)
  const store = async (pdf: Buffer): Promise<number[]> => {
    const { certificates, ocsps, crls } = await readSecurityStore(await openDocument(bufferAccess(pdf)))
    return [certificates.length, ocsps.length, crls.length]
  }

  it('B-T: the time-stamp is in the seal', async () => {
    const pdf = await seal(plain, 'B-T')
    const [signature] = await readSignatures(await openDocument(bufferAccess(pdf)))
    assert.ok(signature?.kind === 'signature')
    assert.deepEqual(
      signature.timestamps.map(({ info }) => info.genTime),
      [NOW],
    )
  })

  it('B-T comes out in pieces as B-B does, and announces its size', async () => {
    const request = { signedAt: NOW, timestamps: sources.timestamps }
    const sealed = await sealPdf(bufferAccess(plain), authority.sealKey(), request)
    assert.equal((await collect(sealed.bytes)).length, sealed.size)
  })

  it('B-LT: evidence of seal and time-stamp is in the document', async () => {
    assert.deepEqual(await store(await seal(plain, 'B-LT')), [4, 1, 1])
  })

  it('B-LTA: a document time-stamp covers everything', async () => {
    const pdf = await seal(plain, 'B-LTA')
    const signatures = await readSignatures(await openDocument(bufferAccess(pdf)))
    assert.deepEqual(
      signatures.map(({ kind }) => kind),
      ['signature', 'timestamp'],
    )
    assert.equal(signatures[1]?.end, pdf.length)
  })

  for (const level of ['B-T', 'B-LT', 'B-LTA'] as const) {
    it(`lifts a B-B seal to ${level} without touching a byte of it`, async () => {
      const before = await seal(plain, 'B-B')
      const after = await extend(before, level)
      assert.deepEqual(after.subarray(0, before.length), before)
      assert.deepEqual(await kinds(after), [
        'signature',
        ...(level === 'B-LTA' ? ['timestamp', 'timestamp'] : ['timestamp']),
      ])
      if (level !== 'B-T') assert.deepEqual(await store(after), [4, 1, 1])
    })
  }

  it('renews: evidence for the last time-stamp, then another over it', async () => {
    const before = await seal(plain, 'B-LTA')
    authority.now = new Date(NOW.getTime() + 400 * DAY)
    const after = await extend(before, 'B-LTA')
    assert.deepEqual(after.subarray(0, before.length), before)
    assert.deepEqual(await kinds(after), ['signature', 'timestamp', 'timestamp'])
    assert.deepEqual(await store(after), [4, 1, 2])
  })

  it('renews when the last time-stamp nears its end, not before, and says when it is too late', async () => {
    const before = bufferAccess(await seal(plain, 'B-LTA'))
    const at = (now: Date) => ({ policy: 'bnetza' as const, now })
    const early = await renewPdf(before, sources, at(NOW))
    assert.equal(early.kind, 'not-yet')
    const due = new Date(early.next.from.getTime() + DAY)
    authority.now = due
    const renewed = await renewPdf(before, sources, at(due))
    assert.equal(renewed.kind, 'renewed')
    assert.equal((await renewPdf(bufferAccess(await collect(renewed.pdf.bytes)), sources, at(NOW))).kind, 'not-yet')
    const late = await renewPdf(before, sources, at(new Date(early.next.end.getTime() + DAY)))
    assert.deepEqual(late, { kind: 'lapsed', since: early.next.end, reason: early.next.reason })
    const sealed = bufferAccess(await seal(plain, 'B-T'))
    assert.equal((await renewPdf(sealed, sources, at(NOW))).kind, 'no-archive-timestamp')
  })

  it('does not renew what does not fit', async () => {
    const pdf = await seal(plain, 'B-LTA')
    pdf.write('bescheid', pdf.indexOf('Bescheid'), 'latin1')
    const renewing = renewPdf(bufferAccess(pdf), sources, { policy: 'bnetza', now: NOW })
    await assert.rejects(renewing, { code: 'signing/signature-broken' })
  })

  it('adds nothing for a level that is reached', async () => {
    const before = await seal(plain, 'B-LT')
    assert.deepEqual(await extend(before, 'B-LT'), before)
  })

  if (programsFor('PAdES levels of encrypted documents before qpdf and pdfsig', 'qpdf', 'pdfsig')) {
    for (const [name, options] of Object.entries(ENCRYPTIONS)) {
      it(`${name}: to B-LTA at once and lifted`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'amtsbote-levels-'))
        const [open, hidden] = [join(folder, 'open.pdf'), join(folder, 'hidden.pdf')]
        await writeFile(open, plain)
        assert.equal((await run('qpdf', ...options, open, hidden)).code, 0)
        const source = bufferAccess(await readFile(hidden))
        const password = 'nutzer'
        const key = authority.sealKey()
        const request = { signedAt: NOW, password }
        const once = await collect((await sealPdfToLevel(source, key, request, { level: 'B-LTA', sources })).bytes)
        const simple = await collect((await sealPdf(source, key, request)).bytes)
        const lifted = await collect((await extendPdf(bufferAccess(simple), 'B-LTA', sources, { password })).bytes)
        for (const [pdf, stamps] of [
          [once, 1],
          [lifted, 2],
        ] as const) {
          await writeFile(hidden, pdf)
          assert.equal((await run('qpdf', '--check', `--password=${password}`, hidden)).code, 0)
          const { output } = await run('pdfsig', '-nocert', '-upw', password, hidden)
          assert.match(output, /Signature is Valid/)
          // poppler names document time-stamps and what they cover, but does not know their kind
          assert.equal(output.match(/Signature Field Name: Zeitstempel/g)?.length, stamps)
          assert.match(output.split(/^Signature #/m).at(-1) ?? '', /Total document signed/)
          const verdicts = (await askPyHanko(hidden, password)) ?? []
          assert.ok(verdicts.every(({ holds, changesAllowed }) => holds && changesAllowed))
        }
        await rm(folder, { recursive: true })
      })
    }
  }

  it('stamps a document without a signature', async () => {
    const update = await documentTimestamp(bufferAccess(plain), sources.timestamps)
    assert.deepEqual(await kinds(Buffer.concat([plain, update])), ['timestamp'])
  })

  it('lifts documents that others signed', async () => {
    for (const name of ['b-b-pss-xrefstream.pdf', 'docmdp2-form-filled.pdf', 'certify-then-approve.pdf']) {
      const before = await readFile(new URL(name, FIXTURES))
      const after = await extend(before, 'B-T')
      assert.deepEqual(after.subarray(0, before.length), before)
      assert.equal((await kinds(after)).at(-1), name.startsWith('b-b-') ? 'timestamp' : (await kinds(before)).at(-1))
    }
  })

  it('does not lift a seal that does not fit', async () => {
    const pdf = await seal(plain, 'B-B')
    pdf.write('bescheid', pdf.indexOf('Bescheid'), 'latin1')
    await assert.rejects(extend(pdf, 'B-T'), { code: 'signing/signature-broken' })
    await assert.rejects(extend(plain, 'B-T'), { code: 'signing/signature-broken' })
  })

  it('does not lift a revoked seal to B-LT', async () => {
    const key = authority.sealKey()
    const pdf = await collect((await sealPdf(bufferAccess(plain), key, { signedAt: NOW })).bytes)
    authority.revoke(key.certificateChain[0], new Date(NOW.getTime() - DAY))
    await assert.rejects(extend(pdf, 'B-LT'), { code: 'signing/evidence-missing' })
  })

  if (programsFor('PAdES levels before pdfsig, qpdf and OpenSSL', 'pdfsig', 'qpdf', 'openssl')) {
    for (const [structure, revisions] of Object.entries(STRUCTURES)) {
      it(`pdfsig, qpdf and OpenSSL accept B-LTA over a ${structure}, made at once and lifted`, async () => {
        const folder = await mkdtemp(join(tmpdir(), 'amtsbote-levels-'))
        const pdf = buildPdf(...revisions)
        for (const made of [await seal(pdf, 'B-LTA'), await extend(await seal(pdf, 'B-B'), 'B-LTA')]) {
          await judge(folder, made)
        }
        await rm(folder, { recursive: true })
      })
    }
  }

  async function judge(folder: string, pdf: Buffer): Promise<void> {
    const file = (name: string): string => join(folder, name)
    await writeFile(file('made.pdf'), pdf)
    const [poppler, structure] = await Promise.all([
      run('pdfsig', '-nocert', file('made.pdf')),
      run('qpdf', '--check', file('made.pdf')),
    ])
    assert.match(poppler.output, /Signature Validation: Signature is Valid\./)
    // poppler finds a document time-stamp and says what it covers, but does not verify it; OpenSSL does
    assert.match(poppler.output.split(/^Signature #/m).at(-1) ?? '', /Total document signed/)
    assert.equal(structure.code, 0, structure.output)
    const range = [...pdf.toString('latin1').matchAll(/\/ByteRange \[0 (\d+) (\d+) (\d+)\]/g)].at(-1)
    const [start, end] = [Number(range?.[1]), Number(range?.[2])]
    const contents = Buffer.from(pdf.toString('latin1', start + 1, end - 1), 'hex')
    await writeFile(file('token'), decodeFirst(contents).encoding)
    await writeFile(file('content'), Buffer.concat([pdf.subarray(0, start), pdf.subarray(end)]))
    await writeFile(file('root.pem'), new X509Certificate(authority.root).toString())
    const verify = ['ts', '-verify', '-in', file('token'), '-token_in', '-data', file('content')]
    const stamp = await run('openssl', ...verify, '-CAfile', file('root.pem'))
    assert.match(stamp.output, /Verification: OK/)
  }
})

async function collect(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}
