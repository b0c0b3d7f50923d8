/**
 * Objects of one revision as a comparison reads them: streams too, decrypted, and without a throw for what is damaged.
 */
import { OBJECT_STEPS } from '../budget.ts'
import type { PdfDocument } from '../document.ts'
import { isObject, readObjectAt } from '../objects.ts'
import { isDamage, placeOf } from '../revisions/signature-sites.ts'
import { reference, wholeNumber } from '../values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'

export interface ComparedObject {
  /** the null object when nothing is there */
  value: PdfValue
  /** where the data of a stream lie, not decoded; null: no stream */
  stream: { start: number; length: number } | null
  /** offset behind its last byte; 0: inside an object stream; Infinity: not to be told */
  end: number
  /** the same text for the same bytes */
  place: string
  /** it is there and cannot be read */
  isDamaged: boolean
}

export async function readCompared(document: PdfDocument, wanted: PdfReference): Promise<ComparedObject> {
  const place = await placeOf(document, wanted)
  try {
    return { ...(await read(document, wanted)), place, isDamaged: false }
  } catch (error) {
    if (!isDamage(error)) throw error
    return { value: { kind: 'null' }, stream: null, end: await endOfDamaged(document, wanted), place, isDamaged: true }
  }
}

/** A damaged object may run on into bytes that were appended later. */
async function endOfDamaged({ xref, source }: PdfDocument, { number }: PdfReference): Promise<number> {
  const entry = await xref.find(number)
  if (entry.kind !== 'at') return 0
  const length = Math.min(SEARCH_BYTES, Math.max(0, source.size - entry.offset))
  const at = (await source.read(entry.offset, length)).indexOf('endobj')
  return at < 0 ? Infinity : entry.offset + at
}

async function read(
  document: PdfDocument,
  wanted: PdfReference,
): Promise<Pick<ComparedObject, 'value' | 'stream' | 'end'>> {
  const { xref, source, budget, encryption } = document
  const entry = await xref.find(wanted.number)
  if (entry.kind === 'free') budget.spendSteps(OBJECT_STEPS)
  if (entry.kind !== 'at') return { value: await document.fetch(wanted), stream: null, end: 0 }
  const object = await readObjectAt(source, entry.offset, budget)
  // to some readers an object with another generation is there, to others not; all must be compared
  const found = isObject(object, wanted) ? wanted : reference(object.number, object.generation)
  const value = encryption?.decryptValue(object.value, found) ?? object.value
  if (object.streamStart === null || value.kind !== 'dictionary') return { value, stream: null, end: object.end }
  const length = wholeNumber(await document.resolve(value.entries.get('Length'))) ?? 0
  const stream = { start: object.streamStart, length: Math.min(length, source.size - object.streamStart) }
  return { value, stream, end: stream.start + stream.length }
}

/** The dictionary that a value is or leads to, of a stream too; null: something else. */
export async function dictionaryOf(document: PdfDocument, value: PdfValue | undefined): Promise<PdfDictionary | null> {
  const found = value?.kind === 'reference' ? (await readCompared(document, value)).value : value
  return found?.kind === 'dictionary' ? found : null
}

/** The items of an array that a value is or leads to; none: something else. */
export async function itemsOf(document: PdfDocument, value: PdfValue | undefined): Promise<readonly PdfValue[]> {
  const found = value?.kind === 'reference' ? (await readCompared(document, value)).value : value
  return found?.kind === 'array' ? found.items : []
}

export async function nameOf(document: PdfDocument, value: PdfValue | undefined): Promise<string | null> {
  const found = value?.kind === 'reference' ? (await readCompared(document, value)).value : value
  return found?.kind === 'name' ? found.value : null
}

const SEARCH_BYTES = 64 * 1024
