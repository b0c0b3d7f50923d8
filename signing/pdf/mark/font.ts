/**
 * The font of visible marks: DejaVu Sans Condensed, embedded as a subset with the characters that a mark needs
 * (ISO 32000-2 §9.7.4, §9.8, §9.10.3). All of it is inside the document, as PDF/A wants it.
 *
 * No shaping and no combining marks: one character is one glyph, which is right for the languages of Europe.
 */
import { createRequire } from 'node:module'
import { deflateSync } from 'node:zlib'
import type { Font } from 'fontkit'
import { SigningError } from '../../errors.ts'
import { array, dictionary, name, number } from '../values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'

export interface MarkFont {
  /** in units of the font size */
  ascent: number
  descent: number
  /** width of a text, in units of the font size */
  widthOf(text: string): number
  /** The text as the string operand of Tj. */
  encode(text: string): string
  /** Adds the font's objects; returns the one that /Resources name. */
  write(add: (value: PdfValue, data?: Buffer) => PdfReference): PdfReference
}

/**
 * A font for these texts.
 *
 * @throws SigningError `signing/bad-text` a character that the font does not have
 */
export async function markFont(texts: readonly string[]): Promise<MarkFont> {
  const font = await openFont()
  const characters = [...new Set(texts.join(''))].sort()
  const subset = font.createSubset()
  const glyphs = new Map<string, Glyph>()
  // the subset counts what is included from 1; 0 is what is shown for a missing one
  const ids = new Map<number, number>([[0, 0]])
  for (const character of characters) {
    const code = character.codePointAt(0) ?? 0
    if (/\p{M}|\p{C}/u.test(character) || !font.hasGlyphForCodePoint(code)) {
      throw new SigningError('signing/bad-text', 'a mark has a character that its font does not have')
    }
    const glyph = font.glyphForCodePoint(code)
    const id = ids.get(glyph.id) ?? ids.size
    ids.set(glyph.id, id)
    subset.includeGlyph(glyph)
    glyphs.set(character, { id, width: glyph.advanceWidth / font.unitsPerEm })
  }
  const glyphOf = (character: string): Glyph => glyphs.get(character) ?? { id: 0, width: 0 }
  return {
    ascent: font.ascent / font.unitsPerEm,
    descent: -font.descent / font.unitsPerEm,
    widthOf: (text) => Array.from(text).reduce((sum, character) => sum + glyphOf(character).width, 0),
    encode: (text) => `<${Array.from(text, (character) => hex(glyphOf(character).id)).join('')}>`,
    write: (add) => writeFont(font, Buffer.from(subset.encode()), glyphs, add),
  }
}

interface Glyph {
  /** in the subset */
  id: number
  /** in units of the font size */
  width: number
}

let opened: Promise<Font> | undefined

/** Only who wants a mark pays for the font. */
function openFont(): Promise<Font> {
  opened ??= (async () => {
    const { openSync } = await import('fontkit')
    const file = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf')
    return openSync(file) as Font
  })()
  return opened
}

function writeFont(
  font: Font,
  file: Buffer,
  glyphs: ReadonlyMap<string, Glyph>,
  add: (value: PdfValue, data?: Buffer) => PdfReference,
): PdfReference {
  const packed = (data: Buffer, more: Record<string, PdfValue> = {}): PdfReference =>
    add(dictionary({ Filter: name('FlateDecode'), ...more }), deflateSync(data))
  const baseFont = name(`${tag(glyphs.keys())}+DejaVuSansCondensed`)
  // numbered from 1 in the order in which they came; characters that look alike share one
  const ordered = [
    ...new Map([...glyphs].map(([character, glyph]) => [glyph.id, [character, glyph] as const])).values(),
  ]
  const descriptor = add(
    descriptorOf(font, baseFont, {
      FontFile2: packed(file, { Length1: number(file.length) }),
      CIDSet: packed(allGlyphs(file)),
    }),
  )
  const descendant = add(
    dictionary({
      Type: name('Font'),
      Subtype: name('CIDFontType2'),
      BaseFont: baseFont,
      CIDSystemInfo: dictionary({ Registry: text('Adobe'), Ordering: text('Identity'), Supplement: number(0) }),
      FontDescriptor: descriptor,
      CIDToGIDMap: name('Identity'),
      // glyph 0 stands before them
      W: array(number(1), array(...ordered.map(([, { width }]) => number(Math.round(width * 1000))))),
    }),
  )
  return add(
    dictionary({
      Type: name('Font'),
      Subtype: name('Type0'),
      BaseFont: baseFont,
      Encoding: name('Identity-H'),
      DescendantFonts: array(descendant),
      ToUnicode: packed(Buffer.from(toUnicode(ordered), 'latin1')),
    }),
  )
}

function descriptorOf(font: Font, baseFont: PdfValue, files: Record<string, PdfValue>): PdfDictionary {
  const scaled = (value: number): PdfValue => number(Math.round((value * 1000) / font.unitsPerEm))
  const { minX, minY, maxX, maxY } = font.bbox
  return dictionary({
    Type: name('FontDescriptor'),
    FontName: baseFont,
    Flags: number(4), // symbolic: the encoding is our own
    FontBBox: array(scaled(minX), scaled(minY), scaled(maxX), scaled(maxY)),
    ItalicAngle: number(0),
    Ascent: scaled(font.ascent),
    Descent: scaled(font.descent),
    CapHeight: number(729),
    StemV: number(80),
    ...files,
  })
}

/** §9.6.4: six letters that differ from subset to subset. */
function tag(characters: Iterable<string>): string {
  let value = 0
  for (const character of characters) value = (value * 31 + (character.codePointAt(0) ?? 0)) % 26 ** 6
  return Array.from({ length: 6 }, (_, place) => String.fromCharCode(65 + (Math.floor(value / 26 ** place) % 26))).join(
    '',
  )
}

/** One bit for each glyph of the file, parts of others included; PDF/A-1 wants it. */
function allGlyphs(file: Buffer): Buffer {
  // OpenType §maxp: numGlyphs stands after the version
  const directory = Array.from({ length: file.readUInt16BE(4) }, (_, index) => 12 + index * 16)
  const maxp = directory.find((at) => file.toString('latin1', at, at + 4) === 'maxp') ?? 0
  const count = file.readUInt16BE(file.readUInt32BE(maxp + 8) + 4)
  const bits = Buffer.alloc(Math.ceil(count / 8))
  for (let id = 0; id < count; id++) bits[id >> 3] = (bits[id >> 3] ?? 0) | (0x80 >> (id & 7))
  return bits
}

/** §9.10.3: what is copied and read aloud. */
function toUnicode(glyphs: readonly (readonly [string, Glyph])[]): string {
  const lines = glyphs.map(
    ([character, { id }]) => `<${hex(id)}> <${Buffer.from(character, 'utf16le').swap16().toString('hex')}>`,
  )
  const blocks: string[] = []
  for (let at = 0; at < lines.length; at += 100) {
    const block = lines.slice(at, at + 100)
    blocks.push(`${block.length} beginbfchar\n${block.join('\n')}\nendbfchar\n`)
  }
  return `/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo <</Registry (Adobe)/Ordering (UCS)/Supplement 0>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
${blocks.join('')}endcmap
CMapName currentdict /CMap defineresource pop
end
end
`
}

const hex = (id: number): string => id.toString(16).padStart(4, '0')
const text = (value: string): PdfValue => ({ kind: 'string', raw: `(${value})` })
