/**
 * Compares what the whole document hangs on: trailer, catalog and the form as such (ISO 32000-2 §7.7.2, §12.7.3).
 */
import type { PdfDictionary, PdfValue } from '../values.ts'
import type { ChangeKind } from './change.ts'
import type { Comparison } from './comparison.ts'
import { EMPTY, keysOf, privateKind } from './dictionaries.ts'
import { compareFields } from './form-fields.ts'
import { dictionaryOf, itemsOf } from './objects.ts'
import { comparePages } from './pages.ts'

export async function compareCatalogs(comparison: Comparison): Promise<void> {
  const { before, after, report, demandSame } = comparison
  const [oldTrailer, newTrailer] = [before.trailer.entries, after.trailer.entries]
  demandSame('trailer /Encrypt', oldTrailer.get('Encrypt'), newTrailer.get('Encrypt'))
  demandSame('trailer /Info', oldTrailer.get('Info'), newTrailer.get('Info'), 'metadata')
  const oldCatalog = await dictionaryOf(before, oldTrailer.get('Root'))
  const newCatalog = await dictionaryOf(after, newTrailer.get('Root'))
  if (oldCatalog === null || newCatalog === null) {
    report({ kind: 'forbidden', place: 'the catalog cannot be read' })
    return
  }
  await comparePages(comparison, oldCatalog.entries.get('Pages'), newCatalog.entries.get('Pages'))
  await compareForms(comparison, oldCatalog.entries.get('AcroForm'), newCatalog.entries.get('AcroForm'))
  await comparePermissions(comparison, oldCatalog, newCatalog)
  await compareNames(comparison, oldCatalog, newCatalog)
  for (const key of keysOf(oldCatalog, newCatalog)) {
    if (APART.has(key)) continue
    const [a, b] = [oldCatalog.entries.get(key), newCatalog.entries.get(key)]
    demandSame(`catalog /${key}`, a, b, KINDS.get(key) ?? privateKind(key, a, b))
  }
}

async function compareForms(
  comparison: Comparison,
  old: PdfValue | undefined,
  now: PdfValue | undefined,
): Promise<void> {
  const { before, after, demandSame } = comparison
  const oldForm = await dictionaryOf(before, old)
  const newForm = await dictionaryOf(after, now)
  await compareFields(comparison)
  if (oldForm === null && newForm === null) return
  const [earlier, later] = [oldForm ?? EMPTY, newForm ?? EMPTY]
  await compareResources(comparison, earlier.entries.get('DR'), later.entries.get('DR'))
  for (const key of keysOf(earlier, later)) {
    if (key === 'Fields' || key === 'DR' || key === 'NeedAppearances') continue
    const isNew = !earlier.entries.has(key) && FORM_DEFAULTS.has(key)
    const kind = isNew ? 'metadata' : FORM_KINDS.get(key)
    demandSame(`form /${key}`, earlier.entries.get(key), later.entries.get(key), kind)
  }
  await compareDirectFields(comparison, earlier, later)
  await compareDrawing(comparison, earlier, later)
}

/** Readers that must draw the fields anew may show other values than whoever signed has seen. */
async function compareDrawing(
  { before, after, report }: Comparison,
  old: PdfDictionary,
  now: PdfDictionary,
): Promise<void> {
  const [a, b] = [
    await before.resolve(old.entries.get('NeedAppearances')),
    await after.resolve(now.entries.get('NeedAppearances')),
  ]
  const isAsked = b.kind === 'boolean' && b.value && !(a.kind === 'boolean' && a.value)
  if (isAsked) report({ kind: 'form', place: 'form /NeedAppearances', isReplaced: true })
}

/** Fields that stand in the array itself have no number to know them by. */
async function compareDirectFields(
  { before, after, demandSame }: Comparison,
  old: PdfDictionary,
  now: PdfDictionary,
): Promise<void> {
  const direct = (items: readonly PdfValue[]): PdfValue => ({
    kind: 'array',
    items: items.filter(({ kind }) => kind !== 'reference'),
  })
  const [a, b] = [await itemsOf(before, old.entries.get('Fields')), await itemsOf(after, now.entries.get('Fields'))]
  demandSame('form /Fields', direct(a), direct(b))
}

/** Fonts and the like for fields: new names may come, what was there stays. */
async function compareResources(
  { before, after, demandSame }: Comparison,
  old: PdfValue | undefined,
  now: PdfValue | undefined,
): Promise<void> {
  const [a, b] = [(await dictionaryOf(before, old)) ?? EMPTY, (await dictionaryOf(after, now)) ?? EMPTY]
  for (const [category, value] of a.entries) {
    // default appearances use nothing else (§12.7.4.3)
    if (category !== 'Font' && category !== 'Encoding') {
      demandSame(`form /DR /${category}`, value, b.entries.get(category), 'metadata')
      continue
    }
    const earlier = await dictionaryOf(before, value)
    const later = await dictionaryOf(after, b.entries.get(category))
    if (earlier === null || later === null) demandSame(`form /DR /${category}`, value, b.entries.get(category))
    else
      for (const [name, resource] of earlier.entries)
        demandSame(`form /DR /${category}`, resource, later.entries.get(name))
  }
}

/** Stamps put their appearance among the names as well; all other names are forbidden to change. */
async function compareNames(
  { before, after, demandSame }: Comparison,
  old: PdfDictionary,
  now: PdfDictionary,
): Promise<void> {
  const a = (await dictionaryOf(before, old.entries.get('Names'))) ?? EMPTY
  const b = (await dictionaryOf(after, now.entries.get('Names'))) ?? EMPTY
  for (const key of keysOf(a, b)) {
    const kind = key === 'AP' ? 'annotation' : 'forbidden'
    demandSame(`catalog /Names /${key}`, a.entries.get(key), b.entries.get(key), kind)
  }
}

/** §12.8.6: a certification that is new may be entered; what stands there stays, and old signatures do not become one. */
async function comparePermissions(
  { before, after, demandSame }: Comparison,
  old: PdfDictionary,
  now: PdfDictionary,
): Promise<void> {
  const a = (await dictionaryOf(before, old.entries.get('Perms'))) ?? EMPTY
  const b = (await dictionaryOf(after, now.entries.get('Perms'))) ?? EMPTY
  for (const key of keysOf(a, b)) {
    const isCertified = key === 'DocMDP' && !a.entries.has(key) && (await isNew(before, b.entries.get(key)))
    demandSame(
      `catalog /Perms /${key}`,
      a.entries.get(key),
      b.entries.get(key),
      isCertified ? 'signature' : 'forbidden',
    )
  }
}

async function isNew(before: Comparison['before'], value: PdfValue | undefined): Promise<boolean> {
  return value?.kind !== 'reference' || (await before.xref.find(value.number)).kind === 'free'
}

const APART: ReadonlySet<string> = new Set(['Pages', 'AcroForm', 'Perms', 'Names', 'Type'])
/** everything else of the catalog is forbidden */
const KINDS: ReadonlyMap<string, ChangeKind> = new Map([
  ['DSS', 'evidence'],
  ['Extensions', 'evidence'],
  ['Version', 'evidence'],
  ['Metadata', 'metadata'],
  ['PieceInfo', 'metadata'],
  ['StructTreeRoot', 'unclear'],
])
const FORM_KINDS: ReadonlyMap<string, ChangeKind> = new Map([
  ['SigFlags', 'evidence'],
  ['XFA', 'unclear'],
])
/** what a form gets when it is made for the first signature */
const FORM_DEFAULTS: ReadonlySet<string> = new Set(['DA', 'Q'])
