/**
 * A cross-reference stream (ISO 32000-2 §7.5.8): rows of fixed width, compressed; its dictionary is the trailer.
 */
import type { RandomAccess } from '../random-access.ts'
import type { Budget } from './budget.ts'
import { unpackStream } from './filters.ts'
import { readObjectAt } from './objects.ts'
import { damaged, memoryOf, wholeNumber } from './values.ts'
import type { PdfDictionary, PdfValue } from './values.ts'
import type { XrefEntry, XrefSection } from './xref-section.ts'

/** @throws SigningError `signing/pdf-damaged`, `signing/pdf-too-complex`, `signing/pdf-unsupported` */
export async function readXrefStream(source: RandomAccess, offset: number, budget: Budget): Promise<XrefSection> {
  const object = await readObjectAt(source, offset, budget)
  const trailer = object.value
  if (trailer.kind !== 'dictionary' || object.streamStart === null)
    throw damaged('a cross-reference stream is no stream')
  const type = trailer.entries.get('Type')
  if (type?.kind !== 'name' || type.value !== 'XRef') throw damaged(`no cross-reference begins at byte ${offset}`)
  // §7.5.8.2: the length must be a direct object, since no reference can be followed yet
  const length = wholeNumber(trailer.entries.get('Length'))
  if (length === null || object.streamStart + length > source.size) throw damaged('a cross-reference stream is cut off')
  budget.spendBytes(length)
  const rows = unpackStream(trailer, await source.read(object.streamStart, length), budget)
  budget.hold(rows.length + memoryOf(trailer))
  return { from: object.start, to: object.streamStart + length, ...section(trailer, rows, budget) }
}

/** Objects `first` to `first + count - 1`; their rows begin with row `row`. */
interface Range {
  first: number
  count: number
  row: number
}

function section(trailer: PdfDictionary, rows: Buffer, budget: Budget): Omit<XrefSection, 'from' | 'to'> {
  const widths = readWidths(trailer)
  const rowBytes = widths[0] + widths[1] + widths[2]
  const ranges = readRanges(trailer)
  const lastRow = ranges.reduce((sum, { count }) => sum + count, 0)
  if (rows.length < lastRow * rowBytes) throw damaged('a cross-reference stream has fewer rows than its index')

  function find(number: number): Promise<XrefEntry | null> {
    budget.spendSteps(ranges.length)
    const range = ranges.find(({ first, count }) => number >= first && number < first + count)
    if (range === undefined) return Promise.resolve(null)
    return Promise.resolve(parseRow(rows, (range.row + number - range.first) * rowBytes, widths))
  }

  const end = ranges.reduce((highest, { first, count }) => Math.max(highest, first + count), 0)
  return { style: 'stream', trailer, end, find, ranges }
}

type Widths = [number, number, number]

/** §7.5.8.3 table 18: type, then offset or stream number, then generation or index. Width 0 of the type means 1. */
function parseRow(rows: Buffer, at: number, [type, second, third]: Widths): XrefEntry | null {
  const field = (offset: number, width: number): number => readField(rows.subarray(at + offset, at + offset + width))
  const kind = type === 0 ? 1 : field(0, type)
  const value = field(type, second)
  const last = field(type + second, third)
  if (kind === 0) return { kind: 'free' }
  if (kind === 1) return { kind: 'at', offset: value, generation: last }
  // any other type is a reference to the null object
  return kind === 2 ? { kind: 'compressed', stream: value, index: last } : { kind: 'free' }
}

/** Producers write fields of 8 bytes; no number in a file needs more than 6 of them. */
function readField(bytes: Buffer): number {
  const spare = Math.max(0, bytes.length - 6)
  if (bytes.subarray(0, spare).some((byte) => byte !== 0)) throw damaged('a cross-reference field is too large')
  return bytes.length === 0 ? 0 : bytes.readUIntBE(spare, bytes.length - spare)
}

function readWidths(trailer: PdfDictionary): Widths {
  const value = trailer.entries.get('W')
  const [type, second, third, ...more] = value?.kind === 'array' ? value.items.map(fieldWidth) : []
  if (type === undefined || second === undefined || third === undefined || more.length > 0 || second === 0) {
    throw damaged('a cross-reference stream has wrong field widths')
  }
  return [type, second, third]
}

function fieldWidth(value: PdfValue): number {
  const width = wholeNumber(value)
  if (width === null || width > 8) throw damaged('a cross-reference stream has wrong field widths')
  return width
}

function readRanges(trailer: PdfDictionary): Range[] {
  const size = wholeNumber(trailer.entries.get('Size'))
  if (size === null) throw damaged('a trailer has no /Size')
  const index = trailer.entries.get('Index')
  const numbers = index === undefined ? [0, size] : index.kind === 'array' ? index.items.map(wholeNumber) : []
  if (numbers.length === 0 || numbers.length % 2 !== 0) throw damaged('a cross-reference stream has a wrong index')
  const ranges: Range[] = []
  for (let at = 0, row = 0; at < numbers.length; at += 2) {
    const first = numbers[at] ?? null
    const count = numbers[at + 1] ?? null
    if (first === null || count === null || count > MAX_ROWS)
      throw damaged('a cross-reference stream has a wrong index')
    ranges.push({ first, count, row })
    row += count
  }
  return ranges
}

const MAX_ROWS = 8_388_607
