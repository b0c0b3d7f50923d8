/**
 * Reads one indirect object at a known offset (ISO 32000-2 §7.3.10). Follows no reference.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { OBJECT_STEPS, VALUE_STEPS } from './budget.ts'
import type { Budget } from './budget.ts'
import { CutOff, PdfParser } from './parser.ts'
import { damaged } from './values.ts'
import type { IndirectObject, PdfReference } from './values.ts'

/**
 * Reads the object that begins at `offset`; white space before it is skipped.
 *
 * @throws SigningError `signing/pdf-damaged` no object begins there
 * @throws SigningError `signing/pdf-too-complex` it is larger than 4 MiB without its stream
 */
export async function readObjectAt(source: RandomAccess, offset: number, budget: Budget): Promise<IndirectObject> {
  budget.spendSteps(OBJECT_STEPS)
  const known = budget.kept(offset)
  // a shorter view of the same document may end inside of it
  if (known !== undefined && known.end + SPARE_BYTES < source.size) {
    budget.spendSteps(((known.end - offset) >> 4) + known.values * VALUE_STEPS)
    return known
  }
  const { result: object } = await parseAt(source, offset, budget, parseObject)
  budget.keep(offset, object)
  return object
}

function parseObject(parser: PdfParser, offset: number): IndirectObject {
  parser.skipSpace()
  const start = offset + parser.position
  const number = parser.integer()
  const generation = parser.integer()
  if (!parser.accept('obj')) throw damaged(`no object begins at byte ${offset}`)
  const value = parser.value()
  const { values } = parser
  let streamStart: number | null = null
  if (!parser.accept('endobj')) {
    if (value.kind !== 'dictionary' || !parser.accept('stream'))
      throw damaged(`the object at byte ${offset} does not end`)
    streamStart = offset + streamData(parser)
  }
  return { number, generation, value, values, start, end: offset + parser.position, streamStart }
}

/** True when the cross-reference entry and the object agree about its number. */
export function isObject(object: IndirectObject, { number, generation }: PdfReference): boolean {
  return object.number === number && object.generation === generation
}

/**
 * Runs `parse` on a piece of the document that grows until the piece holds all that `parse` wants. Spends the steps for
 * it, also for what comes to nothing.
 *
 * @returns what `parse` gave, and the absolute offset where it stopped
 */
export async function parseAt<T>(
  source: RandomAccess,
  offset: number,
  budget: Budget,
  parse: (parser: PdfParser, offset: number) => T,
): Promise<{ result: T; end: number }> {
  if (offset < 0 || offset >= source.size) throw damaged(`an offset points outside the document`)
  for (let length = FIRST_READ; ; length *= 4) {
    const available = Math.min(length, source.size - offset)
    const parser = new PdfParser(await source.read(offset, available))
    try {
      return { result: parse(parser, offset), end: offset + parser.position }
    } catch (error) {
      if (!(error instanceof CutOff)) throw error
      if (available === source.size - offset) throw damaged('the document ends inside an object', error)
      if (length > MAX_OBJECT_BYTES) throw new SigningError('signing/pdf-too-complex', 'an object is larger than 4 MiB')
    } finally {
      budget.spendSteps((parser.position >> 4) + parser.values * VALUE_STEPS)
    }
  }
}

/** §7.3.8.1: `stream` is followed by CR LF or LF, never by CR alone. */
function streamData(parser: PdfParser): number {
  const [first, second] = [parser.bytes[parser.position], parser.bytes[parser.position + 1]]
  if (first === undefined || second === undefined) throw new CutOff()
  if (first === 10) return parser.position + 1
  if (first === 13 && second === 10) return parser.position + 2
  throw damaged('the keyword stream is not followed by an end of line')
}

/** what the parser looks at behind an object */
const SPARE_BYTES = 16
const FIRST_READ = 2048
const MAX_OBJECT_BYTES = 4 * 1024 * 1024
