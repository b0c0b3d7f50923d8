/**
 * Every object that the newest revision of a document shows: what something leads to from its trailer, each once.
 */
import type { PdfDocument } from '../document.ts'
import { reference } from '../values.ts'
import type { PdfValue } from '../values.ts'
import { readCompared } from './objects.ts'
import type { ComparedObject } from './objects.ts'

export interface Reached {
  number: number
  /** number of the object stream that it is in; null: none */
  stream: number | null
  object: ComparedObject
}

/**
 * Reads every object that is reached; each costs a step of the budget besides reading it.
 *
 * @param visit in no order that means anything
 * @param onLink for every reference, with the number of the object that has it; null: the trailer
 * @returns numbers of all objects
 * @throws SigningError `signing/pdf-too-complex`; what is damaged is visited as such
 */
export async function walkReached(
  document: PdfDocument,
  visit: (reached: Reached) => Promise<void>,
  onLink: (from: number | null, to: number) => void = () => undefined,
): Promise<ReadonlySet<number>> {
  const reached = new Set<number>()
  const queue = createQueue(document)
  const follow = (value: PdfValue, from: number | null): void => {
    for (const to of referencesIn(value)) {
      onLink(from, to)
      if (reached.has(to)) continue
      reached.add(to)
      queue.add(to)
    }
  }
  for (const [key, value] of document.trailer.entries) if (FOLLOWED.has(key)) follow(value, null)
  for (let next = await queue.next(); next !== null; next = await queue.next()) {
    const { number, stream, generation } = next
    document.budget.spendSteps(1)
    const object = await readCompared(document, reference(number, generation))
    await visit({ number, stream, object })
    follow(object.value, number)
  }
  return reached
}

interface Queued {
  number: number
  generation: number
  /** of the object stream that it is in */
  stream: number | null
}

/** Gives objects of one object stream one after the other, so that each stream is unpacked seldom. */
function createQueue({ xref }: PdfDocument) {
  const unsorted: number[] = []
  const byStream = new Map<number, number[]>()

  async function next(): Promise<Queued | null> {
    for (let number = unsorted.pop(); number !== undefined; number = unsorted.pop()) {
      const entry = await xref.find(number)
      if (entry.kind === 'at') return { number, generation: entry.generation, stream: null }
      if (entry.kind === 'free') return { number, generation: 0, stream: null }
      const waiting = byStream.get(entry.stream)
      if (waiting === undefined) byStream.set(entry.stream, [number])
      else waiting.push(number)
    }
    for (const [stream, numbers] of byStream) {
      const number = numbers.pop()
      if (number !== undefined) return { number, generation: 0, stream }
      byStream.delete(stream)
    }
    return null
  }

  return { add: (number: number) => void unsorted.push(number), next }
}

/** Object numbers that a value refers to. */
function* referencesIn(value: PdfValue): Generator<number> {
  for (const inner of valuesIn(value)) if (inner.kind === 'reference') yield inner.number
}

/** A value and everything that stands inside it; references are not followed. */
export function* valuesIn(value: PdfValue): Generator<PdfValue> {
  const open: PdfValue[] = [value]
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    yield item
    if (item.kind === 'array') for (const inner of item.items) open.push(inner)
    else if (item.kind === 'dictionary') for (const inner of item.entries.values()) open.push(inner)
  }
}

const FOLLOWED: ReadonlySet<string> = new Set(['Root', 'Info', 'Encrypt'])
