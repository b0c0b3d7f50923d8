/** The visible mark: where it is, what it shows, and what other programs make of it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PNG } from 'pngjs'
import { SigningError, bufferAccess, sealPdf } from '../index.ts'
import type { SealRequest } from '../index.ts'
import type { SealMark } from '../pdf/mark/mark.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { programsFor, run } from './programs.ts'
import { askPyHanko } from './support/pyhanko.ts'
import { NOW, seal, trialKey } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'

const LINES = [
  'Stadt Musterstadt',
  'Elektronisch gesiegelt: Bürgeramt',
  'Az. 12/345 – 23.11.2026, 11:00 Uhr (MEZ)',
  'Łódź, Köln, Çeşme',
]
const PLACE = { corner: 'bottom-right', margin: 30, width: 220, height: 60 } as const

/** A red disc on nothing, with soft edges. */
function disc(size = 64): Buffer {
  const image = new PNG({ width: size, height: size })
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const distance = Math.hypot(x - size / 2 + 0.5, y - size / 2 + 0.5)
      const alpha = Math.max(0, Math.min(255, (size / 2 - distance) * 64))
      image.data.set([200, 0, 0, alpha], (y * size + x) * 4)
    }
  }
  return PNG.sync.write(image)
}

const mark = (more: Partial<SealMark> = {}): SealMark => ({ place: PLACE, logo: disc(), lines: LINES, ...more })

const refusal = (code: string) => (error: unknown) => error instanceof SigningError && error.code === code

function pageWith(more: string, extra: Record<number, string> = {}): Buffer {
  const page = `<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>${more}>>`
  return buildPdf({ objects: onePage({ 3: page, ...extra }) })
}

const A4 = '/MediaBox[0 0 595 842]'

function rectOf(pdf: Buffer): number[] {
  const rect = /\/Rect \[([^\]]*)\]/.exec(pdf.toString('latin1', pdf.lastIndexOf('/Widget')))
  return (rect?.[1] ?? '').split(' ').map(Number)
}

async function notices(pdf: Buffer, request: Partial<SealRequest>): Promise<string[]> {
  return (await sealPdf(bufferAccess(pdf), (await trialKey()).signing, { signedAt: NOW, ...request })).notices
}

describe('a visible mark', () => {
  it('is not there unless it is asked for', async () => {
    assert.deepEqual(rectOf(await seal(pageWith(A4))), [0, 0, 0, 0])
  })

  it('is at the corner of the page as people see it', async () => {
    const cases: [page: string, rect: number[]][] = [
      [A4, [345, 30, 565, 90]],
      [`${A4}/CropBox[100 100 500 700]`, [250, 130, 470, 190]],
      [`${A4}/CropBox[-10 -10 5000 5000]`, [345, 30, 565, 90]],
      [`${A4}/Rotate 90`, [505, 592, 565, 812]],
      [`${A4}/Rotate 180`, [30, 752, 250, 812]],
      [`${A4}/Rotate -90`, [30, 30, 90, 250]],
    ]
    for (const [page, rect] of cases) assert.deepEqual(rectOf(await seal(pageWith(page), { mark: mark() })), rect, page)
  })

  it('inherits box and rotation from the page tree', async () => {
    const pages = '<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]/Rotate 180>>'
    assert.deepEqual(rectOf(await seal(pageWith('', { 2: pages }), { mark: mark() })), [30, 752, 250, 812])
  })

  it('is on the page that was asked for', async () => {
    const objects = onePage({
      2: '<</Type/Pages/Kids[3 0 R 6 0 R 9 0 R]/Count 4/MediaBox[0 0 595 842]>>',
      6: '<</Type/Pages/Parent 2 0 R/Kids[7 0 R 8 0 R]/Count 2>>',
      7: '<</Type/Page/Parent 6 0 R>>',
      8: '<</Type/Page/Parent 6 0 R>>',
      9: '<</Type/Page/Parent 2 0 R>>',
    })
    for (const [page, object] of [
      [1, 3],
      [2, 7],
      [3, 8],
      [4, 9],
      ['last', 9],
    ] as const) {
      const sealed = await seal(buildPdf({ objects }), { mark: mark({ page }) })
      assert.match(sealed.toString('latin1'), new RegExp(`/P ${object} 0 R`), String(page))
    }
    await assert.rejects(seal(buildPdf({ objects }), { mark: mark({ page: 5 }) }), refusal('signing/bad-mark'))
  })

  it('is refused where it does not fit', async () => {
    const small = { ...PLACE, width: 60, height: 20 }
    await assert.rejects(seal(pageWith(A4), { mark: mark({ place: small }) }), refusal('signing/bad-mark'))
    const outside = { left: 500, bottom: 10, width: 220, height: 60 }
    await assert.rejects(seal(pageWith(A4), { mark: mark({ place: outside }) }), refusal('signing/bad-mark'))
    await assert.rejects(seal(pageWith(A4), { mark: { lines: LINES } }), refusal('signing/bad-mark'))
  })

  it('is refused with characters that nobody could read, and with a logo that is none', async () => {
    for (const line of ['中', '\u0007', 'x\u0302', 'x'.repeat(121)]) {
      await assert.rejects(seal(pageWith(A4), { mark: mark({ lines: [line] }) }), refusal('signing/bad-text'), line)
    }
    const png = disc()
    const huge = Buffer.from(png)
    huge.writeUInt32BE(100_000, 16)
    const damaged = Buffer.from(png)
    damaged.fill(0, 60, 90)
    const logos = [Buffer.alloc(0), Buffer.from('GIF89a'), png.subarray(0, 20), png.subarray(0, 80), huge, damaged]
    for (const logo of [...logos, Buffer.from('ffd8ffe000', 'hex'), Buffer.alloc(5 * 1024 * 1024)]) {
      await assert.rejects(seal(pageWith(A4), { mark: mark({ logo }) }), refusal('signing/bad-mark'))
    }
  })

  it('has no transparency in PDF/A-1, and is left out where all must be tagged', async () => {
    const xmp = (text: string): Buffer => {
      const catalog = '<</Type/Catalog/Pages 2 0 R/Metadata 6 0 R>>'
      return pageWith(A4, {
        1: catalog,
        6: `<</Type/Metadata/Subtype/XML/Length ${text.length}>>\nstream\n${text}\nendstream`,
      })
    }
    const oldest = await seal(xmp('<pdfaid:part>1</pdfaid:part>'), { mark: mark() })
    assert.doesNotMatch(oldest.toString('latin1'), /\/SMask/)
    const second = await seal(xmp("pdfaid:part='2'"), { mark: mark() })
    assert.match(second.toString('latin1'), /\/SMask/)
    const accessible = xmp('<pdfuaid:part>1</pdfuaid:part>')
    assert.deepEqual(rectOf(await seal(accessible, { mark: mark() })), [0, 0, 0, 0])
    assert.deepEqual(await notices(accessible, { mark: mark() }), ['mark-omitted'])
  })

  it('of a few lines adds less than 30 kB', async () => {
    const page = pageWith(A4)
    const plain = (await seal(page)).length
    const marked = (await seal(page, { mark: mark() })).length
    assert.ok(marked - plain < 30_000, `${marked - plain} bytes`)
  })

  it('does not come to certified documents but in a field that waits', async () => {
    const field = '<</Type/Annot/Subtype/Widget/FT/Sig/T(Amt)/Rect[50 50 270 110]/P 3 0 R/F 4>>'
    const catalog = '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>'
    const certified = await seal(pageWith(`${A4}/Annots[6 0 R]`, { 1: catalog, 6: field }), { certify: 'form-filling' })
    assert.deepEqual(await notices(certified, { mark: mark() }), ['mark-omitted'])
    assert.deepEqual(rectOf(await seal(certified, { mark: mark() })), [0, 0, 0, 0])
    const filled = await seal(certified, { field: 'Amt', mark: { lines: LINES, logo: disc() } })
    assert.equal((await sealState(filled)).kind, 'intact')
  })
})

