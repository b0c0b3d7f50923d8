/**
 * Compares the page tree and what belongs to pages (ISO 32000-2 §7.7.3). All of it is forbidden to change, but the list of
 * annotations, which annotations.ts compares.
 */
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'
import { compareAnnotations } from './annotations.ts'
import { keysOf, privateKind } from './dictionaries.ts'
import type { ChangeKind } from './change.ts'
import type { Comparison } from './comparison.ts'
import { dictionaryOf, itemsOf, nameOf } from './objects.ts'

export async function comparePages(
  comparison: Comparison,
  old: PdfValue | undefined,
  now: PdfValue | undefined,
): Promise<void> {
  const seen = new Set<string>()
  const open: [PdfValue | undefined, PdfValue | undefined][] = [[old, now]]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [a, b] = pair
    if (a?.kind !== 'reference' || b?.kind !== 'reference') {
      comparison.demandSame('page tree', a, b)
      continue
    }
    const key = `${a.number} ${b.number}`
    if (seen.has(key) || (a.number === b.number && !comparison.leadsToChange.has(a.number))) continue
    seen.add(key)
    for (const next of await compareNode(comparison, a, b)) open.push(next)
  }
}

async function compareNode(
  comparison: Comparison,
  a: PdfReference,
  b: PdfReference,
): Promise<[PdfValue | undefined, PdfValue | undefined][]> {
  const { before, after, report } = comparison
  const [old, now] = [await dictionaryOf(before, a), await dictionaryOf(after, b)]
  if (old === null || now === null) {
    comparison.demandSame(`page object ${b.number}`, a, b)
    return []
  }
  const type = await nameOf(before, old.entries.get('Type'))
  if (a.number === b.number && (type === 'Page' || type === 'Pages')) comparison.compareApart(b.number)
  compareEntries(comparison, { old, now, number: b.number })
  await compareAnnotations(comparison, old, now)
  const [oldKids, newKids] = [await kidsOf(before, old), await kidsOf(after, now)]
  if (oldKids.length !== newKids.length) {
    report({ kind: 'forbidden', place: `page object ${b.number}: pages were added or removed` })
    return []
  }
  return oldKids.map((kid, index) => [kid, newKids[index]])
}

function kidsOf(document: Comparison['before'], node: PdfDictionary): Promise<readonly PdfValue[]> {
  return itemsOf(document, node.entries.get('Kids'))
}

function compareEntries(
  { demandSame }: Comparison,
  { old, now, number }: { old: PdfDictionary; now: PdfDictionary; number: number },
): void {
  for (const key of keysOf(old, now)) {
    if (key === 'Kids' || key === 'Annots') continue
    const [a, b] = [old.entries.get(key), now.entries.get(key)]
    demandSame(`page object ${number} /${key}`, a, b, KINDS.get(key) ?? privateKind(key, a, b))
  }
}

/** all else is forbidden; neither of these is drawn */
const KINDS: ReadonlyMap<string, ChangeKind> = new Map([
  ['LastModified', 'metadata'],
  ['PieceInfo', 'metadata'],
  ['Metadata', 'metadata'],
  ['Tabs', 'metadata'],
  ['StructParents', 'unclear'],
])
