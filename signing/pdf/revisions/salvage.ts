/**
 * The revisions of a document whose chain of cross-reference sections cannot be read, put together from the objects that
 * stand in it. Only to tell more about its signatures than that they are there: programs repair such documents in
 * different ways, so nothing that is read here may ever be called valid.
 *
 * A revision is what lies between one `startxref … %%EOF` and the next. In the view of a revision the last object with a
 * number counts, of all up to its end: bytes behind the end of a signature say nothing about what its signer saw. An
 * object that a table had freed is there again; nothing that could be a signature gets lost.
 */
import type { RandomAccess } from '../../random-access.ts'
import { pagedAccess } from '../../random-access.ts'
import { createBudget } from '../budget.ts'
import type { Budget } from '../budget.ts'
import { createDocument } from '../document.ts'
import type { OpenOptions } from '../document.ts'
import { openEncryption } from '../encryption/encryption.ts'
import { parseAt, readObjectAt } from '../objects.ts'
import { numbersInStream } from '../object-streams.ts'
import { damaged } from '../values.ts'
import type { PdfDictionary } from '../values.ts'
import { xrefOf } from '../xref.ts'
import type { XrefEntry, XrefSection } from '../xref-section.ts'
import { scanForObjects } from './object-scan.ts'
import type { FoundMarks } from './object-scan.ts'
import { skipWhiteSpace } from './revisions.ts'
import type { Revision, Revisions } from './revisions.ts'
import { isDamage } from './signature-sites.ts'

/**
 * @throws SigningError `signing/pdf-damaged`, `signing/pdf-encrypted`, `signing/pdf-too-complex`, `signing/pdf-unsupported`
 */
export async function salvageRevisions(document: RandomAccess, options: OpenOptions): Promise<Revisions> {
  const source = pagedAccess(document)
  const budget = createBudget()
  const marks = await scanForObjects(source, budget)
  const parts = await partsOf(source, marks)
  const sections: XrefSection[] = []
  for (const part of parts) {
    const trailer: PdfDictionary | null = (await trailerIn(source, marks, part, budget)) ?? sections[0]?.trailer ?? null
    if (trailer !== null) sections.unshift(await sectionOf(source, marks, { part, trailer, budget }))
  }
  const [first] = sections
  if (first === undefined) throw damaged('no trailer is in the document')
  const newest = xrefOf(first.from, sections, budget)
  const plain = createDocument({ source, xref: newest, budget, encryption: null })
  const encryption = await openEncryption(plain, newest, options.password ?? '')
  const all: Revision[] = []
  for (const [index, part] of parts.slice(-sections.length).entries()) {
    const own = sections.slice(sections.length - 1 - index)
    const xref = xrefOf(part.start, own, budget)
    const then = { size: part.end ?? part.closed, read: source.read.bind(source) }
    const view = createDocument({ source: then, xref, budget, encryption })
    const { closed, eof, end } = part
    all.push({ index, document: view, sections: own.slice(0, 1), closed, eof, end })
  }
  const [oldest, ...later] = all
  if (oldest === undefined) throw damaged('no trailer is in the document')
  return { source, budget, all: [oldest, ...later], newest: later.at(-1) ?? oldest }
}

interface Part {
  /** absolute: of its first byte and of its `startxref`; where that is missing, the end of the document */
  from: number
  start: number
  closed: number
  eof: number | null
  end: number | null
}

async function partsOf(source: RandomAccess, { ends }: FoundMarks): Promise<Part[]> {
  const parts: Part[] = []
  let from = 0
  for (const { start, eof } of ends) {
    const end = await skipWhiteSpace(source, eof)
    parts.push({ from, start, closed: start, eof, end })
    from = end
  }
  if (from < source.size) parts.push({ from, start: source.size, closed: source.size, eof: null, end: null })
  return parts
}

const within = (places: readonly number[], { from, start }: Part): number[] =>
  places.filter((at) => at >= from && at < start)

/** The last dictionary of a part that says it is a trailer; null: there is none, or it cannot be read. */
async function trailerIn(
  source: RandomAccess,
  marks: FoundMarks,
  part: Part,
  budget: Budget,
): Promise<PdfDictionary | null> {
  const keyword = within(marks.trailers, part).at(-1) ?? -1
  const name = within(marks.xrefNames, part).at(-1) ?? -1
  const holder = name > keyword ? marks.objects.findLast(({ offset }) => offset < name) : undefined
  if (holder === undefined && keyword < 0) return null
  try {
    const value = await (holder === undefined
      ? parseAt(source, keyword, budget, (parser) => (parser.accept('trailer') ? parser.value() : null)).then(
          ({ result }) => result,
        )
      : readObjectAt(source, holder.offset, budget).then((object) => object.value))
    return value?.kind === 'dictionary' && value.entries.has('Root') ? value : null
  } catch (error) {
    if (isDamage(error)) return null
    throw error
  }
}

async function sectionOf(
  source: RandomAccess,
  marks: FoundMarks,
  { part, trailer, budget }: { part: Part; trailer: PdfDictionary; budget: Budget },
): Promise<XrefSection> {
  const entries = new Map<number, XrefEntry>()
  const streams = new Set(
    within(marks.streamNames, part).map((at) => marks.objects.findLast(({ offset }) => offset < at)?.offset),
  )
  for (const { number, generation, offset } of marks.objects) {
    if (offset < part.from || offset >= part.start) continue
    entries.set(number, { kind: 'at', offset, generation })
    const inside = streams.has(offset) ? await numbersInStream(source, offset, budget) : []
    for (const [index, packed] of inside.entries()) entries.set(packed, { kind: 'compressed', stream: number, index })
  }
  const numbers = [...entries.keys()]
  const keyword = within(marks.trailers, part).at(-1) ?? part.start
  return {
    style: 'table',
    trailer,
    from: keyword,
    to: part.start,
    end: numbers.reduce((highest, number) => Math.max(highest, number + 1), 0),
    find: (number) => Promise.resolve(entries.get(number) ?? null),
    ranges: numbers.map((first) => ({ first, count: 1 })),
  }
}