describe('what other programs see of a mark', () => {
  if (!programsFor('marks before poppler and qpdf', 'pdfsig', 'pdftoppm', 'pdftotext', 'pdffonts', 'qpdf')) return
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'amtsbote-mark-'))
  })
  after(() => rm(folder, { recursive: true }))

  /** Red pixels of the rendered page, by quarter: how the disc of the logo is told. */
  async function redQuarter(path: string): Promise<string> {
    await run('pdftoppm', '-r', '50', '-png', '-singlefile', path, join(folder, 'page'))
    const { width, height, data } = PNG.sync.read(await readFile(join(folder, 'page.png')))
    const counts = new Map<string, number>()
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * 4
        if ((data[at] ?? 0) < 150 || (data[at + 1] ?? 0) > 60) continue
        const quarter = `${y < height / 2 ? 'top' : 'bottom'}-${x < width / 2 ? 'left' : 'right'}`
        counts.set(quarter, (counts.get(quarter) ?? 0) + 1)
      }
    }
    assert.equal(counts.size, 1, JSON.stringify([...counts]))
    return [...counts.keys()][0] ?? ''
  }

  for (const rotation of [0, 90, 180, 270]) {
    it(`with the page turned by ${rotation}: logo at its corner, text upright, seal valid`, async () => {
      const path = join(folder, 'marked.pdf')
      const pdf = await seal(pageWith(`${A4}/Rotate ${rotation}`), { mark: mark() })
      await writeFile(path, pdf)
      assert.equal(await redQuarter(path), 'bottom-right')
      const { output } = await run('pdftotext', '-layout', path, '-')
      for (const line of LINES) assert.ok(output.includes(line), output)
      assert.match(
        (await run('pdffonts', path)).output,
        /\+DejaVuSansCondensed\s+CID TrueType\s+Identity-H\s+yes yes yes/,
      )
      assert.equal((await run('qpdf', '--check', path)).code, 0)
      assert.match((await run('pdfsig', '-nocert', path)).output, /Signature is Valid/)
      for (const { holds, changesAllowed } of (await askPyHanko(path)) ?? []) assert.ok(holds && changesAllowed)
    }).timeout(20_000)
  }

  it('in an encrypted document, with a JPEG', async () => {
    const [plain, hidden, path] = ['plain.pdf', 'hidden.pdf', 'marked.pdf'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(plain, pageWith(A4))
    await run('qpdf', '--encrypt', '', 'inhaber', '256', '--', plain, hidden)
    // a page as a picture is a JPEG that somebody else made
    await run('pdftoppm', '-jpeg', '-r', '20', '-singlefile', plain, join(folder, 'logo'))
    const logo = await readFile(join(folder, 'logo.jpg'))
    await writeFile(path, await seal(await readFile(hidden), { mark: mark({ logo }) }))
    const { output } = await run('pdftotext', '-layout', path, '-')
    assert.ok(output.includes('Elektronisch gesiegelt: Bürgeramt'), output)
    assert.equal((await run('qpdf', '--check', path)).code, 0)
    assert.match((await run('pdfimages', '-list', path)).output, /jpeg/)
  }).timeout(20_000)
})
