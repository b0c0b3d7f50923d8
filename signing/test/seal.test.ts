import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { bufferAccess, makeTrialIdentity, openPkcs12, sealPdf } from '../index.ts'
import type { SigningErrorCode } from '../index.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import type { Revision } from './build-pdf.ts'
import { NOW, PASSPHRASE, seal, trialKey } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'

const fixture = (name: string): Promise<Buffer> => readFile(new URL(`fixtures/${name}`, import.meta.url))
const check = sealState

async function refused(pdf: Buffer, code: SigningErrorCode): Promise<void> {
  await assert.rejects(seal(pdf), { name: 'SigningError', code })
}

const FORM = '<</Fields[7 0 R]/DA(/Helv 0 Tf)/DR<</Font<</Helv 5 0 R>>>>>>'
const FIELD = '<</FT/Tx/T(Name)/V(alt)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]/P 3 0 R>>'
const PAGE = '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R'

const STRUCTURES: Record<string, Revision[]> = {
  'a classic table': [{ objects: onePage() }],
  'a cross-reference stream': [{ objects: onePage(), style: 'stream' }],
  'a cross-reference stream with predictor Up': [{ objects: onePage(), style: 'stream', predictor: 12 }],
  'a cross-reference stream with every predictor': [{ objects: onePage(), style: 'stream', predictor: 15 }],
  'object streams': [{ objects: onePage(), style: 'stream', packed: [1, 2, 3, 5] }],
  'a hybrid of both': [{ objects: onePage(), style: 'hybrid', packed: [1, 2, 3] }],
  'several revisions': [
    { objects: onePage() },
    { objects: { 3: `${PAGE}/Rotate 90>>` } },
    { objects: { 5: null, 6: '(neu)' } },
  ],
  'revisions of mixed style': [{ objects: onePage() }, { objects: { 6: '(neu)' }, style: 'stream', packed: [6] }],
  'a form of its own object': [
    { objects: onePage({ 1: '<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R>>', 6: FORM, 7: FIELD }) },
  ],
  'a form in the catalog': [{ objects: onePage({ 1: `<</Type/Catalog/Pages 2 0 R/AcroForm ${FORM}>>`, 7: FIELD }) }],
  'a form whose fields are an object': [
    {
      objects: onePage({
        1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R>>>>',
        6: '[7 0 R]',
        7: FIELD,
      }),
    },
  ],
  'fields and annotations in one shared array': [
    {
      objects: onePage({
        1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R/SigFlags 3>>>>',
        3: `${PAGE}/Annots 6 0 R>>`,
        6: '[7 0 R]',
        7: FIELD,
      }),
    },
  ],
  'annotations in the page': [{ objects: onePage({ 3: `${PAGE}/Annots[7 0 R]>>`, 7: FIELD }) }],
  'a reference to no form': [{ objects: onePage({ 1: '<</Type/Catalog/Pages 2 0 R/AcroForm 99 0 R>>' }) }],
  'nested page nodes, the first one empty': [
    {
      objects: onePage({
        2: '<</Type/Pages/Kids[6 0 R 7 0 R]/Count 1>>',
        6: '<</Type/Pages/Kids[]/Count 0/Parent 2 0 R>>',
        7: '<</Type/Pages/Kids[3 0 R]/Count 1/Parent 2 0 R>>',
      }),
    },
  ],
}

