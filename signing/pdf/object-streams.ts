/**
 * Objects inside object streams (ISO 32000-2 §7.5.7). The last few unpacked streams are kept.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import { OBJECT_STEPS } from './budget.ts'
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
  /** object number and absolute offset in `bytes`, in the order of the stream */
  objects: { number: number; offset: number }[]
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

  async function open(number: number): Promise<Unpacked> {
    const known = kept.get(number)
    if (known !== undefined) return known
    const { dictionary, data } = await readStream(number)
    const unpacked = index(dictionary, unpackStream(dictionary, data, budget))
    kept.set(number, unpacked)
    if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? number)
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
    const { bytes, objects } = await open(place.stream)
    const object = objects[place.index]
    if (object?.number !== wanted.number || wanted.generation !== 0) {
      throw damaged(`object ${wanted.number} is not where the cross-reference says`)
    }
    return parseEmbedded(bytes, object.offset, budget)
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
    return index(value, bytes).objects.map(({ number }) => number)
  } catch (error) {
    if (error instanceof SigningError && error.code !== 'signing/pdf-too-complex') return []
    throw error
  }
}

function index(dictionary: PdfDictionary, bytes: Buffer): Unpacked {
  const count = wholeNumber(dictionary.entries.get('N'))
  const first = wholeNumber(dictionary.entries.get('First'))
  if (count === null || first === null || count > MAX_OBJECTS || first > bytes.length) {
    throw damaged('an object stream has a wrong header')
  }
  // something after it, so that the last number is not taken for one that goes on
  const parser = new PdfParser(Buffer.concat([bytes.subarray(0, first), END]))
  const objects: Unpacked['objects'] = []
  try {
    for (let at = 0; at < count; at++) objects.push({ number: parser.integer(), offset: first + parser.integer() })
  } catch (error) {
    if (error instanceof CutOff) throw damaged('an object stream has a wrong header', error)
    throw error
  }
  return { bytes: Buffer.concat([bytes, END]), objects }
}

function parseEmbedded(bytes: Buffer, offset: number, budget: Budget): PdfValue {
  if (offset >= bytes.length) throw damaged('an object lies outside its object stream')
  try {
    const parser = new PdfParser(bytes, offset)
    const value = parser.value()
    budget.spendSteps(OBJECT_STEPS + ((parser.position - offset) >> 4))
    return value
  } catch (error) {
    if (error instanceof CutOff) throw damaged('an object stream ends inside an object', error)
    throw error
  }
}

/** the budget bounds what they unpack to */
const KEPT = 32
const MAX_OBJECTS = 100_000
const END = Buffer.from(' endobj ')
