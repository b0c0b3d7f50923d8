/**
 * Unpacks the two streams that a file's structure may lie in, cross-reference streams and object streams
 * (ISO 32000-2 §7.4): none or FlateDecode, with a PNG predictor. Other filters are refused.
 */
import { inflateSync } from 'node:zlib'
import { SigningError } from '../errors.ts'
import type { Budget } from './budget.ts'
import { damaged, wholeNumber } from './values.ts'
import type { PdfDictionary, PdfValue } from './values.ts'

/**
 * @throws SigningError `signing/pdf-unsupported` another filter or predictor
 * @throws SigningError `signing/pdf-too-complex` it unpacks to more than the budget has left
 * @throws SigningError `signing/pdf-damaged`
 */
export function unpackStream(dictionary: PdfDictionary, packed: Buffer, budget: Budget): Buffer {
  const filters = listOf(dictionary.entries.get('Filter'))
  const parameters = listOf(dictionary.entries.get('DecodeParms'))
  if (filters.length > 1) throw unsupported('several filters on a structure stream')
  const [filter] = filters
  if (filter === undefined) {
    budget.spendBytes(packed.length)
    return packed
  }
  if (filter.kind !== 'name' || filter.value !== 'FlateDecode')
    throw unsupported('an unknown filter on a structure stream')
  const plain = inflate(packed, budget)
  budget.spendBytes(plain.length)
  const [first] = parameters
  return first?.kind === 'dictionary' ? undoPredictor(plain, first, budget) : plain
}

function inflate(packed: Buffer, budget: Budget): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: Math.max(1, budget.bytesLeft()) })
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new SigningError('signing/pdf-too-complex', 'the document unpacks to too many bytes', { cause })
    }
    throw damaged('a compressed stream cannot be unpacked', cause)
  }
}

/** §7.4.4.4: predictor 1 changes nothing, 10 to 15 are the PNG filters, told by the first byte of each row. */
function undoPredictor(bytes: Buffer, parameters: PdfDictionary, budget: Budget): Buffer {
  const parameter = (key: string, otherwise: number): number => {
    const value = parameters.entries.get(key)
    return value === undefined ? otherwise : (wholeNumber(value) ?? -1)
  }
  const predictor = parameter('Predictor', 1)
  if (predictor === 1) return bytes
  const columns = parameter('Columns', 1)
  const plainBytes = parameter('Colors', 1) === 1 && parameter('BitsPerComponent', 8) === 8
  if (predictor < 10 || predictor > 15 || !plainBytes) throw unsupported('an unknown predictor on a structure stream')
  if (columns < 1 || columns > MAX_COLUMNS || bytes.length % (columns + 1) !== 0)
    throw damaged('predictor rows do not fit')
  budget.spendSteps(bytes.length >> 5)
  const plain = Buffer.alloc((bytes.length / (columns + 1)) * columns)
  for (let row = 0; row * columns < plain.length; row++) {
    const kind = bytes[row * (columns + 1)] ?? 0
    if (kind > 4) throw damaged('an unknown predictor row')
    undoRow(bytes, plain, { kind, row, columns })
  }
  return plain
}

interface Row {
  kind: number
  row: number
  columns: number
}

/** PNG (ISO/IEC 15948) §9.2, for one byte per pixel. */
function undoRow(packed: Buffer, plain: Buffer, { kind, row, columns }: Row): void {
  const from = row * (columns + 1) + 1
  const to = row * columns
  const above = row > 0 ? to - columns : -1
  for (let column = 0; column < columns; column++) {
    const left = column > 0 ? (plain[to + column - 1] ?? 0) : 0
    const up = above >= 0 ? (plain[above + column] ?? 0) : 0
    const corner = above >= 0 && column > 0 ? (plain[above + column - 1] ?? 0) : 0
    plain[to + column] = (packed[from + column] ?? 0) + predict(kind, left, up, corner)
  }
}

function predict(kind: number, left: number, up: number, corner: number): number {
  if (kind === 0) return 0
  if (kind === 1) return left
  if (kind === 2) return up
  return kind === 3 ? (left + up) >> 1 : paeth(left, up, corner)
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner
  const toLeft = Math.abs(estimate - left)
  const toUp = Math.abs(estimate - up)
  const toCorner = Math.abs(estimate - corner)
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

function listOf(value: PdfValue | undefined): PdfValue[] {
  if (value === undefined || value.kind === 'null') return []
  return value.kind === 'array' ? value.items : [value]
}

function unsupported(message: string): SigningError {
  return new SigningError('signing/pdf-unsupported', message)
}

const MAX_COLUMNS = 64
