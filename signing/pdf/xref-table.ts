/**
 * A classic cross-reference table (ISO 32000-2 §7.5.4): subsections of 20-byte rows, then a trailer dictionary.
 *
 * Rows are read from the file when they are asked for. Rows of another length, which some producers write and readers
 * silently repair, make the table damaged here.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { Budget } from './budget.ts'
import { parseAt } from './objects.ts'
import { damaged, memoryOf } from './values.ts'
import type { PdfDictionary } from './values.ts'
import type { XrefEntry, XrefSection } from './xref-section.ts'

/** Objects `first` to `first + count - 1`; their rows begin at `offset`. */
interface Subsection {
  first: number
  count: number
  offset: number
}

/**
 * Null when no table begins there: the keyword `xref` is missing.
 *
 * @throws SigningError `signing/pdf-damaged`, `signing/pdf-too-complex`
 */
export async function readXrefTable(source: RandomAccess, offset: number, budget: Budget): Promise<XrefSection | null> {
  const subsections: Subsection[] = []
  const keyword = await parseAt(source, offset, budget, (parser) => parser.accept('xref'))
  if (!keyword.result) return null
  let at = keyword.end
  const from = at - KEYWORD_BYTES
  for (;;) {
    budget.spendSteps(PART_STEPS)
    const { result, end } = await parseAt(source, at, budget, (parser) => {
      if (parser.accept('trailer')) return parser.value()
      return { first: parser.integer(), count: parser.integer(), rows: skipEol(parser) }
    })
    if ('kind' in result) {
      budget.hold(memoryOf(result) + subsections.length * PART_BYTES)
      return { from, to: end, ...section(source, subsections, result, budget) }
    }
    const rows = at + result.rows
    if (rows + result.count * ROW_BYTES > source.size)
      throw damaged('a cross-reference table is longer than the document')
    if (subsections.length >= MAX_SUBSECTIONS)
      throw new SigningError('signing/pdf-too-complex', 'a table has too many parts')
    subsections.push({ first: result.first, count: result.count, offset: rows })
    at = result.count === 0 ? end : rows + result.count * ROW_BYTES
  }
}

function section(
  source: RandomAccess,
  subsections: readonly Subsection[],
  trailer: PdfDictionary | { kind: string },
  budget: Budget,
): Omit<XrefSection, 'from' | 'to'> {
  if (!isDictionary(trailer)) throw damaged('a trailer is no dictionary')

  async function find(number: number): Promise<XrefEntry | null> {
    budget.spendSteps(subsections.length)
    const part = subsections.find(({ first, count }) => number >= first && number < first + count)
    if (part === undefined) return null
    const row = await source.read(part.offset + (number - part.first) * ROW_BYTES, ROW_BYTES)
    return parseRow(row.toString('latin1'))
  }

  const end = subsections.reduce((highest, { first, count }) => Math.max(highest, first + count), 0)
  return { style: 'table', trailer, end, find, ranges: subsections }
}

/** `nnnnnnnnnn ggggg n` and two bytes of end of line. */
function parseRow(row: string): XrefEntry {
  const match = /^(\d{10}) (\d{5}) ([nf])[ \r][\r\n]$/.exec(row)
  if (match === null) throw damaged('a row of a cross-reference table is misspelt')
  if (match[3] === 'f') return { kind: 'free' }
  return { kind: 'at', offset: Number(match[1]), generation: Number(match[2]) }
}

/** From the end of the subsection's header to its first row. */
function skipEol(parser: { skipSpace(): void; position: number }): number {
  parser.skipSpace()
  return parser.position
}

function isDictionary(value: PdfDictionary | { kind: string }): value is PdfDictionary {
  return value.kind === 'dictionary'
}

const KEYWORD_BYTES = 'xref'.length
const ROW_BYTES = 20
const MAX_SUBSECTIONS = 50_000
/** reading the header of a subsection, and what it takes in memory */
const PART_STEPS = 10
const PART_BYTES = 100
