/**
 * The first page of a document (ISO 32000-2 §7.7.3): where an invisible seal is anchored.
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { listAt } from './fields.ts'
import { damaged } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

/** @throws SigningError `signing/pdf-damaged` the page tree loops or leads to no page */
export async function findFirstPage(
  document: PdfDocument,
  catalog: PdfDictionary,
): Promise<{ reference: PdfReference; dictionary: PdfDictionary }> {
  const seen = new Set<number>()
  const open: { value: PdfValue | undefined; depth: number }[] = [{ value: catalog.entries.get('Pages'), depth: 0 }]
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const { value, depth } = visit
    if (value?.kind !== 'reference') throw damaged('the page tree has a node that is no reference')
    if (seen.has(value.number)) throw damaged('the page tree loops')
    if (depth > MAX_DEPTH) throw new SigningError('signing/pdf-too-complex', 'the page tree is too deep')
    seen.add(value.number)
    const node = await document.dictionary(value, 'a node of the page tree')
    const isBranch = depth === 0 || node.entries.has('Kids')
    if (!isBranch) return { reference: value, dictionary: node }
    const kids = await listAt(document, node, 'Kids')
    document.budget.spendSteps(kids.length)
    for (const kid of kids.reverse()) open.push({ value: kid, depth: depth + 1 })
  }
  throw damaged('the document has no page')
}

const MAX_DEPTH = 64
