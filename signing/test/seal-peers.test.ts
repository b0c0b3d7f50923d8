/** What other programs say about our seals. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPdf, onePage } from './build-pdf.ts'
import type { Revision } from './build-pdf.ts'
import { programsFor, run } from './programs.ts'
import { seal, trialKey } from './trial-key.ts'

const FIXTURES = new URL('fixtures/', import.meta.url)
/** sealing these is refused; see seal.test.ts */
const REFUSED = ['encrypted-aes256.pdf', 'docmdp1-form-filled.pdf']

const STRUCTURES: Record<string, Revision[]> = {
  'classic table': [{ objects: onePage() }],
  'cross-reference stream': [{ objects: onePage(), style: 'stream', packed: [1, 2, 3, 5], predictor: 12 }],
  hybrid: [{ objects: onePage(), style: 'hybrid', packed: [1, 2, 3] }],
  'several revisions': [{ objects: onePage() }, { objects: { 6: '(neu)' } }],
}

/** The two signed ranges and the CMS object of the newest signature, found by hand. */
function takeApart(pdf: Buffer): { content: Buffer; cms: Buffer } {
  const text = pdf.toString('latin1')
  const ranges = [...text.matchAll(/\/ByteRange \[0 (\d+) (\d+) (\d+)\]/g)].at(-1)
  const [gapStart, gapEnd, rest] = [Number(ranges?.[1]), Number(ranges?.[2]), Number(ranges?.[3])]
  assert.equal(gapEnd + rest, pdf.length)
  const content = Buffer.concat([pdf.subarray(0, gapStart), pdf.subarray(gapEnd)])
  return { content, cms: Buffer.from(text.slice(gapStart + 1, gapEnd - 1), 'hex') }
}

describe('what other programs say about a seal', () => {
  if (!programsFor('seals before pdfsig, qpdf and OpenSSL', 'pdfsig', 'qpdf', 'openssl')) return
  let folder = ''

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-seal-'))
    const { certificate } = await trialKey()
    await writeFile(join(folder, 'seal.pem'), new X509Certificate(certificate).toString())
  })
  after(() => rm(folder, { recursive: true }))

  async function judge(pdf: Buffer, signatures: number): Promise<void> {
    const path = join(folder, 'sealed.pdf')
    await writeFile(path, pdf)
    const [poppler, structure] = await Promise.all([run('pdfsig', '-nocert', path), run('qpdf', '--check', path)])
    const found = poppler.output.split(/^Signature #/m).slice(1)
    assert.equal(found.length, signatures, poppler.output)
    const ours = found.at(-1) ?? ''
    assert.match(ours, /Signature Validation: Signature is Valid\./)
    assert.match(ours, /Total document signed/)
    assert.match(ours, /Signature Type: ETSI\.CAdES\.detached/)
    assert.equal(structure.code, 0, structure.output)
    const { content, cms } = takeApart(pdf)
    await writeFile(join(folder, 'content'), content)
    await writeFile(join(folder, 'cms'), cms)
    const [root, file] = [join(folder, 'seal.pem'), (name: string) => join(folder, name)]
    const openssl = [
      'cms',
      '-verify',
      '-cades',
      '-binary',
      '-inform',
      'DER',
      '-in',
      file('cms'),
      '-content',
      file('content'),
    ]
    const verified = await run('openssl', ...openssl, '-CAfile', root, '-purpose', 'any', '-out', file('out'))
    assert.equal(verified.code, 0, verified.output)
    assert.ok((await readFile(file('out'))).equals(content))
  }

  for (const [structure, revisions] of Object.entries(STRUCTURES)) {
    it(`accept one in a document with ${structure}`, async () => {
      await judge(await seal(buildPdf(...revisions), { reason: 'geprüft' }), 1)
    }).timeout(20_000)
  }

  it('accept one in a linearised document', async () => {
    const [plain, linear] = [join(folder, 'plain.pdf'), join(folder, 'linear.pdf')]
    await writeFile(plain, buildPdf({ objects: onePage() }))
    assert.equal((await run('qpdf', '--linearize', plain, linear)).code, 0)
    await judge(await seal(await readFile(linear)), 1)
    const streams = ['--linearize', '--object-streams=generate']
    assert.equal((await run('qpdf', ...streams, plain, linear)).code, 0)
    await judge(await seal(await readFile(linear)), 1)
  }).timeout(20_000)

  it('accept the newest of three', async () => {
    const pdf = await seal(await seal(await seal(buildPdf({ objects: onePage() }))))
    await judge(pdf, 3)
  }).timeout(20_000)

  it('accept one on documents that others signed, and still accept theirs', async () => {
    const names = (await readdir(FIXTURES)).filter((name) => name.endsWith('.pdf') && !REFUSED.includes(name))
    for (const name of names) {
      const before = await readFile(new URL(name, FIXTURES))
      const path = join(folder, 'before.pdf')
      await writeFile(path, before)
      const theirs = (await run('pdfsig', '-nocert', path)).output.match(/Signature is Valid/g)?.length ?? 0
      const sealed = await seal(before)
      await writeFile(path, sealed)
      const after = (await run('pdfsig', '-nocert', path)).output
      assert.equal(after.match(/Signature is Valid/g)?.length, theirs + 1, name)
      assert.match(after.split(/^Signature #/m).at(-1) ?? '', /Total document signed/, name)
    }
  }).timeout(30_000)
})