describe('sealPdf', () => {
  for (const [structure, revisions] of Object.entries(STRUCTURES)) {
    it(`seals a document with ${structure} and leaves its bytes as they were`, async () => {
      const before = buildPdf(...revisions)
      const after = await seal(before)
      assert.ok(after.subarray(0, before.length).equals(before))
      const result = await check(after)
      assert.equal(result.kind, 'intact')
      assert.equal(result.field, 'Siegel1')
      assert.equal(result.coveredBytes, after.length)
    })

    it(`seals a document with ${structure} a second and a third time`, async () => {
      const third = await seal(await seal(await seal(buildPdf(...revisions))))
      const result = await check(third)
      assert.equal(result.kind, 'intact')
      assert.equal(result.field, 'Siegel3')
    })
  }

  it('promises the size that then comes, and the same bytes twice', async () => {
    const { signing } = await trialKey()
    const sealed = await sealPdf(bufferAccess(buildPdf({ objects: onePage() })), signing, { signedAt: NOW })
    const read = async (): Promise<Buffer> => {
      const parts: Buffer[] = []
      for await (const part of sealed.bytes) parts.push(part)
      return Buffer.concat(parts)
    }
    const [first, second] = [await read(), await read()]
    assert.equal(first.length, sealed.size)
    assert.ok(first.equals(second))
    assert.equal(sealed.kind, 'trial')
  })

  it('says in the seal who, why, where and when, and says it in UTF-16 where it must', async () => {
    const sealed = await seal(buildPdf({ objects: onePage() }), { reason: 'Bescheid (geprüft)', location: 'Ort)\\(' })
    const text = sealed.toString('latin1')
    assert.ok(text.includes('/M (D:20261123100000Z)'))
    assert.ok(text.includes('/Location (Ort\\)\\\\\\()'))
    assert.ok(text.includes(`/Reason <feff${Buffer.from('Bescheid (geprüft)', 'utf16le').swap16().toString('hex')}>`))
    assert.ok(text.includes('/SubFilter /ETSI.CAdES.detached'))
  })

  it('keeps what the form and the page had', async () => {
    const before = buildPdf({
      objects: onePage({ 1: '<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R/Lang(de)>>', 6: FORM, 7: FIELD }),
    })
    const update = (await seal(before)).toString('latin1', before.length)
    assert.match(
      update,
      /6 0 obj\n<<\/Fields \[7 0 R 10 0 R\]\/DA \(\/Helv 0 Tf\)\/DR <<\/Font <<\/Helv 5 0 R>>>>\/SigFlags 3>>/,
    )
    assert.doesNotMatch(update, /\n1 0 obj/, 'the catalog is not rewritten when the form is an object of its own')
  })

  it('takes a field name that nobody has, and none that an earlier signature locks', async () => {
    const lock = '<</Type/SigRef/TransformMethod/FieldMDP/TransformParams<</Action/Include/Fields[(Siegel2)]>>>>'
    const sealed = await seal(
      buildPdf({
        objects: onePage({
          1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R 7 0 R]>>>>',
          6: '<</FT/Tx/T<feff00530069006500670065006c0031>/V(x)>>',
          7: `<</FT/Sig/T(alt)/V<</Type/Sig/Contents<00>/ByteRange[0 1 2 3]/Reference[${lock}]>>>>`,
        }),
      }),
      { brokenSignatures: 'accept' },
    )
    assert.ok(sealed.includes('/T (Siegel3)'))
  })

  it('numbers its objects after all others, also when the trailer counts too few', async () => {
    const before = buildPdf({ objects: { ...onePage(), 40: '(hoch)' }, trailer: '/Info 40 0 R' })
    const wrong = Buffer.from(before.toString('latin1').replace('/Size 41', '/Size 06'), 'latin1')
    const update = (await seal(wrong)).toString('latin1', before.length)
    assert.match(update, /\n41 0 obj\n<<\/Type \/Sig/)
    assert.match(update, /\/Size 44/)
  })

  it('enters itself once in an array that form and page share', async () => {
    const before = buildPdf(...(STRUCTURES['fields and annotations in one shared array'] ?? []))
    const update = (await seal(before)).toString('latin1', before.length)
    assert.match(update, /^6 0 obj\n\[7 0 R 10 0 R\]$/m)
  })

  it('reads a form flag that is the last object of an object stream', async () => {
    const objects = onePage({
      1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R/SigFlags 7 0 R>>>>',
      6: '[]',
      7: '3',
    })
    const sealed = await seal(buildPdf({ objects, style: 'stream', packed: [1, 6, 7] }))
    assert.equal((await check(sealed)).kind, 'intact')
  })

  it('starts the update on a new line when the document does not end with one', async () => {
    const before = buildPdf({ objects: onePage() })
    const cut = before.subarray(0, before.length - 1)
    assert.equal((await check(await seal(cut))).kind, 'intact')
  })

  it('accepts white space and NUL after the end, as files from old archives have', async () => {
    const padded = Buffer.concat([buildPdf({ objects: onePage() }), Buffer.from('\r\n\0\0\0')])
    assert.equal((await check(await seal(padded))).kind, 'intact')
  })

  for (const name of [
    'chromium.pdf',
    'chromium-linearised.pdf',
    'b-b-pss-xrefstream.pdf',
    'b-lta.pdf',
    'certify-then-approve.pdf',
    'docmdp2-form-filled.pdf',
    'fieldmdp.pdf',
  ]) {
    it(`adds a seal to a document that others made: ${name}`, async () => {
      const before = await fixture(name)
      const after = await seal(before)
      assert.ok(after.subarray(0, before.length).equals(before))
      assert.equal((await check(after)).kind, 'intact')
    })
  }
})

