/**
 * New and changed objects, appended to a document without touching a byte before them (ISO 32000-2 §7.5.6).
 *
 * The cross-reference has the style of the newest section: readers of a file with cross-reference streams need not
 * understand tables that override objects in streams (§7.5.8.4), and the reverse.
 */
import { hash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { array, damaged, dictionary, name, number, serialize, withEntry } from './values.ts'
import type { PdfDictionary, PdfString, PdfValue } from './values.ts'

export interface NewObject {
  number: number
  generation: number
  value: PdfValue
  /** makes it a stream; `value` is its dictionary, and /Length is added here */
  data?: Buffer
}

export interface Update {
  /** to be appended to the document as it is */
  bytes: Buffer
  /** offset in `bytes` of the body of each object, by its number */
  bodies: Map<number, number>
}

/**
 * Lays out the update; in an encrypted document, it is encrypted like the rest.
 *
 * @param objects in any order, each number once
 */
export async function composeUpdate(document: PdfDocument, objects: readonly NewObject[]): Promise<Update> {
  const bodies = new Map<number, number>()
  const rows: Row[] = []
  const before = document.source.size
  // as text, where one character is a byte: a Buffer for every piece would cost more than all the rest
  let text = await lineEnd(document)
  for (const object of [...objects].sort((a, b) => a.number - b.number)) {
    const { number: id, generation } = object
    rows.push({ number: id, generation, offset: before + text.length })
    text += `${id} ${generation} obj\n`
    bodies.set(id, text.length)
    text += `${bodyOf(document, object)}\nendobj\n`
  }
  const start = before + text.length
  if (start > MAX_OFFSET)
    throw new SigningError('signing/pdf-too-complex', 'the document is larger than 9,999,999,999 bytes')
  const { style } = document.xref.sections[0]
  const section = style === 'table' ? xrefTable(document, rows) : xrefStream(document, rows, start)
  return { bytes: Buffer.from(`${text}${section}startxref\n${start}\n%%EOF\n`, 'latin1'), bodies }
}

/** What goes between `obj` and `endobj`. */
function bodyOf({ encryption }: PdfDocument, object: NewObject): string {
  const value = encryption?.encryptValue(object.value, object) ?? object.value
  if (object.data === undefined) return serialize(value)
  if (value.kind !== 'dictionary' || object.value.kind !== 'dictionary') throw damaged('a stream has a dictionary')
  const data = encryption?.encryptStream(object.value, object.data, object) ?? object.data
  const head = serialize(withEntry(value, 'Length', number(data.length)))
  return `${head}\nstream\n${data.toString('latin1')}\nendstream`
}

interface Row {
  number: number
  generation: number
  /** absolute */
  offset: number
}

/** A document that does not end with an end of line gets one first. */
async function lineEnd({ source }: PdfDocument): Promise<string> {
  const [last] = await source.read(source.size - 1, 1)
  return last === 10 || last === 13 ? '' : '\n'
}

/** §7.5.4: rows of exactly 20 bytes, in runs of consecutive numbers. */
function xrefTable(document: PdfDocument, rows: readonly Row[]): string {
  let lines = ''
  for (const run of runs(rows)) {
    lines += `${run[0]?.number ?? 0} ${run.length}\n`
    for (const { offset, generation } of run) lines += `${pad(offset, 10)} ${pad(generation, 5)} n\r\n`
  }
  const size = Math.max(document.nextNumber, (rows.at(-1)?.number ?? 0) + 1)
  return `xref\n${lines}trailer\n${serialize(trailerOf(document, rows, size))}\n`
}

/** §7.5.8: one row is type (1), offset (5 bytes), generation (2 bytes); the stream lists itself. */
function xrefStream(document: PdfDocument, objects: readonly Row[], start: number): string {
  const own = Math.max(document.nextNumber, (objects.at(-1)?.number ?? 0) + 1)
  const rows = [...objects, { number: own, generation: 0, offset: start }]
  const data = Buffer.alloc(rows.length * 8)
  rows.forEach(({ offset, generation }, index) => {
    data.writeUInt8(1, index * 8)
    data.writeUIntBE(offset, index * 8 + 1, 5)
    data.writeUInt16BE(generation, index * 8 + 6)
  })
  const trailer = trailerOf(document, rows, own + 1)
  trailer.entries.set('Type', name('XRef'))
  trailer.entries.set('W', array(number(1), number(5), number(2)))
  trailer.entries.set('Index', array(...runs(rows).flatMap((run) => [number(run[0]?.number ?? 0), number(run.length)])))
  trailer.entries.set('Length', number(data.length))
  return `${own} 0 obj\n${serialize(trailer)}\nstream\n${data.toString('latin1')}\nendstream\nendobj\n`
}

/** §7.5.5; hints of linearisation, stream entries and private entries of the older trailer are left behind. */
function trailerOf({ trailer, xref }: PdfDocument, rows: readonly Row[], size: number): PdfDictionary {
  const next = dictionary({ Size: number(size), Prev: number(xref.startOffset) })
  for (const key of ['Root', 'Info', 'Encrypt']) {
    const value = trailer.entries.get(key)
    if (value !== undefined) next.entries.set(key, value)
  }
  const id = trailer.entries.get('ID')
  if (id?.kind === 'array' && id.items[0]?.kind === 'string') next.entries.set('ID', newId(id.items[0], rows))
  return next
}

/** §14.4: the first part stays, the second names this revision. */
function newId(first: PdfString, rows: readonly Row[]): PdfValue {
  const revision = rows.map(({ number, offset }) => `${number} ${offset}`).join()
  const digest = hash('sha256', `${first.raw}${revision}`).slice(0, 32)
  return array(first, { kind: 'string', raw: `<${digest}>` })
}

function runs(rows: readonly Row[]): Row[][] {
  const found: Row[][] = []
  for (const row of rows) {
    const run = found.at(-1)
    if (run?.at(-1)?.number === row.number - 1) run.push(row)
    else found.push([row])
  }
  return found
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0')
const MAX_OFFSET = 9_999_999_999
