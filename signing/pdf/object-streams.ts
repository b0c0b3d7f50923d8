/**
 * Objects inside object streams (ISO 32000-2 §7.5.7). The last few unpacked streams are kept.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { OBJECT_STEPS, VALUE_STEPS } from './budget.ts'
import type { Budget } from './budget.ts'
import type { Encryption } from './encryption/encryption.ts'
import { unpackStream } from './filters.ts'
import { isObject, readObjectAt } from './objects.ts'
import { CutOff, PdfParser } from './parser.ts'
import { damaged, reference, wholeNumber } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'
import type { Xref } from './xref.ts'

interface Unpacked {
  bytes: Buffer
  /** object numbers and absolute offsets in `bytes`, in turn, in the order of the stream */
  places: Float64Array
}

export interface ObjectStreams {
  /** @throws SigningError `signing/pdf-damaged` the object is not at that place of that stream */
  read(wanted: PdfReference, place: { stream: number; index: number }): Promise<PdfValue>
}

interface Parts {
  source: RandomAccess
  xref: Xref
  budget: Budget
  encryption: Encryption | null
}

export function createObjectStreams({ source, xref, budget, encryption }: Parts): ObjectStreams {
  const kept = new Map<number, Unpacked>()
  let room = KEPT_BYTES

  async function open(number: number): Promise<Unpacked> {
    const known = kept.get(number)
    if (known !== undefined) return known
    const { dictionary, data } = await readStream(number)
    const unpacked = index(dictionary, unpackStream(dictionary, data, budget), budget)
    kept.set(number, unpacked)
    room -= sizeOf(unpacked)
    for (const [oldest, stream] of kept) {
      if (kept.size === 1 || (kept.size <= KEPT && room >= 0)) break
      kept.delete(oldest)
      room += sizeOf(stream)
    }
    return unpacked
  }

  /** An object stream is never inside another one (§7.5.7). */
  async function readStream(number: number): Promise<{ dictionary: PdfDictionary; data: Buffer }> {
    const { value, streamStart } = await readPlain(reference(number), 'an object stream')
    if (value.kind !== 'dictionary' || streamStart === null) throw damaged('an object stream is no stream')
    const type = value.entries.get('Type')
    if (type?.kind !== 'name' || type.value !== 'ObjStm') throw damaged('an object stream has another type')
    const length = await readLength(value.entries.get('Length'))
    if (streamStart + length > source.size) throw damaged('an object stream is cut off')
    budget.spendBytes(length)
    const data = await source.read(streamStart, length)
    return { dictionary: value, data: encryption?.decryptStream(value, data, reference(number)) ?? data }
  }

  async function readLength(value: PdfValue | undefined): Promise<number> {
    const direct = value?.kind === 'reference' ? (await readPlain(value, 'the length of a stream')).value : value
    const length = wholeNumber(direct)
    if (length === null) throw damaged('an object stream has no length')
    return length
  }

  async function readPlain(wanted: PdfReference, what: string) {
    const entry = await xref.find(wanted.number)
    if (entry.kind !== 'at' || entry.generation !== wanted.generation) throw damaged(`${what} is not in the document`)
    const object = await readObjectAt(source, entry.offset, budget)
    if (!isObject(object, wanted)) throw damaged(`object ${wanted.number} is not where the cross-reference says`)
    return object
  }

  async function read(wanted: PdfReference, place: { stream: number; index: number }): Promise<PdfValue> {
    const { bytes, places } = await open(place.stream)
    if (places[place.index * 2] !== wanted.number || wanted.generation !== 0) {
      throw damaged(`object ${wanted.number} is not where the cross-reference says`)
    }
    return parseEmbedded(bytes, places[place.index * 2 + 1] ?? bytes.length, budget)
  }

  return { read }
}

/**
 * Numbers of the objects in the object stream that stands at `offset`, in their order; none when it cannot be read.
 *
 * @throws SigningError `signing/pdf-too-complex`
 */
export async function numbersInStream(source: RandomAccess, offset: number, budget: Budget): Promise<number[]> {
  try {
    const { value, streamStart } = await readObjectAt(source, offset, budget)
    const length = value.kind === 'dictionary' ? wholeNumber(value.entries.get('Length')) : null
    if (value.kind !== 'dictionary' || streamStart === null || length === null) return []
    if (streamStart + length > source.size) return []
    budget.spendBytes(length)
    const bytes = unpackStream(value, await source.read(streamStart, length), budget)
    return [...index(value, bytes, budget).places].filter((_, at) => at % 2 === 0)
  } catch (error) {
    if (error instanceof SigningError && error.code !== 'signing/pdf-too-complex') return []
    throw error
  }
}

const sizeOf = ({ bytes, places }: Unpacked): number => bytes.length + places.byteLength

function index(dictionary: PdfDictionary, bytes: Buffer, budget: Budget): Unpacked {
  const count = wholeNumber(dictionary.entries.get('N'))
  const first = wholeNumber(dictionary.entries.get('First'))
  if (count === null || first === null || count > MAX_OBJECTS || first > bytes.length) {
    throw damaged('an object stream has a wrong header')
  }
  // something after it, so that the last number is not taken for one that goes on
  const parser = new PdfParser(Buffer.concat([bytes.subarray(0, first), END]))
  budget.spendSteps(count)
  const places = new Float64Array(count * 2)
  try {
    for (let at = 0; at < places.length; at += 2) {
      places[at] = parser.integer()
      places[at + 1] = first + parser.integer()
    }
  } catch (error) {
    if (error instanceof CutOff) throw damaged('an object stream has a wrong header', error)
    throw error
  }
  return { bytes, places }
}

function parseEmbedded(bytes: Buffer, offset: number, budget: Budget): PdfValue {
  if (offset >= bytes.length) throw damaged('an object lies outside its object stream')
  try {
    return parseIn(bytes, offset, budget)
  } catch (error) {
    if (!(error instanceof CutOff)) throw error
    return parseLast(bytes.subarray(offset), budget)
  }
}

/** The last one: it ends with the stream, or is cut off by it. */
function parseLast(bytes: Buffer, budget: Budget): PdfValue {
  try {
    return parseIn(Buffer.concat([bytes, END]), 0, budget)
  } catch (error) {
    if (error instanceof CutOff) throw damaged('an object stream ends inside an object', error)
    throw error
  }
}

function parseIn(bytes: Buffer, offset: number, budget: Budget): PdfValue {
  const parser = new PdfParser(bytes, offset)
  try {
    return parser.value()
  } finally {
    budget.spendSteps(OBJECT_STEPS + ((parser.position - offset) >> 4) + parser.values * VALUE_STEPS)
  }
}

/** each view of a document keeps some; the last one whatever its size */
const KEPT = 32
const KEPT_BYTES = 16 * 1024 * 1024
const MAX_OBJECTS = 100_000
const END = Buffer.from(' endobj ')
