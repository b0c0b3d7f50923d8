/**
 * Documents that were changed after they were signed: each kind of change in a variant of our own, harmless and not.
 */
import assert from 'node:assert/strict'
import { bufferAccess } from '../index.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import { buildPdf, onePage, updatePdf } from './build-pdf.ts'
import type { Revision } from './build-pdf.ts'
import { formDocument, signRevision } from './support/signed-pdf.ts'
import { seal } from './trial-key.ts'

type Objects = Revision['objects']

const CERTIFIED = (level: number): string =>
  `/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P ${level}/V/1.2>>/Data 1 0 R>>]`
const LOCKS = (action: string): string =>
  `/Reference[<</Type/SigRef/TransformMethod/FieldMDP/TransformParams<</Type/TransformParams/Action/${action}/V/1.2>>>>]`
const stream = (data: string, entries = ''): string =>
  `<<${entries}/Length ${data.length}>>\nstream\n${data}\nendstream`

/** Faults and findings of the signature after this update. */
async function after(update: Objects | Revision, options: { entries?: string; extra?: Objects } = {}) {
  const objects = formDocument(options.extra)
  const signed = await signRevision(null, { objects, signature: 21, entries: options.entries ?? '' })
  const revision = 'objects' in update ? update : { objects: update }
  return facts(updatePdf(signed, revision))
}

async function facts(pdf: Buffer) {
  const { signatures, timestamps, findings } = await readPdfFacts(bufferAccess(pdf))
  const [signature] = signatures
  assert.ok(signature)
  return {
    signatures,
    timestamps,
    document: findings.map(({ code }) => code),
    kind: signature.scope.kind,
    faults: signature.faults.map(({ code }) => code),
    findings: signature.findings.map(({ severity, code }) => `${severity} ${code}`),
  }
}

const field = (number: number): string => String(formDocument()[number])
const catalog = (entries: string): string => field(1).replace(/>>$/, `${entries}>>`)
const page = (from: string, to: string): string => {
  const changed = field(3).replace(from, to)
  assert.notEqual(changed, field(3))
  return changed
}

