/**
 * Compares the annotations of a page (ISO 32000-2 §12.5). Widgets of form fields are compared with their fields.
 */
import type { PdfDocument } from '../document.ts'
import type { PdfDictionary, PdfReference, PdfValue } from '../values.ts'
import { canCover } from './appearance.ts'
import type { Comparison } from './comparison.ts'
import { dictionaryOf, itemsOf, nameOf } from './objects.ts'

export async function compareAnnotations(
  comparison: Comparison,
  oldPage: PdfDictionary,
  newPage: PdfDictionary,
): Promise<void> {
  const { before, after } = comparison
  const old = await itemsOf(before, oldPage.entries.get('Annots'))
  const now = await itemsOf(after, newPage.entries.get('Annots'))
  const [oldReferences, newReferences] = [old.filter(isReference), now.filter(isReference)]
  const oldNumbers = new Set(oldReferences.map(({ number }) => number))
  const newNumbers = new Set(newReferences.map(({ number }) => number))
  await compareDirect(comparison, old, now)
  for (const item of newReferences) {
    if (!oldNumbers.has(item.number)) await addedAnnotation(comparison, item)
    else if (comparison.leadsToChange.has(item.number)) await changedAnnotation(comparison, item)
  }
  for (const item of oldReferences) if (!newNumbers.has(item.number)) await removedAnnotation(comparison, item)
  await compareOrder(comparison, oldReferences, newReferences)
}

/** Annotations that stand in the array itself: those that were there stay in their order, new ones may follow. */
async function compareDirect(
  { same, report }: Comparison,
  old: readonly PdfValue[],
  now: readonly PdfValue[],
): Promise<void> {
  const [a, b] = [directOnes(old), directOnes(now)]
  let isReplaced = b.length < a.length
  for (const [index, item] of a.entries()) isReplaced ||= !(await same(item, b[index]))
  if (!isReplaced && a.length === b.length) return
  report({ kind: 'annotation', place: 'annotations without a number', isReplaced, canCover: true })
}

async function addedAnnotation(comparison: Comparison, item: PdfReference): Promise<void> {
  const { after, fieldsBefore, fieldsAfter, report } = comparison
  const place = `annotation object ${item.number}`
  const annotation = await dictionaryOf(after, item)
  if (annotation === null) {
    report({ kind: 'unclear', place })
    return
  }
  const field = fieldsAfter.get(item.number)
  // a new field is reported with the fields
  if (field !== undefined && !fieldsBefore.has(item.number)) return
  const covering = await canCover(after, annotation)
  if (field !== undefined) {
    const { name, type } = field
    report({ kind: type === 'Sig' ? 'signature' : 'forbidden', place, field: name, canCover: covering })
    return
  }
  const isActive = await runsSomething(after, annotation)
  report({ kind: isActive ? 'forbidden' : 'annotation', place: `${place} was added`, canCover: covering })
}

async function changedAnnotation(comparison: Comparison, item: PdfReference): Promise<void> {
  const { before, after, fieldsBefore, fieldsAfter, compareApart, same, report } = comparison
  if (fieldsBefore.has(item.number) && fieldsAfter.has(item.number)) return
  const [old, now] = [await dictionaryOf(before, item), await dictionaryOf(after, item)]
  // an object that is freed or filled does what an entry taken out or put in does
  if (now === null) {
    await removedAnnotation(comparison, item)
    return
  }
  if (old === null) {
    await addedAnnotation(comparison, item)
    return
  }
  if ((await nameOf(before, old.entries.get('Type'))) === 'Annot') compareApart(item.number)
  if (await same(withoutLinks(old), withoutLinks(now))) return
  const covering = (await canCover(before, old)) || (await canCover(after, now))
  const isActive = await runsSomething(after, now)
  report({
    kind: isActive ? 'forbidden' : 'annotation',
    place: `annotation object ${item.number} was changed`,
    isReplaced: true,
    canCover: covering,
  })
}

async function removedAnnotation(comparison: Comparison, item: PdfReference): Promise<void> {
  const { before, fieldsBefore, report } = comparison
  const place = `annotation object ${item.number} was removed`
  const field = fieldsBefore.get(item.number)
  if (field !== undefined) {
    report({ kind: 'forbidden', place, field: field.name })
    return
  }
  const annotation = await dictionaryOf(before, item)
  if (annotation === null) return
  // what it hid is seen now
  report({ kind: 'annotation', place, isReplaced: true, canCover: await canCover(before, annotation) })
}

/** Later ones lie over earlier ones. */
async function compareOrder(
  { report }: Comparison,
  old: readonly PdfReference[],
  now: readonly PdfReference[],
): Promise<void> {
  const numbers = new Set(now.map(({ number }) => number))
  const kept = old.map(({ number }) => number).filter((number) => numbers.has(number))
  const known = new Set(kept)
  const order = now.map(({ number }) => number).filter((number) => known.has(number))
  if (kept.join() === order.join()) return
  await Promise.resolve()
  report({ kind: 'annotation', place: 'the order of annotations was changed', isReplaced: true, canCover: true })
}

/** Links to page, parent and popup go round in circles and are compared where they belong. */
function withoutLinks(annotation: PdfDictionary): PdfDictionary {
  const entries = new Map(annotation.entries)
  for (const key of ['P', 'Parent', 'Popup', 'IRT', 'StructParent']) entries.delete(key)
  return { kind: 'dictionary', entries }
}

/** Actions that do more than lead somewhere (§12.6.4). */
export async function runsSomething(document: PdfDocument, annotation: PdfDictionary): Promise<boolean> {
  if (await dictionaryOf(document, annotation.entries.get('AA'))) return true
  const action = await dictionaryOf(document, annotation.entries.get('A'))
  if (action === null) return false
  const type = await nameOf(document, action.entries.get('S'))
  return action.entries.has('Next') || type === null || !HARMLESS.has(type)
}

function directOnes(items: readonly PdfValue[]): PdfValue[] {
  return items.flatMap((item) => (isReference(item) ? [] : [item.kind === 'dictionary' ? withoutLinks(item) : item]))
}

function isReference(value: PdfValue): value is PdfReference {
  return value.kind === 'reference'
}

const HARMLESS: ReadonlySet<string> = new Set(['GoTo', 'URI'])