describe('sealPdf refuses', () => {
  const document = (...extra: Revision[]): Buffer => buildPdf({ objects: onePage() }, ...extra)
  const text = (pdf: Buffer, from: string | RegExp, to: string): Buffer =>
    Buffer.from(pdf.toString('latin1').replace(from, to), 'latin1')

  it('what is no PDF', async () => {
    await refused(Buffer.alloc(0), 'signing/not-a-pdf')
    await refused(Buffer.from('PK\x03\x04 an archive'), 'signing/not-a-pdf')
    await refused(Buffer.from('<html>%PD'), 'signing/not-a-pdf')
  })

  it('a header that does not stand at the first byte', async () => {
    await refused(Buffer.concat([Buffer.from('\n'), document()]), 'signing/pdf-damaged')
  })

  it('a document cut off anywhere', async () => {
    const whole = document()
    for (let length = 0; length < whole.length - 1; length += 7) {
      await assert.rejects(seal(whole.subarray(0, length)), { name: 'SigningError' }, `cut at ${length}`)
    }
  })

  it('bytes after the end that no reader should see', async () => {
    await refused(Buffer.concat([document(), Buffer.from('7 0 obj (versteckt) endobj')]), 'signing/pdf-damaged')
  })

  it('a startxref that points elsewhere', async () => {
    for (const offset of ['0', '1', '17', '999999', '99999999999']) {
      await refused(text(document(), /startxref\n\d+/, `startxref\n${offset}`), 'signing/pdf-damaged')
    }
  })

  it('a table whose rows point elsewhere', async () => {
    const wrong = text(document(), /1 1\n\d{10}/, '1 1\n0000000020')
    await refused(wrong, 'signing/pdf-damaged')
  })

  it('rows that are not 20 bytes', async () => {
    await refused(text(document(), /00000 n\r\n/g, '00000 n\n'), 'signing/pdf-damaged')
  })

  it('a table that promises more rows than the document has bytes', async () => {
    await refused(text(document(), /\n0 1\n/, '\n0 9999999999\n'), 'signing/pdf-damaged')
  })

  it('sections that lead in a circle', async () => {
    const start = /startxref\n(\d+)/.exec(document().toString('latin1'))?.[1] ?? ''
    await refused(buildPdf({ objects: onePage(), trailer: `/Prev ${start}` }), 'signing/pdf-damaged')
  })

  it('more revisions than a person could look at', async () => {
    const many = buildPdf({ objects: onePage() }, ...Array.from({ length: 1001 }, () => ({ objects: { 6: '(x)' } })))
    await refused(many, 'signing/pdf-too-complex')
  })

  it('an encrypted document, also when only an older revision is', async () => {
    await refused(await fixture('encrypted-aes256.pdf'), 'signing/pdf-encrypted')
    await refused(
      buildPdf({ objects: onePage(), trailer: '/Encrypt<</Filter/Standard>>' }, { objects: { 6: '(x)' } }),
      'signing/pdf-encrypted',
    )
  })

  it('a document that is certified against changes', async () => {
    await refused(await fixture('docmdp1-form-filled.pdf'), 'signing/pdf-locked')
    const certified = onePage({
      1: '<</Type/Catalog/Pages 2 0 R/Perms<</DocMDP 6 0 R>>>>',
      6: '<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]>>',
    })
    await refused(buildPdf({ objects: certified }), 'signing/pdf-locked')
  })

  it('a document in which a signature locks fields to come', async () => {
    for (const lock of ['<</Action/All>>', '<</Action/Exclude/Fields[(Name)]>>', '<</Action/Include/Fields[]/P 1>>']) {
      const objects = onePage({
        1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[7 0 R]>>>>',
        7: `<</FT/Sig/T(alt)/Lock ${lock}/V<</Type/Sig/Contents<00>/ByteRange[0 1 2 3]>>>>`,
      })
      await refused(buildPdf({ objects }), 'signing/pdf-locked')
    }
  })

  it('a form that builds its pages only on the screen', async () => {
    const objects = onePage({ 1: '<</Type/Catalog/Pages 2 0 R/NeedsRendering true/AcroForm<</XFA[]>>>>' })
    await refused(buildPdf({ objects }), 'signing/pdf-unsupported')
  })

  it('a page tree that loops, is empty, or is not there', async () => {
    await refused(buildPdf({ objects: onePage({ 2: '<</Type/Pages/Kids[2 0 R]/Count 1>>' }) }), 'signing/pdf-damaged')
    await refused(buildPdf({ objects: onePage({ 2: '<</Type/Pages/Kids[]/Count 0>>' }) }), 'signing/pdf-damaged')
    await refused(buildPdf({ objects: onePage({ 1: '<</Type/Catalog>>' }) }), 'signing/pdf-damaged')
  })

  it('a dictionary that says the same thing twice', async () => {
    const objects = onePage({ 1: '<</Type/Catalog/Pages 2 0 R/Pages 9 0 R>>' })
    await refused(buildPdf({ objects }), 'signing/pdf-damaged')
  })

  it('structures nested or repeated without end', async () => {
    const deep = onePage({ 1: `<</Type/Catalog/Pages 2 0 R/X ${'['.repeat(100_000)}${']'.repeat(100_000)}>>` })
    await refused(buildPdf({ objects: deep }), 'signing/pdf-too-complex')
    const wide = onePage({ 1: `<</Type/Catalog/Pages 2 0 R/X [${'0 '.repeat(300_000)}]>>` })
    await refused(buildPdf({ objects: wide }), 'signing/pdf-too-complex')
    const huge = onePage({ 1: `<</Type/Catalog/Pages 2 0 R/X (${'x'.repeat(40_000_000)})>>` })
    await refused(buildPdf({ objects: huge }), 'signing/pdf-too-complex')
  })

  it('an object stream that unpacks to gigabytes', async () => {
    const bomb = `<</Type/Catalog/Pages 2 0 R/X(${'x'.repeat(70 * 1024 * 1024)})>>`
    await refused(buildPdf({ objects: onePage({ 1: bomb }), style: 'stream', packed: [1] }), 'signing/pdf-too-complex')
  })

  it('a form tree that is deeper than any form', async () => {
    const objects = onePage({ 1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[100 0 R]>>>>' })
    for (let number = 100; number < 150; number++) objects[number] = `<</T(x)/Kids[${number + 1} 0 R]>>`
    await refused(buildPdf({ objects }), 'signing/pdf-too-complex')
  })

  it('a form whose branches share one list without end', async () => {
    const form = { 1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R>>>>' }
    const many = Array.from({ length: 40_000 }, (_, index) => `${index + 100} 0 R`).join(' ')
    const objects: Record<number, string | Buffer | null> = onePage({ ...form, 6: `[${many}]` })
    for (let number = 100; number < 40_100; number++) objects[number] = '<</T(x)/Kids 6 0 R>>'
    const packed = Object.keys(objects)
      .map(Number)
      .filter((number) => number >= 100)
    await refused(buildPdf({ objects, style: 'stream', packed }), 'signing/pdf-too-complex')
  })

  it('a form whose fields share one huge name', async () => {
    const objects = onePage({
      1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R>>>>',
      6: `[${'<</T 7 0 R>>'.repeat(10_000)}]`,
      7: `(${'x'.repeat(1_000_000)})`,
    })
    await refused(buildPdf({ objects }), 'signing/pdf-too-complex')
  })

  it('a reference with another generation, and a stream where none belongs', async () => {
    await refused(buildPdf({ objects: onePage({ 1: '<</Type/Catalog/Pages 2 1 R>>' }) }), 'signing/pdf-damaged')
    const stream = '<</Fields[]/Length 1>>\nstream\nx\nendstream'
    const objects = onePage({ 1: '<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R>>', 6: stream })
    await refused(buildPdf({ objects }), 'signing/pdf-damaged')
  })

  it('a cross-reference stream that is misshapen', async () => {
    const wrong: [RegExp, string][] = [
      [/\/W\[1 4 2\]/, '/W[9 4 2]'],
      [/\/W\[1 4 2\]/, '/W[1 0 2]'],
      [/\/W\[1 4 2\]/, '/W[1 4]  '],
      [/\/Index\[/, '/Index[0 '],
      [/\/Index\[1 1/, '/Index[1 9'],
      [/\/Type\/XRef/, '/Type/XRxf'],
      [/(\/FlateDecode)(\/Length) \d+>>\nstream\n(?![^]*\/FlateDecode)/, '$1$2 1>>\nstream\n'],
    ]
    const whole = buildPdf({ objects: onePage(), style: 'stream' })
    for (const [from, to] of wrong) await refused(text(whole, from, to), 'signing/pdf-damaged')
    const foreign = ['/LZWDecode  ', '/ASCII85Decode', '/Crypt      '].map((name) => text(whole, '/FlateDecode', name))
    for (const pdf of foreign) await assert.rejects(seal(pdf), { name: 'SigningError' })
  })

  it('a key outside of the validity of its certificate', async () => {
    const pdf = buildPdf({ objects: onePage() })
    for (const signedAt of [new Date('2026-11-23T08:59:59Z'), new Date('2029-11-22T10:00:01Z')]) {
      await assert.rejects(seal(pdf, { signedAt }), { code: 'signing/key-unusable' })
    }
    assert.equal((await check(await seal(pdf, { signedAt: new Date('2029-11-22T10:00:00Z') }))).kind, 'intact')
  })

  it('a key that is not made for signatures', async () => {
    const { pkcs12 } = await makeTrialIdentity({
      commonName: 'Postfach',
      organisation: 'Übungsstadt',
      usage: 'osci-cipher',
      passphrase: PASSPHRASE,
      now: NOW,
      random: (bytes) => Buffer.alloc(bytes, 7),
    })
    const { signing } = await openPkcs12(pkcs12, PASSPHRASE)
    const sealing = sealPdf(bufferAccess(buildPdf({ objects: onePage() })), signing, { signedAt: NOW })
    await assert.rejects(sealing, { code: 'signing/key-unusable' })
  }).timeout(30_000)

  it('texts that are too long or carry control characters', async () => {
    const pdf = buildPdf({ objects: onePage() })
    for (const reason of ['x'.repeat(201), 'a\nb', 'a\0b']) {
      await assert.rejects(seal(pdf, { reason }), { code: 'signing/bad-text' })
    }
  })

  it('a document that shrinks while it is read', async () => {
    const pdf = buildPdf({ objects: onePage() })
    const shrunk = {
      size: pdf.length,
      read: (at: number, length: number) => Promise.resolve(pdf.subarray(at, Math.min(at + length, 100))),
    }
    await assert.rejects(seal(shrunk), { code: 'signing/source-changed' })
  })
})