describe('changes that no signature allows', () => {
  const cases: Record<string, Objects> = {
    'page content replaced': { 4: stream('BT /F1 12 Tf 72 720 Td (Bescheid 900 EUR) Tj ET') },
    'page content in a new object': {
      3: page('/Contents 4 0 R', '/Contents[4 0 R 30 0 R]'),
      30: stream('0 0 9 9 re f'),
    },
    'a page added': {
      2: '<</Type/Pages/Kids[3 0 R 30 0 R]/Count 2/MediaBox[0 0 595 842]>>',
      30: '<</Type/Page/Parent 2 0 R>>',
    },
    'the only page replaced': {
      2: '<</Type/Pages/Kids[30 0 R]/Count 1/MediaBox[0 0 595 842]>>',
      30: '<</Type/Page/Parent 2 0 R>>',
    },
    'another page tree': {
      1: field(1).replace('/Pages 2 0 R', '/Pages 30 0 R'),
      30: '<</Type/Pages/Kids[31 0 R]/Count 1/MediaBox[0 0 595 842]>>',
      31: '<</Type/Page/Parent 30 0 R/Contents 4 0 R>>',
    },
    'a font redefined': { 5: '<</Type/Font/Subtype/Type1/BaseFont/Symbol/Encoding 7 0 R>>' },
    'the encoding of a font redefined': { 7: '<</Type/Encoding/Differences[48/nine/eight]>>' },
    'an image on the page redefined': { 6: stream('0 0 500 500 re f', '/Type/XObject/Subtype/Form/BBox[0 0 500 500]') },
    'the size of pages': { 2: '<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 400]>>' },
    'the page turned': { 3: page('/Annots', '/Rotate 180/Annots') },
    'an object of the page freed': { 6: null },
    'an action on opening': { 1: catalog('/OpenAction<</S/JavaScript/JS(app.alert(1))>>') },
    'an action of the page': { 3: page('/Annots', '/AA<</O<</S/JavaScript/JS(1)>>>>/Annots') },
    'scripts among the names': { 1: catalog('/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>') },
    'an attached file': { 1: catalog('/Names<</EmbeddedFiles<</Names[(a) 30 0 R]>>>>'), 30: '<</Type/Filespec/F(a)>>' },
    layers: { 1: catalog('/OCProperties<</OCGs[]/D<</Order[]>>>>') },
    'a new text field': {
      1: field(1).replace('20 0 R]', '20 0 R 30 0 R]'),
      30: '<</Type/Annot/Subtype/Widget/FT/Tx/T(neu)/V(1)/Rect[0 0 9 9]>>',
    },
    'a field taken away': { 1: field(1).replace('11 0 R ', '') },
    'a field moved on the page': { 10: field(10).replace('600', '500') },
    'a field renamed': { 10: field(10).replace('(name)', '(anders)') },
    'the value of the signature field': { 20: field(20).replace('21 0 R', '30 0 R'), 30: '<</Type/Sig>>' },
    'the signature field emptied': { 20: field(20).replace('/V 21 0 R', '') },
    'the value of a field that was filled': { 11: field(11).replace('(100)', '(900)') },
    'the appearance of a field that was filled': {
      15: stream('BT (900) Tj ET', '/Type/XObject/Subtype/Form/BBox[0 0 150 20]'),
    },
    'a cover that is taken away': { 3: page('14 0 R ', '') },
    'a cover whose object is freed': { 14: null },
    'a cover whose object is none any more': { 14: '(weg)' },
    'an old signature that becomes a certification': { 1: catalog('/Perms<</DocMDP 21 0 R>>') },
    'a cover that is moved': { 14: field(14).replace('700', '100').replace('740', '140') },
    'fields that are to be drawn anew': { 1: field(1).replace('/SigFlags', '/NeedAppearances true/SigFlags') },
    'an annotation that runs a script': {
      3: page('20 0 R]', '20 0 R 30 0 R]'),
      30: '<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/JavaScript/JS(1)>>>>',
    },
  }
  for (const [name, update] of Object.entries(cases)) {
    it(`finds ${name}`, async () => {
      assert.deepEqual((await after(update)).faults, ['forbidden-change'])
    })
  }

  it('finds them in object streams, where the stream alone is written anew', async () => {
    const objects = formDocument({ 20: field(20).replace('21 0 R', '60 0 R') })
    const unsigned = buildPdf({ objects: { ...objects, 20: null }, style: 'stream', packed: [5, 7] })
    const added = { 20: objects[20] ?? null }
    const signed = await signRevision(unsigned, { objects: added, signature: 60, style: 'stream' })
    // number 21 is the object stream; its objects are not named again
    const changed = `${field(5)} <</Type/Encoding/Differences[48/nine]>>`
    const head = `5 0 7 ${field(5).length + 1} `
    const again = stream(head + changed, `/Type/ObjStm/N 2/First ${head.length}`)
    assert.deepEqual((await facts(updatePdf(signed, { objects: { 21: again }, style: 'stream' }))).faults, [
      'forbidden-change',
    ])
    const named = { objects: { 7: '<</Type/Encoding/Differences[48/nine]>>', 30: '<<>>' }, packed: [7, 30] }
    assert.deepEqual((await facts(updatePdf(signed, { ...named, style: 'stream' }))).faults, ['forbidden-change'])
  })

  it('finds what fills a link that led nowhere when it was signed', async () => {
    const extra = { 3: page('/Contents 4 0 R', '/Contents[4 0 R 40 0 R]') }
    const { faults } = await after({ 40: stream('BT (900) Tj ET') }, { extra })
    assert.deepEqual(faults, ['forbidden-change'])
  })

  it('finds an object that is both the appearance of a field and part of the page', async () => {
    const extra = { 3: page('/X1 6 0 R', '/X1 6 0 R/X2 16 0 R') }
    const update = { 12: field(12).replace('/V/Off/AS/Off', '/V/Ja/AS/Ja'), 16: stream('0 0 99 99 re f') }
    assert.deepEqual((await after(update, { extra })).faults, ['forbidden-change'])
  })

  it('finds a catalog elsewhere with other pages', async () => {
    const objects: Objects = {
      30: field(1).replace('/Pages 2 0 R', '/Pages 31 0 R'),
      31: '<</Type/Pages/Kids[32 0 R]/Count 1>>',
      32: '<</Type/Page/Parent 31 0 R>>',
    }
    const signed = await signRevision(null, { objects: formDocument(), signature: 21 })
    const moved = updatePdf(signed, { objects }).toString('latin1')
    const at = moved.lastIndexOf('/Root 1 0 R')
    const pdf = Buffer.from(`${moved.slice(0, at)}/Root 30 0 R${moved.slice(at + 11)}`, 'latin1')
    assert.deepEqual((await facts(pdf)).faults, ['forbidden-change'])
  })

  it('finds a cover that is taken away where annotations have no number', async () => {
    const cover = '<</Type/Annot/Subtype/Square/IC[1 1 1]/Rect[50 700 250 740]/F 4/P 3 0 R>>'
    const extra = { 3: page('14 0 R', `14 0 R ${cover}`) }
    for (const changed of [field(3), page('14 0 R', `14 0 R ${cover.replace('700', '100')}`)])
      assert.deepEqual((await after({ 3: changed }, { extra })).faults, ['forbidden-change'])
    const same = await after({ 3: page('14 0 R', `14 0 R ${cover}`).replace('/Annots', ' /Annots') }, { extra })
    assert.deepEqual([same.faults, same.findings], [[], []])
    const { faults, findings } = await after({ 3: page('14 0 R', `14 0 R ${cover}`) })
    assert.deepEqual(faults, [])
    assert.ok(findings.includes('unclean content-covered'))
  })

  it('finds a cover that is put where a link led nowhere', async () => {
    const { faults, findings } = await after({ 14: field(14) }, { extra: { 14: null } })
    assert.deepEqual(faults, [])
    assert.ok(findings.includes('unclean content-covered'), findings.join())
  })

  it('reads what an earlier table promised behind its end as not there', async () => {
    // the signed table says that object 40 lies behind the end; later something lies there, and no table names it anew
    const objects = formDocument({ 3: page('/Contents 4 0 R', '/Contents[4 0 R 40 0 R]'), 40: stream('') })
    const body = stream('BT (900) Tj ET')
    const length = (await signRevision(null, { objects, signature: 21 })).length
    const row = (pdf: Buffer): number => pdf.indexOf('\n40 1\n') + '\n40 1\n'.length
    const redirect = (pdf: Buffer): void => void pdf.write(String(length).padStart(10, '0'), row(pdf), 'latin1')
    const signed = await signRevision(null, { objects, signature: 21, before: redirect })
    const junk = Buffer.from(`40 0 obj\n${body}\nendobj\n`)
    const start = Buffer.from(/startxref\s+\d+\s+%%EOF\s*$/.exec(signed.toString('latin1'))?.[0] ?? '')
    const later = updatePdf(Buffer.concat([signed, junk, start]), { objects: { 41: '<<>>' } })
    const { faults, document } = await facts(later)
    assert.deepEqual(faults, ['forbidden-change'])
    assert.deepEqual(document, ['uncovered-bytes'])
  })
})

