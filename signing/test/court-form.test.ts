/** The court-form check on filings that were really signed: who answers for a document, and which signature is none. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { signAsic } from '../asic/write.ts'
import { memoryPart, zipArchive } from '../asic/zip-writer.ts'
import { checkCourtForm, courtFormText } from '../court-form/index.ts'
import type { CourtFormReport, FilingFile, SecureWay } from '../court-form/index.ts'
import { bufferAccess } from '../random-access.ts'
import { validateDocument } from '../validation/validate.ts'
import { signXadesDetached } from '../xades/sign.ts'
import type { DetachedReference } from '../xades/sign.ts'
import { buildPdf, onePage, updatePdf } from './build-pdf.ts'
import { dice } from './support/dice.ts'
import { bytesOf, courtPeople, signatureOver, signedPdf } from './support/court-people.ts'

type Filing = Record<string, Buffer | { exhibit: Buffer }>

describe('the court-form check', () => {
  const { person, seal, clerk, stranger, options, withoutLists, now } = courtPeople()
  const letter = buildPdf({ objects: onePage() })
  const other = buildPdf({ objects: onePage({ 6: '<</Title(Anlage)>>' }) })

  async function check(
    files: Filing,
    secureWay: SecureWay = 'none',
    validation: typeof options = options,
  ): Promise<CourtFormReport> {
    const list = Object.entries(files).map(([name, content]): FilingFile => {
      const isExhibit = !Buffer.isBuffer(content)
      const source = bufferAccess(isExhibit ? content.exhibit : content)
      return { name, role: isExhibit ? 'exhibit' : 'document', source }
    })
    return checkCourtForm(list, {
      secureWay,
      now,
      validate: (document, detached) => validateDocument(document, { ...validation, detached }),
    })
  }

  /** Rules by file, with how they weigh: `Klage.pdf: block signature-missing`. */
  function said({ findings, files }: CourtFormReport): string[] {
    return [
      ...findings.map(({ severity, rule }) => `${severity} ${rule}`),
      ...files.flatMap((file) =>
        file.findings
          .filter(({ rule }) => rule !== 'pdf-fonts')
          .map(({ severity, rule }) => `${file.name}: ${severity} ${rule}`),
      ),
    ]
  }

  it('keeps a filing whose documents carry their own qualified signature, inside or beside', async () => {
    const report = await check({
      'Klage.pdf': await signedPdf(letter, person, now),
      'Antrag.pdf': letter,
      'Antrag.pdf.p7s': await signatureOver(letter, person, now),
      'Beweisangebot.pdf': other,
      'Beweisangebot.p7s': await signatureOver(other, person, now),
      'Anlage_K1.pdf': { exhibit: other },
    })
    assert.deepEqual(said(report), [])
    assert.equal(report.verdict, 'kept')
    assert.deepEqual(
      report.files.map(({ form }) => form),
      ['qualified', 'qualified', 'not-asked', 'qualified', 'not-asked', 'not-asked'],
    )
    assert.equal(report.files[2]?.over, 'Antrag.pdf')
    assert.deepEqual(
      report.files[1]?.signatures.map(({ signer, indication, qualification }) => [
        signer,
        indication,
        qualification.kind,
      ]),
      [['Anna Amt (Amtsbote Test)', 'TOTAL-PASSED', 'QESig']],
    )
  })

  it('misses the VHN where nobody signed, and names § 130a Abs. 3, 4 ZPO', async () => {
    const report = await check({ 'Klage.pdf': letter })
    assert.equal(report.verdict, 'not-kept')
    assert.deepEqual(said(report), ['Klage.pdf: block signature-missing'])
    const [finding] = report.files[0]?.findings ?? []
    assert.equal(finding?.basis, '§ 130a Abs. 3, 4 ZPO')
    assert.match(finding.reason.de, /mit VHN fehlt/)
    assert.match(finding.reason.en, /VHN is missing/)
    assert.match(courtFormText(report, 'de'), /^FORM NICHT GEWAHRT /)
    assert.match(courtFormText(report, 'en'), /^FORM NOT KEPT /)
  })

  it('takes a simple signature on a secure way, and asks to look for the typed name', async () => {
    const report = await check({ 'Klage.pdf': letter }, 'vhn')
    assert.equal(report.verdict, 'kept')
    assert.deepEqual(said(report), ['Klage.pdf: warn simple-signature'])
    assert.equal(report.files[0]?.form, 'simple')
  })

  describe('finds a signature over more than one document', () => {
    const asic = async (names: string[], container: 'asic-e' | 'asic-s', form?: 'XAdES'): Promise<Buffer> => {
      const files = names.map((name) => ({ name, mimeType: 'application/pdf', content: bufferAccess(letter) }))
      return bytesOf(
        await signAsic(files, person, { container, signedAt: now, ...(form === undefined ? {} : { form }) }),
      )
    }

    for (const form of [undefined, 'XAdES'] as const) {
      it(`as ASiC-E with ${form ?? 'CAdES'}, although it passed`, async () => {
        const report = await check({ 'Klage.asice': await asic(['Klage.pdf', 'Anlage.pdf'], 'asic-e', form) })
        assert.equal(report.verdict, 'not-kept')
        assert.deepEqual(said(report), [
          'block no-document',
          'Klage.asice: block container-signature',
          'Klage.asice: block archive',
        ])
        const [file] = report.files
        assert.equal(file?.signatures[0]?.indication, 'TOTAL-PASSED')
        assert.equal(file.signatures[0].qualification.kind, 'QESig')
        assert.equal(file.findings[0]?.basis, '§ 4 Abs. 2 ERVV')
      })
    }

    it('as ASiC-S, where the one document is inside the container', async () => {
      const report = await check({ 'Klage.asics': await asic(['Klage.pdf'], 'asic-s') })
      assert.deepEqual(said(report).slice(1), ['Klage.asics: block signature-enveloping', 'Klage.asics: block archive'])
      assert.equal(report.verdict, 'not-kept')
    })

    it('as one .p7s for a ZIP, beside documents that nobody signed', async () => {
      const zip = await bytesOf(zipArchive([memoryPart('Klage.pdf', letter), memoryPart('Anlage.pdf', other)], now))
      const report = await check({
        'Klage.pdf': letter,
        'Alles.zip': zip,
        'Alles.zip.p7s': await signatureOver(zip, person, now),
      })
      assert.deepEqual(said(report), [
        'Klage.pdf: block signature-missing',
        'Alles.zip: block container-signature',
        'Alles.zip: block archive',
      ])
      assert.equal(report.files[1]?.signatures[0]?.indication, 'TOTAL-PASSED')
    })

    it('as a signed list of digests', async () => {
      const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
      const list = Buffer.from(`Klage.pdf ${digest(letter)}\nAnlage.pdf ${digest(other)}\n`)
      const files = { 'Klage.pdf': letter, 'Anlage.pdf': other, 'Liste.txt': list }
      const report = await check({ ...files, 'Liste.txt.p7s': await signatureOver(list, person, now) })
      assert.equal(report.verdict, 'not-kept')
      assert.ok(said(report).includes('Liste.txt: block container-signature'))
      assert.ok(said(report).includes('Anlage.pdf: block signature-missing'))
    })

    it('as an XML signature that refers to several files', async () => {
      const refer = (names: Record<string, Buffer>): Promise<Buffer> =>
        signXadesDetached(
          Object.entries(names).map(([uri, bytes]): DetachedReference => ({
            uri,
            mimeType: 'application/pdf',
            digestOf: (hash) => Promise.resolve(createHash(hash).update(bytes).digest()),
          })),
          person,
          { signedAt: now },
        )
      const files = { 'Klage.pdf': letter, 'Anlage.pdf': other }
      const both = await check({ ...files, 'Signatur.xml': await refer(files) })
      assert.ok(said(both).includes('Signatur.xml: block container-signature'))
      assert.equal(both.verdict, 'not-kept')
      const single = await check({ 'Klage.pdf': letter, 'Signatur.xml': await refer({ 'Klage.pdf': letter }) })
      assert.deepEqual(said(single), ['Klage.pdf: open signature-form'])
      assert.equal(single.verdict, 'undecided')
    })

    it('and lets it pass as a remark where every document has a signature of its own', async () => {
      const own = await signedPdf(letter, person, now)
      const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64')
      const second = await signedPdf(other, person, now)
      const list = Buffer.from(`${digest(own)} ${digest(second)}`)
      const files = { 'Klage.pdf': own, 'Antrag.pdf': second, 'Liste.txt': { exhibit: list } }
      const report = await check({ ...files, 'Liste.txt.p7s': await signatureOver(list, person, now) })
      assert.equal(report.verdict, 'kept')
    })
  })

  it('does not take a seal for the signature of a person', async () => {
    const report = await check({ 'Klage.pdf': await signedPdf(letter, seal, now) })
    assert.deepEqual(said(report), ['Klage.pdf: block signature-missing', 'Klage.pdf: block seal-only'])
    assert.equal(report.files[0]?.signatures[0]?.qualification.kind, 'QESeal')
    const sent = await check({ 'Klage.pdf': await signedPdf(letter, seal, now) }, 'vhn')
    assert.deepEqual(said(sent), ['Klage.pdf: warn simple-signature', 'Klage.pdf: warn seal-only'])
    assert.equal(sent.verdict, 'kept')
  })

  it('does not take an advanced signature', async () => {
    const report = await check({ 'Klage.pdf': letter, 'Klage.pdf.p7s': await signatureOver(letter, clerk, now) })
    assert.deepEqual(said(report), ['Klage.pdf: block signature-missing', 'Klage.pdf: block signature-not-qualified'])
  })

  it('does not take a signature over another version of the file', async () => {
    const report = await check({ 'Klage.pdf': other, 'Klage.pdf.p7s': await signatureOver(letter, person, now) })
    assert.deepEqual(said(report), ['Klage.pdf: block signature-missing', 'Klage.pdf: block signature-invalid'])
    assert.match(report.files[0]?.findings[1]?.detail ?? '', /HASH_FAILURE/)
  })

  it('does not take a signature after which the page was changed', async () => {
    const sealed = await signedPdf(letter, person, now)
    const text = 'BT /F1 12 Tf 72 720 Td (Anders) Tj ET'
    const changed = updatePdf(sealed, { objects: { 4: `<</Length ${text.length}>>\nstream\n${text}\nendstream` } })
    const report = await check({ 'Klage.pdf': changed })
    assert.equal(report.verdict, 'not-kept')
    assert.ok(said(report).includes('Klage.pdf: block signature-invalid'))
  })

  it('names a signature that cannot be decided, and decides nothing then', async () => {
    const unlisted = await check({ 'Klage.pdf': await signedPdf(letter, person, now) }, 'none', withoutLists)
    assert.deepEqual(said(unlisted), ['Klage.pdf: open signature-undecided'])
    assert.equal(unlisted.verdict, 'undecided')
    const unknown = await check({ 'Klage.pdf': await signedPdf(letter, stranger, now) })
    assert.deepEqual(said(unknown), ['Klage.pdf: open signature-undecided'])
    assert.equal(unknown.files[0]?.form, 'undecided')
  })

  it('is content with one good signature, and names the others beside it', async () => {
    const sealed = await signedPdf(letter, seal, now)
    const both = await signedPdf(sealed, person, now)
    const report = await check({ 'Klage.pdf': both })
    assert.deepEqual(said(report), ['Klage.pdf: warn further-signature'])
    assert.equal(report.verdict, 'kept')
  })

  it('refuses a signature with its content inside, with the document beside it and without', async () => {
    const inside = await signatureOver(letter, person, now, 'attached')
    const beside = await check({ 'Klage.pdf': letter, 'Klage.pdf.p7s': inside })
    assert.deepEqual(said(beside), ['Klage.pdf: block signature-missing', 'Klage.pdf: block signature-enveloping'])
    const alone = await check({ 'Klage.p7m': inside })
    assert.deepEqual(said(alone), ['block no-document', 'Klage.p7m: block signature-enveloping'])
  })

  it('names signatures without a document and files that are none', async () => {
    const report = await check({
      'Klage.pdf': await signedPdf(letter, person, now),
      'Replik.pdf.p7s': await signatureOver(other, person, now),
      'Duplik.p7s': Buffer.from('keine Signatur'),
      'Notiz.txt': Buffer.from('bitte noch heute'),
    })
    assert.deepEqual(said(report), [
      'Replik.pdf.p7s: block signature-orphaned',
      'Duplik.p7s: block signature-unreadable',
      'Notiz.txt: block file-type',
    ])
    assert.equal(report.verdict, 'unfit')
  })

  it('gives a signature to the file that it is over where two have its name', async () => {
    const sheet = Buffer.from('Tabelle')
    const report = await check({
      'Klage.pdf': await signedPdf(letter, person, now),
      'Klage.csv': { exhibit: sheet },
      'Klage.p7s': await signatureOver(sheet, person, now),
    })
    assert.equal(report.files[2]?.over, 'Klage.csv')
    assert.deepEqual(said(report), ['Klage.csv: warn exhibit-type'])
  })

  it('pairs names whose umlauts and letters are spelt another way', async () => {
    const report = await check({
      'Kläger.pdf': letter,
      'kla\u0308ger.PDF.p7s': await signatureOver(letter, person, now),
    })
    assert.equal(report.files[0]?.form, 'qualified')
    assert.deepEqual(said(report), ['kla\u0308ger.PDF.p7s: block name-characters'])
  })

  it('asks exhibits for no signature, and a filing for more than exhibits', async () => {
    const report = await check({ 'Anlage.pdf': { exhibit: letter } })
    assert.deepEqual(said(report), ['block no-document'])
    assert.equal(report.verdict, 'not-kept')
  })

  it('comes to an answer whatever the bytes of the files are', async () => {
    const roll = dice(20261127)
    const zip = await bytesOf(zipArchive([memoryPart('Klage.pdf', letter)], now))
    const files = { 'Klage.pdf': await signedPdf(letter, person, now), 'Antrag.pdf': other, 'Alles.zip': zip }
    const beside = await signatureOver(other, person, now)
    for (let round = 0; round < 60; round++) {
      const mutated = Object.entries({ ...files, 'Antrag.pdf.p7s': beside }).map(([name, bytes]) => {
        const copy = Buffer.from(bytes.subarray(0, roll(4) === 0 ? roll(bytes.length) : bytes.length))
        for (let change = roll(4); change > 0 && copy.length > 0; change--) copy[roll(copy.length)] = roll(256)
        return [name, copy] as const
      })
      const { verdict } = await check(Object.fromEntries(mutated))
      assert.ok(['not-kept', 'unfit'].includes(verdict), `round ${round}: ${verdict}`)
    }
  }).timeout(60_000)

  it('lets no name of a file write lines of the report', async () => {
    const report = await check({ 'Klage.pdf\n[+] Antrag.pdf': letter })
    assert.doesNotMatch(courtFormText(report, 'de'), /^\[\+\]/m)
  })

  it('says several things at once, each with its paragraph and in both languages', async () => {
    const report = await check({ 'Meine Klage.pdf': await signedPdf(letter, seal, now), 'x.exe': Buffer.from('MZ') })
    assert.deepEqual(said(report), [
      'Meine Klage.pdf: block signature-missing',
      'Meine Klage.pdf: block seal-only',
      'Meine Klage.pdf: block name-characters',
      'x.exe: block executable',
    ])
    for (const { basis, reason, advice } of report.files.flatMap(({ findings }) => findings)) {
      assert.match(basis, /ZPO|ERVV|ERVB|Leitfaden/)
      assert.ok([reason.de, reason.en, advice.de, advice.en].every((text) => text.endsWith('.')))
    }
  })
})
