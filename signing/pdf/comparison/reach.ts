/**
 * Which objects the newest revision of a document leads to, and from which of them something can be reached that was
 * written after a certain revision. Only these need to be compared.
 */
import type { PdfDocument } from '../document.ts'
import type { Revision, Revisions } from '../revisions/revisions.ts'
import { placeOf } from '../revisions/signature-sites.ts'
import { reference } from '../values.ts'
import type { PdfValue } from '../values.ts'
import { readCompared } from './objects.ts'

export interface Reach {
  /** numbers of all objects that something leads to from the trailer */
  reached: ReadonlySet<number>
  /** those of them that were written since, or lead to one that was */
  leadsToChange: ReadonlySet<number>
}

/** Numbers of objects that are at another place than in the revision `since`. */
export async function writtenSince(revisions: Revisions, since: Revision): Promise<Set<number>> {
  const { newest, budget } = revisions
  const found = new Set<number>()
  for (const { sections } of revisions.all.slice(since.index + 1)) {
    for (const { ranges } of sections) {
      for (const { first, count } of ranges) {
        for (let number = first; number < first + count; number++) {
          budget.spendSteps(1)
          if (found.has(number)) continue
          const wanted = reference(number)
          if ((await placeOf(newest.document, wanted)) !== (await placeOf(since.document, wanted))) found.add(number)
        }
      }
    }
  }
  return found
}

/** Reads every object of the newest revision that is reached, once. */
export async function findReach(revisions: Revisions, since: Revision): Promise<Reach> {
  const { document } = revisions.newest
  const { trailer } = document
  const written = await writtenSince(revisions, since)
  const end = since.end ?? since.closed
  const reached = new Set<number>()
  const changed: number[] = []
  /** from an object to those that refer to it */
  const referrers = new Map<number, number[]>()
  const queue = createQueue(document)
  const follow = (value: PdfValue, from: number | null): void => {
    for (const to of referencesIn(value)) {
      if (from !== null) {
        const known = referrers.get(to)
        if (known === undefined) referrers.set(to, [from])
        else if (known.at(-1) !== from) known.push(from)
      }
      if (reached.has(to)) continue
      reached.add(to)
      queue.add(to)
    }
  }
  const streams = new Map<number, boolean>()
  const wasStreamWritten = async (stream: number | null): Promise<boolean> => {
    if (stream === null) return false
    const known = streams.get(stream)
    const answer = known ?? (written.has(stream) || (await readCompared(document, reference(stream))).end > end)
    streams.set(stream, answer)
    return answer
  }
  for (const [key, value] of trailer.entries) if (FOLLOWED.has(key)) follow(value, null)
  for (let next = await queue.next(); next !== null; next = await queue.next()) {
    const { number, stream } = next
    document.budget.spendSteps(1)
    const object = await readCompared(document, reference(number, next.generation))
    // an old table may point at, or an old object run on into, what was not there then
    if (written.has(number) || object.end > end || (await wasStreamWritten(stream))) changed.push(number)
    follow(object.value, number)
  }
  return { reached, leadsToChange: ancestors(changed, referrers) }
}

function ancestors(from: readonly number[], referrers: ReadonlyMap<number, number[]>): Set<number> {
  const found = new Set(from)
  const open = [...from]
  for (let number = open.pop(); number !== undefined; number = open.pop()) {
    for (const referrer of referrers.get(number) ?? []) {
      if (found.has(referrer)) continue
      found.add(referrer)
      open.push(referrer)
    }
  }
  return found
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
  const open: PdfValue[] = [value]
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (item.kind === 'reference') yield item.number
    else if (item.kind === 'array') for (const inner of item.items) open.push(inner)
    else if (item.kind === 'dictionary') for (const inner of item.entries.values()) open.push(inner)
  }
}

const FOLLOWED: ReadonlySet<string> = new Set(['Root', 'Info', 'Encrypt'])