describe('changes that are allowed', () => {
  it('says nothing about objects that were only written anew', async () => {
    const again = { 4: field(4), 5: '<< /BaseFont /Helvetica /Encoding 7 0 R\n/Subtype/Type1 /Type /Font >>' }
    const { faults, findings, kind } = await after(again)
    assert.deepEqual([faults, findings, kind], [[], [], 'revision'])
  })

  it('says nothing about pages written anew under other numbers', async () => {
    const update = { 3: page('/F1 5 0 R', '/F1 30 0 R'), 30: field(5) }
    const { faults, findings } = await after(update)
    assert.deepEqual([faults, findings], [[], []])
  })

  it('lets a security store and a second signature come', async () => {
    const update = { 1: catalog('/DSS<</Type/DSS/Certs[30 0 R]>>'), 30: stream('abc') }
    const signed = await signRevision(null, { objects: formDocument(), signature: 21, entries: CERTIFIED(1) })
    const { faults, findings } = await facts(updatePdf(signed, { objects: update }))
    assert.deepEqual([faults, findings], [[], ['info extended-after-signing']])
  })

  it('lets somebody sign once more, in a field of its own and in one that waits', async () => {
    const first = await signRevision(null, { objects: formDocument(), signature: 21, entries: CERTIFIED(2) })
    const waiting = { 13: field(13).replace('/T(Leer)', '/T(Leer)/V 30 0 R') }
    const second = await signRevision(first, { objects: waiting, signature: 30 })
    const third = await seal(second)
    const { signatures } = await facts(third)
    assert.deepEqual(
      signatures.map(({ faults, scope, name }) => [name, scope.kind, faults.length]),
      [
        ['Siegel', 'revision', 0],
        ['Leer', 'revision', 0],
        ['Siegel1', 'whole', 0],
      ],
    )
    assert.deepEqual(
      signatures[0]?.findings.map(({ code, severity }) => `${severity} ${code}`),
      ['info extended-after-signing'],
    )
  })

  it('lets empty fields be filled in', async () => {
    const update = {
      10: field(10).replace('/T(name)', '/T(name)/V(Ada)/AP<</N 30 0 R>>'),
      12: field(12).replace('/V/Off/AS/Off', '/V/Ja/AS/Ja'),
      30: stream('BT (Ada) Tj ET', '/Type/XObject/Subtype/Form/BBox[0 0 150 20]'),
    }
    for (const entries of ['', CERTIFIED(2), CERTIFIED(3)]) {
      const { faults, findings } = await after(update, { entries })
      assert.deepEqual([faults, findings], [[], ['warning extended-after-signing']])
    }
    assert.deepEqual((await after(update, { entries: CERTIFIED(1) })).faults, ['forbidden-change'])
  })

  it('lets values be replaced where the certification allows it', async () => {
    const { faults } = await after({ 11: field(11).replace('(100)', '(900)') }, { entries: CERTIFIED(2) })
    assert.deepEqual(faults, [])
  })

  it('keeps to the fields that a signature locks', async () => {
    const update = { 10: field(10).replace('/T(name)', '/T(name)/V(Ada)') }
    const faults = async (action: string) => (await after(update, { entries: LOCKS(action) })).faults
    assert.deepEqual(await faults('Include/Fields[(betrag)]'), [])
    assert.deepEqual(await faults('Include/Fields[(name)]'), ['forbidden-change'])
    assert.deepEqual(await faults('Exclude/Fields[(name)]'), [])
    assert.deepEqual(await faults('Exclude/Fields[(betrag)]'), ['forbidden-change'])
    assert.deepEqual(await faults('All'), ['forbidden-change'])
    assert.deepEqual(await faults('Unsinn'), ['forbidden-change'])
  })

  it('keeps to the lock of the field, and to its level', async () => {
    const update = { 10: field(10).replace('/T(name)', '/T(name)/V(Ada)') }
    const lock = (entries: string): Objects => ({
      20: field(20).replace('/FT', `/Lock<</Type/SigFieldLock${entries}>>/FT`),
    })
    assert.deepEqual((await after(update, { extra: lock('/Action/All') })).faults, ['forbidden-change'])
    const level = await after(update, { extra: lock('/Action/Include/Fields[(betrag)]/P 1') })
    assert.deepEqual(level.faults, ['forbidden-change'])
  })

  it('reports comments, and says when they can hide something', async () => {
    const comment = (entries: string): Objects => ({
      3: page('20 0 R]', '20 0 R 30 0 R]'),
      30: `<</Type/Annot/P 3 0 R/Contents(Hinweis)${entries}>>`,
      31: stream('1 g 0 0 400 400 re f', '/Type/XObject/Subtype/Form/BBox[0 0 400 400]'),
    })
    const harmless = comment('/Subtype/Text/Rect[10 10 30 30]')
    const opaque = comment('/Subtype/Stamp/Rect[50 700 250 740]/AP<</N 31 0 R>>')
    const disguised = comment('/Subtype/Link/Rect[50 700 250 740]/Border[0 0 60]')
    const found = async (update: Objects, entries = '') => {
      const { faults, findings } = await after(update, { entries })
      return [...faults, ...findings.filter((finding) => !finding.startsWith('info'))]
    }
    assert.deepEqual(await found(harmless, CERTIFIED(3)), ['warning annotations-after-signing'])
    assert.deepEqual(await found(harmless), ['warning annotations-after-signing'])
    assert.deepEqual(await found(harmless, CERTIFIED(2)), ['forbidden-change'])
    const covered = ['warning annotations-after-signing', 'warning content-covered']
    assert.deepEqual(await found(opaque, CERTIFIED(3)), covered)
    assert.deepEqual(await found(opaque), ['warning annotations-after-signing', 'unclean content-covered'])
    assert.deepEqual(await found(disguised, CERTIFIED(3)), covered)
  })

  it('warns of a signature whose appearance lies over the page', async () => {
    const first = await signRevision(null, { objects: formDocument(), signature: 21, entries: CERTIFIED(2) })
    const objects = {
      1: field(1).replace('20 0 R]', '20 0 R 31 0 R]'),
      3: page('20 0 R]', '20 0 R 31 0 R]'),
      31: '<</Type/Annot/Subtype/Widget/FT/Sig/T(Deckel)/V 30 0 R/Rect[0 0 595 842]/F 132/P 3 0 R/AP<</N 32 0 R>>>>',
      32: stream('1 g 0 0 595 842 re f', '/Type/XObject/Subtype/Form/BBox[0 0 595 842]'),
    }
    const { faults, findings } = await facts(await signRevision(first, { objects, signature: 30 }))
    assert.deepEqual(faults, [])
    assert.ok(findings.includes('warning content-covered'))
  })

  it('takes what fields without a signature paint for comments', async () => {
    const paint = stream('1 g 0 0 400 400 re f', '/Type/XObject/Subtype/Form/BBox[0 0 400 400]')
    const shown = { 13: field(13).replace('/T(Leer)', '/T(Leer)/AP<</N 32 0 R>>'), 32: paint }
    const added = {
      1: field(1).replace('20 0 R]', '20 0 R 31 0 R]'),
      3: page('20 0 R]', '20 0 R 31 0 R]'),
      31: '<</Type/Annot/Subtype/Widget/FT/Sig/T(Deckel)/Rect[50 700 250 740]/F 132/P 3 0 R/AP<</N 32 0 R>>>>',
      32: paint,
    }
    for (const update of [shown, added]) {
      assert.ok((await after(update)).findings.includes('unclean content-covered'))
      assert.deepEqual((await after(update, { entries: CERTIFIED(2) })).faults, ['forbidden-change'])
    }
    const empty = { ...added, 32: stream('', '/Type/XObject/Subtype/Form/BBox[0 0 0 0]') }
    assert.deepEqual((await after(empty)).findings, ['info extended-after-signing'])
  })

  it('reports dates and metadata as such', async () => {
    const { faults, findings } = await after({ 1: catalog('/Metadata 30 0 R'), 30: stream('<x/>', '/Type/Metadata') })
    assert.deepEqual([faults, findings], [[], ['info extended-after-signing']])
  })
})

