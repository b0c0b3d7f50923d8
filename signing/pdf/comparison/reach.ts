/**
 * Which objects the newest revision of a document leads to, and from which of them something can be reached that was
 * written after a certain revision. Only these need to be compared.
 */
import type { Revision, Revisions } from '../revisions/revisions.ts'
import { placeOf } from '../revisions/signature-sites.ts'
import { reference } from '../values.ts'
import { readCompared } from './objects.ts'
import { walkReached } from './walk.ts'
import type { Reached } from './walk.ts'

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
  const written = await writtenSince(revisions, since)
  const end = since.end ?? since.closed
  const changed: number[] = []
  /** from an object to those that refer to it */
  const referrers = new Map<number, number[]>()
  const link = (from: number | null, to: number): void => {
    if (from === null) return
    const known = referrers.get(to)
    if (known === undefined) referrers.set(to, [from])
    else if (known.at(-1) !== from) known.push(from)
  }
  const streams = new Map<number, boolean>()
  const wasStreamWritten = async (stream: number | null): Promise<boolean> => {
    if (stream === null) return false
    const known = streams.get(stream)
    const answer = known ?? (written.has(stream) || (await readCompared(document, reference(stream))).end > end)
    streams.set(stream, answer)
    return answer
  }
  const visit = async ({ number, stream, object }: Reached): Promise<void> => {
    // an old table may point at, or an old object run on into, what was not there then
    if (written.has(number) || object.end > end || (await wasStreamWritten(stream))) changed.push(number)
  }
  const reached = await walkReached(document, visit, link)
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
