/** Encrypted PDFs, read and sealed: by hand, and with qpdf and pdfsig as other people's opinion. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SigningError, bufferAccess } from '../index.ts'
import { openDocument } from '../pdf/document.ts'
import { textAt } from '../pdf/fields.ts'
import { readForm } from '../pdf/form.ts'
import { readStream } from '../pdf/streams.ts'
import { reference } from '../pdf/values.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { programsFor, run } from './programs.ts'
import { seal } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'

const CONTENT = 'BT /F1 12 Tf 72 720 Td (Bescheid) Tj ET'
const WITH_TITLE = {
  objects: onePage({ 6: '<</Title(geheim \\(1\\))/Empty()>>' }),
  trailer: '/Info 6 0 R /ID [<00><00>]',
}

const METHODS: Record<string, string[]> = {
  'RC4, 40 bits (R2)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'inhaber', '40', '--'],
  'RC4, 128 bits (R3)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'inhaber', '128', '--use-aes=n', '--'],
  'RC4 by crypt filter (R4)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'inhaber', '128', '--force-V4', '--'],
  'AES-128 (R4)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'inhaber', '128', '--use-aes=y', '--'],
  'AES-128, metadata in clear': [
    '--allow-weak-crypto',
    ...['--encrypt', 'nutzer', 'inhaber', '128', '--use-aes=y', '--cleartext-metadata', '--'],
  ],
  'AES-256 (R5)': ['--allow-weak-crypto', '--encrypt', 'nutzer', 'inhaber', '256', '--force-R5', '--'],
  'AES-256 (R6)': ['--encrypt', 'nutzer', 'inhaber', '256', '--'],
  'AES-256 (R6), object streams': ['--object-streams=generate', '--encrypt', 'nutzer', 'inhaber', '256', '--'],
  'AES-128, object streams': [
    ...['--object-streams=generate', '--allow-weak-crypto', '--encrypt'],
    ...['nutzer', 'inhaber', '128', '--use-aes=y', '--'],
  ],
}

const refusedAs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof SigningError && error.code === code && message.test(error.message)

describe('an encrypted document', () => {
  it('of somebody else opens with its password, and says what is wrong with another', async () => {
    const pdf = bufferAccess(await readFile(new URL('fixtures/encrypted-aes256.pdf', import.meta.url)))
    const document = await openDocument(pdf, { password: 'geheim' })
    const { signatures } = await readForm(document)
    assert.equal(signatures.length, 1)
    await assert.rejects(openDocument(pdf), refusedAs('signing/pdf-encrypted', /needs a password/))
    await assert.rejects(openDocument(pdf, { password: 'falsch' }), refusedAs('signing/pdf-encrypted', /does not open/))
  })

  it('for certificates is refused as what it is', async () => {
    const pdf = buildPdf({
      objects: onePage({ 6: '<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4>>' }),
      trailer: '/Encrypt 6 0 R',
    })
    await assert.rejects(openDocument(bufferAccess(pdf)), refusedAs('signing/pdf-encrypted', /for certificates/))
  })

  if (!programsFor('encrypted documents before qpdf and pdfsig', 'qpdf', 'pdfsig')) return
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-encryption-'))
  })
  after(() => rm(folder, { recursive: true }))

  async function encrypted(options: readonly string[], pdf = buildPdf(WITH_TITLE)): Promise<Buffer> {
    const [plain, sealed] = [join(folder, 'plain.pdf'), join(folder, 'encrypted.pdf')]
    await writeFile(plain, pdf)
    const made = await run('qpdf', ...options, '--stream-data=preserve', plain, sealed)
    assert.equal(made.code, 0, made.output)
    return readFile(sealed)
  }

  for (const [method, options] of Object.entries(METHODS)) {
    it(`with ${method} is read with either password`, async () => {
      const pdf = bufferAccess(await encrypted(options))
      for (const password of ['nutzer', 'inhaber']) {
        const document = await openDocument(pdf, { password })
        assert.equal(document.encryption?.isOwner, password === 'inhaber')
        const info = await document.dictionary(document.trailer.entries.get('Info'), 'the information')
        assert.equal(await textAt(document, info, 'Title'), 'geheim (1)')
        assert.equal(await textAt(document, info, 'Empty'), '')
        const { catalog } = await readForm(document)
        const pages = await document.dictionary(catalog.dictionary.entries.get('Pages'), 'pages')
        const kids = await document.resolve(pages.entries.get('Kids'))
        const page = await document.dictionary(kids.kind === 'array' ? kids.items[0] : undefined, 'page')
        const contents = page.entries.get('Contents')
        assert.ok(contents?.kind === 'reference')
        assert.equal((await readStream(document, contents)).toString(), CONTENT)
      }
      await assert.rejects(openDocument(pdf), refusedAs('signing/pdf-encrypted', /needs a password/))
    })

    it(`with ${method} is sealed, twice, and others accept it`, async () => {
      const before = await encrypted(options)
      const password = 'nutzer'
      const once = await seal(before, { password, reason: 'geprüft', location: 'Musterstadt' })
      const twice = await seal(once, { password })
      assert.ok(twice.subarray(0, before.length).equals(before))
      const check = await sealState(twice, password)
      assert.equal(check.kind, 'intact')
      assert.equal(check.field, 'Siegel2')
      assert.equal(check.claimedTime?.toISOString(), '2026-11-23T10:00:00.000Z')
      const path = join(folder, 'sealed.pdf')
      await writeFile(path, twice)
      const [poppler, structure] = await Promise.all([
        run('pdfsig', '-nocert', '-upw', password, path),
        run('qpdf', '--check', `--password=${password}`, path),
      ])
      assert.equal(structure.code, 0, structure.output)
      assert.equal(poppler.output.match(/Signature is Valid/g)?.length, 2, poppler.output)
      assert.match(poppler.output, /Signing Time: Nov 23 2026/)
      const plain = join(folder, 'decrypted.pdf')
      await run('qpdf', '--decrypt', '--qdf', `--password=${password}`, path, plain)
      const text = (await readFile(plain)).toString('latin1')
      assert.match(text, /\/Location \(Musterstadt\)/)
      assert.match(text, /\/T \(Siegel1\)/)
    }).timeout(20_000)
  }

  it('that allows no changes is sealed with the password of its owner only', async () => {
    const limits = ['--encrypt', '', 'inhaber', '256', '--modify=none', '--']
    const pdf = await encrypted(limits)
    await assert.rejects(seal(pdf), refusedAs('signing/pdf-locked', /password of its owner/))
    const sealed = await seal(pdf, { password: 'inhaber' })
    assert.equal((await sealState(sealed)).kind, 'intact')
  })

  it('whose permissions somebody changed without the key gets no seal', async () => {
    const pdf = await encrypted(['--encrypt', '', 'inhaber', '256', '--modify=none', '--'])
    const text = pdf.toString('latin1')
    const changed = text.replace(/\/P -\d+/, (found) => '/P -4'.padEnd(found.length))
    assert.notEqual(changed, text)
    const source = Buffer.from(changed, 'latin1')
    assert.equal((await openDocument(bufferAccess(source))).encryption?.permissionsAreGenuine, false)
    await assert.rejects(seal(source), refusedAs('signing/pdf-locked', /were changed/))
  })

  it('opens with umlauts in the password', async () => {
    const modern = await encrypted(['--encrypt', 'Grüße', 'inhaber', '256', '--'])
    await openDocument(bufferAccess(modern), { password: 'Grüße' })
    await openDocument(bufferAccess(modern), { password: 'Gru\u0308ße' })
    const old = ['--allow-weak-crypto', '--encrypt', 'Grüße', 'inhaber', '128', '--use-aes=y', '--']
    await openDocument(bufferAccess(await encrypted(old)), { password: 'Grüße' })
  })

  it('whose data do not open is damaged', async () => {
    const pdf = await encrypted(['--encrypt', '', '', '256', '--'])
    const text = pdf.toString('latin1')
    const title = /\/Title <[0-9a-f]{8}/.exec(text)
    assert.ok(title)
    const cut = Buffer.from(text.replace(/(\/Title <)[0-9a-f]{2}/, '$1  '), 'latin1')
    const document = await openDocument(bufferAccess(cut))
    const info = document.trailer.entries.get('Info')
    await assert.rejects(document.resolve(info), refusedAs('signing/pdf-damaged', /cannot be opened/))
    assert.equal((await document.fetch(reference(9999))).kind, 'null')
  })
})