describe('what else is in the file', () => {
  it('does not call changed objects unchanged because nothing leads to them', async () => {
    const extra = { 40: '<</Art/Unbenutzt>>' }
    const { faults, findings } = await after({ 40: '<</Art/Anders>>' }, { extra })
    assert.deepEqual([faults, findings], [[], ['unclean unclear-change']])
    assert.deepEqual((await after({ 41: '<<>>' })).findings, ['info unclear-change'])
  })

  it('sees bytes behind the end and between revisions', async () => {
    const signed = await signRevision(null, { objects: formDocument(), signature: 21 })
    const junk = Buffer.from('4 0 obj\n<</Length 0>>\nstream\n\nendstream\nendobj\n')
    assert.deepEqual((await facts(Buffer.concat([signed, junk]))).document, ['uncovered-bytes'])
    const between = updatePdf(Buffer.concat([signed, junk, tailOf(signed)]), { objects: { 41: '<<>>' } })
    assert.ok((await facts(between)).document.includes('uncovered-bytes'))
    assert.deepEqual((await facts(Buffer.concat([signed, Buffer.from('% mehr\n')]))).document, ['uncovered-bytes'])
    const blank = await facts(Buffer.concat([signed, Buffer.from('\r\n\n')]))
    assert.deepEqual([blank.document, blank.kind], [[], 'whole'])
  })

  it('does not doubt that a document is unsigned because of bytes behind its end', async () => {
    const plain = Buffer.concat([buildPdf({ objects: onePage() }), Buffer.from('mehr')])
    const { findings } = await readPdfFacts(bufferAccess(plain))
    assert.deepEqual(
      findings.map(({ code, severity }) => `${severity} ${code}`),
      ['info uncovered-bytes'],
    )
  })

  it('does not judge a signature that does not say what it is', async () => {
    const signed = await signRevision(null, { objects: formDocument(), signature: 21 })
    const silent = Buffer.from(signed.toString('latin1').replace('/SubFilter', '/SubFolder'), 'latin1')
    assert.deepEqual((await facts(silent)).faults, ['format'])
  })

  it('reads what follows rules of its own, and lets it not pass', async () => {
    const own = (pdf: Buffer): void =>
      void pdf.write('/PBAD.PAdES.detached', pdf.indexOf('/ETSI.CAdES.detached'), 'latin1')
    const { faults, signatures } = await facts(
      await signRevision(null, { objects: formDocument(), signature: 21, before: own }),
    )
    assert.deepEqual(faults, ['constraints'])
    assert.notEqual(signatures[0]?.certificate, null)
  })

  it('lists signatures by the places that they claim', async () => {
    const first = await signRevision(null, { objects: formDocument(), signature: 21 })
    const second = await signRevision(first, {
      objects: { 13: field(13).replace('/T(Leer)', '/T(Leer)/V 30 0 R') },
      signature: 30,
    })
    const ranges = [...second.toString('latin1').matchAll(/\/ByteRange \[0 \d+ \d+ \d+\]/g)]
    second.write('/ByteRange [0 1 2 3]'.padEnd(ranges[1]?.[0].length ?? 0), ranges[1]?.index ?? 0, 'latin1')
    assert.deepEqual(
      (await facts(second)).signatures.map(({ name }) => name),
      ['Leer', 'Siegel'],
    )
  })

  it('shows what the signed revision says of reason and time', async () => {
    const signed = await signRevision(null, { objects: formDocument(), signature: 21, entries: '/Reason(echt)' })
    const text = signed.toString('latin1')
    const body = /21 0 obj\n([^]*?)\nendobj/.exec(text)?.[1]?.replace('(echt)', '(falsch)') ?? ''
    const { signatures, faults, findings } = await facts(updatePdf(signed, { objects: { 21: body } }))
    assert.equal(signatures.length, 1)
    assert.equal(signatures[0]?.claimed.reason, 'echt')
    assert.deepEqual(faults, ['forbidden-change'])
    assert.ok(findings.includes('unclean display-changed'))
  })

  it('still knows a signature that was taken out', async () => {
    const update = { 1: field(1).replace(' 20 0 R]', ']'), 3: page(' 20 0 R]', ']'), 20: null, 21: null }
    const { signatures, faults, findings } = await after(update)
    assert.equal(signatures.length, 1)
    assert.deepEqual(faults, ['forbidden-change'])
    assert.ok(findings.includes('unclean signature-removed'))
  })
})

function tailOf(pdf: Buffer): Buffer {
  const start = /startxref\s+\d+\s+%%EOF\s*$/.exec(pdf.toString('latin1'))?.[0] ?? ''
  return Buffer.from(start, 'latin1')
}
