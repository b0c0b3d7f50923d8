/**
 * Everything that differs between a signed revision and the newest one, told by the way that leads to it: the same
 * object may be harmless in one place and forbidden in another, and is then found in both (ISO 32000-2 §12.8.2.2).
 */
import { SigningError } from '../../errors.ts'
import type { PdfDocument } from '../document.ts'
import type { Field } from '../fields.ts'
import { readFields } from '../fields.ts'
import type { Revision, Revisions } from '../revisions/revisions.ts'
import { reference } from '../values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'
import type { Change } from './change.ts'
import type { Comparison } from './comparison.ts'
import { compareCatalogs } from './catalog.ts'
import { dictionaryOf, nameOf, readCompared } from './objects.ts'
import type { Reach } from './reach.ts'
import { writtenSince } from './reach.ts'
import { createSameness } from './sameness.ts'

/**
 * @param reach with what was written since `since` or an older revision
 * @returns empty: the document says what it said
 */
export async function compareSince(revisions: Revisions, since: Revision, reach: Reach): Promise<Change[]> {
  const changes: Change[] = []
  try {
    await compareInto(changes, revisions, since, reach)
  } catch (error) {
    // a document with more objects than can be compared in reasonable time is not called unchanged
    if (!(error instanceof SigningError) || error.code !== 'signing/pdf-too-complex') throw error
    changes.push({ kind: 'unclear', place: 'the document is too complex to be compared' })
  }
  return changes
}

async function compareInto(changes: Change[], revisions: Revisions, since: Revision, reach: Reach): Promise<void> {
  const [before, after] = [since.document, revisions.newest.document]
  const { leadsToChange } = reach
  const apart = new Set<number>()
  const open: (() => Promise<void>)[] = []
  const isComparedApart = (number: number): boolean => apart.has(number)
  const mayDiffer = (number: number): boolean => leadsToChange.has(number)
  const same = createSameness({ before, after, mayDiffer, isComparedApart })
  const comparison: Comparison = {
    before,
    after,
    same,
    leadsToChange,
    fieldsBefore: await fieldsOf(before, 'before', changes),
    fieldsAfter: await fieldsOf(after, 'after', changes),
    report: (change) => void changes.push(change),
    compareApart: (number) => void apart.add(number),
    demandSame: (place, a, b, kind = 'forbidden') => {
      open.push(async () => {
        if (!(await same(a, b))) changes.push({ kind, place })
      })
    },
  }
  const root = after.trailer.entries.get('Root')
  // signatures name the catalog as what they are about (table 256 /Data)
  if (root?.kind === 'reference' && isSameReference(root, before.trailer.entries.get('Root'))) apart.add(root.number)
  await compareCatalogs(comparison)
  for (const check of open) await check()
  await findUnreached(comparison, await writtenSince(revisions, since), reach)
}

function isSameReference(a: PdfReference, b: PdfValue | undefined): boolean {
  return b?.kind === 'reference' && a.number === b.number && a.generation === b.generation
}

async function fieldsOf(document: PdfDocument, side: string, changes: Change[]): Promise<ReadonlyMap<number, Field>> {
  const catalog = await dictionaryOf(document, document.trailer.entries.get('Root'))
  const form = await dictionaryOf(document, catalog?.entries.get('AcroForm'))
  if (form === null) return new Map()
  const unreadable = (): void => void changes.push({ kind: 'unclear', place: `a form field that is damaged ${side}` })
  const fields = await readFields(document, form, unreadable)
  return new Map(fields.flatMap((field) => (field.reference === null ? [] : [[field.reference.number, field]])))
}

/** What nothing leads to is not shown by a proper reader; it is reported nevertheless. */
async function findUnreached(
  { before, after, report }: Comparison,
  written: ReadonlySet<number>,
  { reached }: Reach,
): Promise<void> {
  const same = createSameness({
    before,
    after,
    mayDiffer: () => true,
    isComparedApart: (number) => reached.has(number),
  })
  for (const number of written) {
    if (reached.has(number)) continue
    const entry = await after.xref.find(number)
    if (entry.kind === 'free') continue
    const wanted = reference(number, entry.kind === 'at' ? entry.generation : 0)
    const { value, stream } = await readCompared(after, wanted)
    if (stream !== null && (await isStructure(after, value))) continue
    const earlier = await before.xref.find(number)
    if (earlier.kind !== 'free' && (await same(wanted, wanted))) continue
    report({ kind: earlier.kind === 'free' ? 'unused' : 'unclear', place: `object ${number}, which nothing leads to` })
  }
}

/** Cross-reference and object streams hold the document together; no link leads to them. */
async function isStructure(document: PdfDocument, value: PdfValue): Promise<boolean> {
  const type = await nameOf(document, (value as Partial<PdfDictionary>).entries?.get('Type'))
  return type === 'XRef' || type === 'ObjStm'
}
