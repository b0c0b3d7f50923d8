/**
 * Pages of a document by their number (ISO 32000-2 §7.7.3): where a seal is anchored.
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { listAt } from './fields.ts'
import { damaged, wholeNumber } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface Page {
  reference: PdfReference
  dictionary: PdfDictionary
}

/**
 * @param wanted 1 is the first page
 * @throws SigningError `signing/bad-mark` the document has fewer pages
 * @throws SigningError `signing/pdf-damaged` the page tree loops or leads to no page
 */
export async function findPage(document: PdfDocument, catalog: PdfDictionary, wanted: number | 'last'): Promise<Page> {
  const seen = new Set<number>()
  const open: Visit[] = [{ value: catalog.entries.get('Pages'), depth: 0 }]
  let passed = 0
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const { depth } = visit
    if (depth > MAX_DEPTH) throw new SigningError('signing/pdf-too-complex', 'the page tree is too deep')
    const value = unseen(visit.value, seen)
    const node = await document.dictionary(value, 'a node of the page tree')
    const pages = depth === 0 ? null : await pagesIn(document, node)
    if (pages === 'itself' && (wanted === 'last' || passed + 1 === wanted))
      return { reference: value, dictionary: node }
    if (pages === 'itself') passed++
    else if (pages !== null && wanted !== 'last' && passed + pages < wanted) passed += pages
    else visitNext(open, await kidsOf(document, node, wanted), depth + 1)
  }
  if (passed > 0) throw new SigningError('signing/bad-mark', `the document has fewer than ${wanted} pages`)
  throw damaged('the document has no page')
}

interface Visit {
  value: PdfValue | undefined
  depth: number
}

/** One by one: there may be more than a call takes arguments. */
function visitNext(open: Visit[], kids: readonly PdfValue[], depth: number): void {
  for (const value of kids) open.push({ value, depth })
}

function unseen(value: PdfValue | undefined, seen: Set<number>): PdfReference {
  if (value?.kind !== 'reference') throw damaged('the page tree has a node that is no reference')
  if (seen.has(value.number)) throw damaged('the page tree loops')
  seen.add(value.number)
  return value
}

/** How many pages are below a branch; null when it does not say. */
async function pagesIn(document: PdfDocument, node: PdfDictionary): Promise<number | 'itself' | null> {
  return node.entries.has('Kids') ? wholeNumber(await document.resolve(node.entries.get('Count'))) : 'itself'
}

/** The one to be looked at next comes last. */
async function kidsOf(document: PdfDocument, node: PdfDictionary, wanted: number | 'last'): Promise<PdfValue[]> {
  const kids = await listAt(document, node, 'Kids')
  document.budget.spendSteps(kids.length)
  return wanted === 'last' ? kids : kids.reverse()
}

const MAX_DEPTH = 64
