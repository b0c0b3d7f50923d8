/**
 * Do two values mean the same in two revisions? Parsed values are compared, not bytes: what was only written anew is the
 * same (ISO 32000-2 §7.3).
 */
import type { PdfDocument } from '../document.ts'
import type { RandomAccess } from '../../random-access.ts'
import { stringBytes } from '../values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'
import { readCompared } from './objects.ts'
import type { ComparedObject } from './objects.ts'

export type Sameness = (before: PdfValue | undefined, after: PdfValue | undefined) => Promise<boolean>

export interface SamenessQuestion {
  before: PdfDocument
  after: PdfDocument
  /** can something be reached from this object that was written in between? */
  mayDiffer: (number: number) => boolean
  /** is this object compared for itself, so that a link to it counts as the same? */
  isComparedApart: (number: number) => boolean
}

export function createSameness(question: SamenessQuestion): Sameness {
  const { before, after } = question
  const known = new Map<string, boolean>()

  async function compare(a: PdfValue, b: PdfValue, open: Set<string>): Promise<boolean> {
    after.budget.spendSteps(1)
    if (a.kind === 'reference' || b.kind === 'reference') return compareObjects(a, b, open)
    if (a.kind === 'array') return b.kind === 'array' && compareArrays(a.items, b.items, open)
    if (a.kind === 'dictionary') return b.kind === 'dictionary' && compareDictionaries(a, b, open)
    return isSameScalar(a, b)
  }

  async function compareArrays(a: readonly PdfValue[], b: readonly PdfValue[], open: Set<string>): Promise<boolean> {
    if (a.length !== b.length) return false
    for (const [index, item] of a.entries()) if (!(await compare(item, b[index] ?? NULL, open))) return false
    return true
  }

  async function compareDictionaries(a: PdfDictionary, b: PdfDictionary, open: Set<string>): Promise<boolean> {
    for (const key of new Set([...a.entries.keys(), ...b.entries.keys()])) {
      if (!(await compare(a.entries.get(key) ?? NULL, b.entries.get(key) ?? NULL, open))) return false
    }
    return true
  }

  async function compareObjects(a: PdfValue, b: PdfValue, open: Set<string>): Promise<boolean> {
    if (isUntouched(question, a, b)) return true
    const key = keyOf(a, b)
    if (key === null) return compareContents(a, b, open)
    const answer = known.get(key)
    if (answer !== undefined) return answer
    if (open.has(key)) return true // a loop of links is the same when nothing on it differs
    open.add(key)
    const same = await compareContents(a, b, open)
    if (!same) known.set(key, false)
    return same
  }

  async function compareContents(a: PdfValue, b: PdfValue, open: Set<string>): Promise<boolean> {
    const [left, right] = [await load(before, a), await load(after, b)]
    if (left.isDamaged || right.isDamaged) return isSameDamage(left, right, before.source.size)
    if (left.value.kind === 'reference' || right.value.kind === 'reference') return false
    return compareStreams(left, right, open)
  }

  async function compareStreams(a: ComparedObject, b: ComparedObject, open: Set<string>): Promise<boolean> {
    if (a.stream === null || b.stream === null) return a.stream === b.stream && compare(a.value, b.value, open)
    if (a.stream.length !== b.stream.length) return false
    if (!(await compare(withoutLength(a.value), withoutLength(b.value), open))) return false
    return a.place === b.place || isSameData(after.source, a.stream, b.stream)
  }

  return async (a = NULL, b = NULL) => {
    const open = new Set<string>()
    const same = await compare(a, b, open)
    // what was taken for the same on the way is so only when all of it is
    if (same) for (const key of open) known.set(key, true)
    return same
  }
}

/** The same object, and nothing that it leads to is another. */
function isUntouched({ mayDiffer, isComparedApart }: SamenessQuestion, a: PdfValue, b: PdfValue): boolean {
  if (a.kind !== 'reference' || b.kind !== 'reference') return false
  const isOne = a.number === b.number && a.generation === b.generation
  return isOne && (!mayDiffer(a.number) || isComparedApart(a.number))
}

/** What cannot be read is the same when all of it was there before. */
function isSameDamage(a: ComparedObject, b: ComparedObject, endBefore: number): boolean {
  return a.isDamaged && b.isDamaged && a.place === b.place && b.end <= endBefore
}

async function load(document: PdfDocument, value: PdfValue): Promise<ComparedObject> {
  if (value.kind === 'reference') return readCompared(document, value)
  return { value, stream: null, end: 0, place: '', isDamaged: false }
}

async function isSameData(
  source: RandomAccess,
  a: { start: number; length: number },
  b: { start: number },
): Promise<boolean> {
  for (let at = 0; at < a.length; at += STEP_BYTES) {
    const length = Math.min(STEP_BYTES, a.length - at)
    const [left, right] = [await source.read(a.start + at, length), await source.read(b.start + at, length)]
    if (!left.equals(right)) return false
  }
  return true
}

function isSameScalar(a: Exclude<PdfValue, PdfReference>, b: Exclude<PdfValue, PdfReference>): boolean {
  if (a.kind === 'number') return b.kind === 'number' && Number(a.text) === Number(b.text)
  if (a.kind === 'string') return b.kind === 'string' && stringBytes(a.raw).equals(stringBytes(b.raw))
  if (a.kind === 'name' || a.kind === 'boolean') return a.kind === b.kind && 'value' in b && a.value === b.value
  return a.kind === b.kind
}

function withoutLength(value: PdfValue): PdfValue {
  if (value.kind !== 'dictionary') return value
  const entries = new Map(value.entries)
  entries.delete('Length')
  return { kind: 'dictionary', entries }
}

/** Null: one of them has no number, so there is nothing to remember it by. */
function keyOf(a: PdfValue, b: PdfValue): string | null {
  if (a.kind !== 'reference' || b.kind !== 'reference') return null
  return `${a.number}.${a.generation} ${b.number}.${b.generation}`
}

const NULL: PdfValue = { kind: 'null' }
const STEP_BYTES = 64 * 1024
