/** What courts do not take inside a file: protection, active content, other kinds of files; and how much work that is. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judgeFiling } from '../court-form/judge.ts'
import type { FileFacts } from '../court-form/facts.ts'
import { kindOf } from '../court-form/file-kind.ts'
import { readPdfContent } from '../court-form/pdf-content.ts'
import type { PdfContent } from '../court-form/pdf-content.ts'
import type { PdfTrait } from '../court-form/pdf-traits.ts'
import { memoryPart, zipArchive } from '../asic/zip-writer.ts'
import { bufferAccess } from '../random-access.ts'
import { buildPdf, onePage, updatePdf } from './build-pdf.ts'
import type { Revision } from './build-pdf.ts'
import { dice } from './support/dice.ts'
import { bytesOf } from './support/court-people.ts'
import { programsFor, run } from './programs.ts'
import { sharedData } from './shared-data.ts'

const stream = (data: string, entries = ''): string =>
  `<<${entries}/Length ${data.length}>>\nstream\n${data}\nendstream`
const page = (entries: string): string =>
  `<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>${entries}>>`
const catalog = (entries: string): string => `<</Type/Catalog/Pages 2 0 R${entries}>>`
/** one whose programme is in the file */
const EMBEDDED: Record<number, string> = {
  5: '<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Arial/FontDescriptor 50 0 R>>',
  50: '<</Type/FontDescriptor/FontName/ABCDEF+Arial/FontFile2 51 0 R>>',
  51: stream('x'),
}

const contentOf = (pdf: Buffer): Promise<PdfContent> => readPdfContent(bufferAccess(pdf))

async function traits(objects: Record<number, string>, revision: Partial<Revision> = {}): Promise<string[]> {
  const content = await contentOf(buildPdf({ objects: onePage({ ...EMBEDDED, ...objects }), ...revision }))
  assert.equal(content.kind, 'read')
  return [...content.traits.keys()].sort()
}

describe('the content of a PDF for courts', () => {
  it('may be text, forms and links', async () => {
    const link = '<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(https://example.org)>>>>'
    const field = '<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/Rect[0 0 9 9]/P 3 0 R>>'
    const form = '/AcroForm<</Fields[11 0 R]>>/OpenAction[3 0 R/Fit]'
    assert.deepEqual(await traits({ 1: catalog(form), 3: page('/Annots[10 0 R 11 0 R]'), 10: link, 11: field }), [])
  })

  const script = '<</S/JavaScript/JS(app.alert\\(1\\))>>'
  for (const [where, objects] of Object.entries<Record<number, string>>({
    'the name tree': { 1: catalog('/Names<</JavaScript<</Kids[10 0 R]>>>>'), 10: `<</Names[(a) 11 0 R]>>`, 11: script },
    'the action of the opening': { 1: catalog(`/OpenAction ${script}`) },
    'the further actions of the document': { 1: catalog('/AA<</WC 10 0 R>>'), 10: script },
    'the further actions of a page': { 3: page(`/AA<</O ${script}>>`) },
    'an annotation': { 3: page('/Annots[10 0 R]'), 10: `<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A ${script}>>` },
    'the further actions of a field': {
      1: catalog('/AcroForm<</Fields[10 0 R]>>'),
      10: `<</FT/Tx/T(a)/AA<</K 11 0 R>>>>`,
      11: script,
    },
    'an action that follows another': {
      1: catalog('/OpenAction 10 0 R'),
      10: `<</S/GoTo/D[3 0 R/Fit]/Next[${script}]>>`,
    },
    'the outline': { 1: catalog('/Outlines<</First 10 0 R>>'), 10: `<</Title(a)/A ${script}>>` },
    'a name behind a reference': { 1: catalog('/OpenAction 10 0 R'), 10: '<</S 11 0 R>>', 11: '/JavaScript' },
    'a name with escapes': { 1: catalog('/OpenAction<</S/Java#53cript>>') },
    'a stream': { 1: catalog('/OpenAction 10 0 R'), 10: '<</S/Rendition/JS 11 0 R>>', 11: stream('app.alert(1)') },
  })) {
    it(`shows JavaScript in ${where}`, async () => {
      assert.ok((await traits(objects)).includes('script'))
    })
  }

  it('shows JavaScript in object streams and in later revisions, and none that nothing leads to any more', async () => {
    const hidden = { 1: catalog('/OpenAction 10 0 R'), 10: script }
    for (const style of ['stream', 'hybrid'] as const) {
      assert.deepEqual(await traits(hidden, { style, packed: [10, 1] }), ['script'])
    }
    const clean = buildPdf({ objects: onePage(EMBEDDED) })
    const later = await contentOf(updatePdf(clean, { objects: hidden }))
    assert.deepEqual(later.kind === 'read' && [...later.traits.keys()], ['script'])
    const removed = await contentOf(
      updatePdf(buildPdf({ objects: onePage({ ...EMBEDDED, ...hidden }) }), { objects: { 1: catalog('') } }),
    )
    assert.deepEqual(removed.kind === 'read' && [...removed.traits.keys()], [])
  })

  it('says in which object it is', async () => {
    const content = await contentOf(buildPdf({ objects: onePage({ 1: catalog('/OpenAction 10 0 R'), 10: script }) }))
    assert.deepEqual(content.kind === 'read' && content.traits.get('script'), ['object 10'])
  })

  const file = (name: string): Record<number, string> => ({
    10: `<</Type/Filespec/F(${name})/UF(${name})/EF<</F 11 0 R>>>>`,
    11: stream('x', '/Type/EmbeddedFile'),
  })
  for (const [what, objects, expected] of [
    [
      'a file in the name tree',
      { 1: catalog('/Names<</EmbeddedFiles<</Names[(a) 10 0 R]>>>>'), ...file('a.xml') },
      ['embedded-file'],
    ],
    ['an associated file', { 1: catalog('/AF[10 0 R]'), ...file('a.xml') }, ['embedded-file']],
    [
      'a file at an annotation',
      {
        3: page('/Annots[12 0 R]'),
        12: '<</Type/Annot/Subtype/FileAttachment/Rect[0 0 9 9]/FS 10 0 R>>',
        ...file('a.xml'),
      },
      ['embedded-file'],
    ],
    ['something executable', { 1: catalog('/AF[10 0 R]'), ...file('a.pdf.EXE') }, ['embedded-file', 'executable']],
    ['a launch action', { 1: catalog('/OpenAction<</S/Launch/F(cmd.exe)>>') }, ['launch']],
    ['a launch action at a page', { 3: page('/AA<</O<</S/Launch/Win<</F(cmd.exe)>>>>>>') }, ['launch']],
    ['an XFA form', { 1: catalog('/AcroForm<</Fields[]/XFA[(template) 10 0 R]>>'), 10: stream('<x/>') }, ['xfa']],
    ['an XFA form that is drawn when it opens', { 1: catalog('/NeedsRendering true') }, ['xfa']],
    ['a form that is sent off', { 1: catalog('/OpenAction<</S/SubmitForm/F(http://x)>>') }, ['external']],
    ['a link into another file', { 1: catalog('/OpenAction<</S/GoToR/F(b.pdf)/D[0/Fit]>>') }, ['external']],
    ['contents in another file', { 4: '<</Length 0/F(page.txt)>>\nstream\n\nendstream' }, ['external']],
    ['a film', { 3: page('/Annots[10 0 R]'), 10: '<</Subtype/RichMedia/Rect[0 0 9 9]>>' }, ['multimedia']],
    ['sound', { 3: page('/AA<</O<</S/Sound/Sound 10 0 R>>>>'), 10: stream('x', '/Type/Sound') }, ['multimedia']],
    ['a font that is not embedded', { 5: '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>' }, ['font']],
    [
      'a composed font that is not embedded',
      {
        5: '<</Type/Font/Subtype/Type0/BaseFont/Arial/DescendantFonts[10 0 R]>>',
        10: '<</Type/Font/Subtype/CIDFontType2/BaseFont/Arial/FontDescriptor<</FontName/Arial>>>>',
      },
      ['font'],
    ],
  ] as const) {
    it(`shows ${what}`, async () => {
      assert.deepEqual(await traits(objects), expected)
    })
  }

  it('has the version of its header, or a later one that the catalog names', async () => {
    const version = async (text: string, entries = ''): Promise<string> => {
      const pdf = buildPdf({ objects: onePage({ 1: catalog(entries) }) })
      pdf.write(text, 5, 'latin1')
      const content = await contentOf(pdf)
      return content.kind === 'read' ? content.version : content.kind
    }
    assert.equal(await version('1.4'), '1.4')
    assert.equal(await version('1.4', '/Version/2.0'), '2.0')
    assert.equal(await version('1.7', '/Version/1.4'), '1.7')
    assert.equal(await version('9.9'), '9.9')
    assert.equal(await version('x.y'), '')
  })

  it('that cannot be read is damaged, and what of it cannot be read is counted', async () => {
    const pdf = buildPdf({
      objects: onePage({ ...EMBEDDED, 1: catalog('/OpenAction 10 0 R'), 10: '<</S/GoTo/S/JavaScript>>' }),
    })
    const content = await contentOf(pdf)
    assert.equal(content.kind === 'read' && content.unreadableObjects, 1)
    assert.equal((await contentOf(pdf.subarray(0, pdf.length - 20))).kind, 'damaged')
    assert.equal((await contentOf(Buffer.from('%PDF-1.7'))).kind, 'damaged')
  })

  it('costs a bounded amount of work, however it is linked', async () => {
    // a name that takes long to read, asked for by every dictionary
    const many = Array.from(
      { length: 3000 },
      () => '<</S 11 0 R/Type 11 0 R/Subtype 11 0 R/EF 1/Rect[]/BaseFont 11 0 R>>',
    )
    const objects: Record<number, string> = { 1: catalog('/A[10 0 R]'), 11: `/N % ${'x'.repeat(1 << 20)}\n` }
    for (let number = 20; number < 60; number++) objects[number] = `[${many.join('')}]`
    objects[10] = `[${Object.keys(objects)
      .map((number) => `${number} 0 R`)
      .join(' ')}]`
    const content = await contentOf(buildPdf({ objects: onePage(objects) }))
    assert.equal(content.kind, 'too-complex')
  })

  it('loops without end only where it is drawn, not where it is searched', async () => {
    const objects = { 1: catalog('/A 10 0 R'), 10: '<</Next 11 0 R>>', 11: '<</Next 10 0 R/S 11 0 R>>' }
    assert.deepEqual(await traits(objects), [])
  })

  it('never throws for mutated bytes', async () => {
    const roll = dice(20261127)
    const start = buildPdf({
      objects: onePage({ 1: catalog(`/OpenAction ${script}`), 10: '<<>>' }),
      style: 'stream',
      packed: [1, 10],
    })
    for (let round = 0; round < 500; round++) {
      const pdf = Buffer.from(start)
      for (let change = roll(4) + 1; change > 0; change--) pdf[roll(pdf.length)] = roll(256)
      const content = await contentOf(pdf)
      assert.ok(['read', 'damaged', 'locked', 'too-complex'].includes(content.kind))
    }
  })

  if (programsFor('encrypted documents for courts', 'qpdf')) {
    describe('encrypted by qpdf', () => {
      const folder = mkdtempSync(join(tmpdir(), 'amtsbote-court-'))
      after(() => {
        rmSync(folder, { recursive: true })
      })
      const encrypted = async (user: string, ...limits: string[]): Promise<PdfContent> => {
        const [from, to] = [join(folder, 'in.pdf'), join(folder, 'out.pdf')]
        writeFileSync(from, buildPdf({ objects: onePage({ 1: catalog(`/OpenAction ${script}`) }) }))
        const { code, output } = await run('qpdf', from, '--encrypt', user, 'inhaber', '256', ...limits, '--', to)
        assert.equal(code, 0, output)
        return contentOf(readFileSync(to))
      }

      it('is locked with a password', async () => {
        assert.equal((await encrypted('nutzer')).kind, 'locked')
      })

      it('is told apart by what it allows, and searched all the same', async () => {
        const free = await encrypted('')
        assert.equal(free.kind === 'read' && free.protection, 'encrypted')
        for (const limit of ['--print=none', '--extract=n', '--modify=none']) {
          const limited = await encrypted('', limit)
          assert.equal(limited.kind === 'read' && limited.protection, 'restricted', limit)
          assert.ok(limited.kind === 'read' && limited.traits.has('script'))
        }
      })
    })
  }

  if (existsSync(sharedData)) {
    it('is told for every PDF of the corpus', async () => {
      const folder = join(sharedData, 'files')
      const kinds = new Map<string, number>()
      for (const name of readdirSync(folder).filter((one) => one.endsWith('.pdf'))) {
        const { kind } = await contentOf(readFileSync(join(folder, name)))
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      assert.ok((kinds.get('read') ?? 0) > 100)
      assert.equal(kinds.get('too-complex'), undefined)
    }).timeout(60_000)
  }
})

describe('kinds of files for courts', () => {
  const zip = async (...names: string[]): Promise<Buffer> =>
    bytesOf(
      zipArchive(
        names.map((name) => memoryPart(name, Buffer.from('x'))),
        new Date('2026-11-23'),
      ),
    )
  const kind = (name: string, bytes: Buffer | string): Promise<string> =>
    kindOf(name, bufferAccess(Buffer.from(bytes as string, 'latin1')))

  it('are told by what they are, not by what they are called', async () => {
    assert.equal(await kind('Klage.txt', buildPdf({ objects: onePage() })), 'pdf')
    assert.equal(await kind('Klage.pdf', 'MZ\x90\0'), 'executable')
    assert.equal(await kind('Klage.pdf', 'Text'), 'other')
    assert.equal(await kind('Klage.pdf', ''), 'empty')
    assert.equal(await kind('Bild.tif', 'II*\0'), 'tiff')
    assert.equal(await kind('Bild.tif', 'MM\0*'), 'tiff')
    assert.equal(await kind('a.xml', '<a/>'), 'xml')
    assert.equal(await kind('a.doc', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'), 'office')
  })

  it('tell archives from documents of office programs, and those from ones with macros', async () => {
    assert.equal(await kind('a.zip', await zip('Klage.pdf')), 'archive')
    assert.equal(await kind('a.docx', await zip('_rels/.rels', '[Content_Types].xml')), 'office')
    assert.equal(await kind('a.odt', await zip('content.xml', 'META-INF/manifest.xml')), 'office')
    assert.equal(await kind('a.docm', await zip('[Content_Types].xml')), 'executable')
    assert.equal(await kind('a.docx', 'PK\x03\x04'), 'archive')
    for (const start of ['\x1f\x8b', 'BZh', '7z\xbc\xaf\x27\x1c', 'Rar!\x1a\x07']) {
      assert.equal(await kind('a.pdf', `${start}rest`), 'archive')
    }
    assert.equal(await kind('a.tar', `${'a'.repeat(257)}ustar`), 'archive')
  })

  it('take for a signature what is one, or is called one', async () => {
    assert.equal(await kind('a.p7s', 'nothing'), 'signature')
    assert.equal(await kind('a.txt', '0815 is a number'), 'other')
    assert.equal(await kind('a.bat', 'echo'), 'executable')
  })
})

const fileOf = (index: number, sizeBytes: number): FileFacts => ({
  name: `a${index}.pdf`,
  role: 'document',
  sizeBytes,
  sha256: String(index),
  kind: 'pdf',
  pdf: { kind: 'read', version: '1.7', protection: 'none', traits: new Map(), unreadableObjects: 0 },
  signatures: [],
  over: null,
  isReadable: true,
  isSecondKind: false,
  namesOthers: 0,
})

describe('limits of a message', () => {
  const rules = (count: number, bytes: number): string[] => {
    const files = Array.from({ length: count }, (_, index) => fileOf(index, index === 0 ? bytes : 0))
    return judgeFiling({ secureWay: 'vhn', files }, new Date('2026-11-23')).findings.map(({ rule }) => rule)
  }

  it('are 1,000 files and 200 MB, with room for what the sending program adds', () => {
    assert.deepEqual(rules(997, 198_000_000), [])
    assert.deepEqual(rules(998, 1), ['limits-near'])
    assert.deepEqual(rules(1, 198_000_001), ['limits-near'])
    assert.deepEqual(rules(1000, 200_000_000), ['limits-near'])
    assert.deepEqual(rules(1001, 200_000_001), ['file-count', 'file-volume'])
  })

  it('make a filing unfit, and its form is another question', () => {
    const { verdict } = judgeFiling({ secureWay: 'vhn', files: [fileOf(0, 200_000_001)] }, new Date('2026-11-23'))
    assert.equal(verdict, 'unfit')
  })
})

describe('what is found in a file', () => {
  const said = (facts: Partial<FileFacts>, secureWay: 'vhn' | 'none' = 'vhn'): string[] => {
    const files = [{ ...fileOf(0, 1), ...facts }]
    const report = judgeFiling({ secureWay, files }, new Date('2026-11-23'))
    return [report.verdict, ...(report.files[0]?.findings.map(({ severity, rule }) => `${severity} ${rule}`) ?? [])]
  }
  const read = { kind: 'read', version: '1.7', protection: 'none', traits: new Map(), unreadableObjects: 0 } as const
  const trait = (name: PdfTrait): PdfContent => ({ ...read, traits: new Map([[name, []]]) })

  for (const [what, pdf, verdict, finding] of [
    ['a password', { kind: 'locked' }, 'unfit', 'block pdf-password'],
    ['damage', { kind: 'damaged', reason: '' }, 'unfit', 'block pdf-damaged'],
    ['too much to look at', { kind: 'too-complex', reason: '' }, 'undecided', 'open pdf-not-searched'],
    ['objects that cannot be read', { ...read, unreadableObjects: 1 }, 'undecided', 'open pdf-not-searched'],
    ['encryption', { ...read, protection: 'encrypted' }, 'unfit', 'block pdf-encrypted'],
    ['restrictions', { ...read, protection: 'restricted' }, 'unfit', 'block pdf-restricted'],
    ['an unknown version', { ...read, version: '1.8' }, 'kept', 'warn pdf-version'],
    ['JavaScript', trait('script'), 'kept', 'warn pdf-script'],
    ['a launch action', trait('launch'), 'kept', 'warn pdf-launch'],
    ['a file inside', trait('embedded-file'), 'kept', 'warn pdf-embedded-file'],
    ['a program inside', trait('executable'), 'unfit', 'block pdf-executable'],
    ['an XFA form', trait('xfa'), 'kept', 'warn pdf-xfa'],
    ['a film', trait('multimedia'), 'kept', 'warn pdf-multimedia'],
    ['references to the outside', trait('external'), 'kept', 'warn pdf-external'],
    ['fonts that are missing', trait('font'), 'kept', 'warn pdf-fonts'],
  ] as const satisfies readonly (readonly [string, PdfContent, string, string])[]) {
    it(`has its weight: ${what}`, () => {
      assert.deepEqual(said({ pdf }), [verdict, 'warn simple-signature', finding])
    })
  }

  it('leaves the form open where a password hides the signatures', () => {
    assert.deepEqual(said({ pdf: { kind: 'locked' } }, 'none'), [
      'unfit',
      'open signature-undecided',
      'block pdf-password',
    ])
  })

  it('lets pictures stand beside their PDF alone', () => {
    const picture: FileFacts = { ...fileOf(1, 1), name: 'a0.tif', kind: 'tiff', pdf: null }
    const rules = (files: FileFacts[]): string[] =>
      judgeFiling({ secureWay: 'vhn', files }, new Date('2026-11-23')).files.flatMap(({ name, findings }) =>
        findings.map(({ severity, rule }) => `${name}: ${severity} ${rule}`),
      )
    assert.deepEqual(rules([fileOf(0, 1), picture]), ['a0.pdf: warn simple-signature', 'a0.tif: warn image-beside-pdf'])
    assert.deepEqual(rules([picture]), ['a0.tif: warn simple-signature', 'a0.tif: block file-type'])
    assert.deepEqual(rules([{ ...picture, role: 'exhibit' }]), ['a0.tif: warn exhibit-type'])
  })
})
