/**
 * The changes that put a signature into a document: a field of its own or one that waits, and its entries in form, page and
 * catalog. All else in the objects that change stays (ISO 32000-2 §12.7.3, §12.7.5.5, §12.8.6).
 */
import { SigningError } from '../errors.ts'
import { createChanges } from './changes.ts'
import type { Changes } from './changes.ts'
import type { PdfDocument } from './document.ts'
import type { EmptyField } from './empty-field.ts'
import type { Form } from './form.ts'
import { composeUpdate } from './incremental-update.ts'
import type { NewObject } from './incremental-update.ts'
import type { Restrictions } from './locks.ts'
import { findPage } from './page.ts'
import type { Page } from './page.ts'
import { readClaims } from './mark/claims.ts'
import type { SealMark } from './mark/mark.ts'
import { placeIn, placeOn } from './mark/place.ts'
import type { MarkPlace, PlacedMark } from './mark/place.ts'
import { EMPTY_APPEARANCE, INVISIBLE, widget } from './seal-objects.ts'
import { dictionary, number, reference, wholeNumber, withEntry } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

/** What is added and changed so far. */
export interface Draft {
  document: PdfDocument
  form: Form
  restrictions: Restrictions
  changes: Changes
  objects: NewObject[]
  /** gives a new object its number */
  add: (value: PdfValue, data?: Buffer) => PdfReference
}

export function createDraft(document: PdfDocument, form: Form, restrictions: Restrictions): Draft {
  const objects: NewObject[] = []
  const add = (value: PdfValue, data?: Buffer): PdfReference => {
    const added = reference(document.nextNumber + objects.length)
    const { number, generation } = added
    objects.push(data === undefined ? { number, generation, value } : { number, generation, value, data })
    return added
  }
  return { document, form, restrictions, changes: createChanges(document), objects, add }
}

/** @returns the update, and where in it the body of the signature dictionary begins */
export async function finish(
  { document, changes, objects }: Draft,
  signature: PdfReference,
): Promise<{ update: Buffer; signatureAt: number }> {
  const { bytes, bodies } = await composeUpdate(document, [...changes.objects(), ...objects])
  return { update: bytes, signatureAt: bodies.get(signature.number) ?? 0 }
}

/**
 * A new field, with a name that begins with `prefix`.
 *
 * @returns its name
 * @throws SigningError `signing/pdf-locked`; codes as drawMark and placeOn
 */
export async function addField(
  draft: Draft,
  prefix: string,
  signature: PdfReference,
  mark: SealMark | null,
): Promise<string> {
  const { document, form, restrictions, changes } = draft
  if (restrictions.locksNewFields) {
    throw new SigningError('signing/pdf-locked', 'an earlier signature locks all form fields, new ones included')
  }
  const name = freeName(prefix, (taken) => form.topNames.has(taken) || restrictions.isLocked(taken))
  const page = await findPage(document, form.catalog.dictionary, mark?.page ?? 1)
  const shown = mark === null ? INVISIBLE : await placeOn(document, page.dictionary, placeOf(mark))
  const appearance = await appearanceOf(draft, mark, shown)
  const added = draft.add(widget(name, { signature, appearance, page: page.reference }, shown))
  await addToForm(changes, form, added)
  await addToPage(changes, page, added)
  return name
}

/** @throws SigningError `signing/pdf-locked`; codes as drawMark and placeIn */
export async function fillField(
  draft: Draft,
  field: EmptyField,
  signature: PdfReference,
  mark: SealMark | null,
): Promise<void> {
  const { document, form, restrictions, changes } = draft
  if (restrictions.isLocked(field.name)) {
    throw new SigningError('signing/pdf-locked', 'an earlier signature locks this field')
  }
  changes.set(field.reference, withEntry(field.dictionary, 'V', signature))
  const { reference: at, dictionary: before } = field.widget
  const widgetNow = changes.current(at, before)
  if (mark !== null || !before.entries.has('AP')) {
    const placed = mark === null ? INVISIBLE : await placeIn(document, before)
    const appearance = await appearanceOf(draft, mark, placed)
    changes.set(at, withEntry(widgetNow, 'AP', dictionary({ N: appearance })))
  }
  const flagged = withFlags(form.acroForm?.dictionary ?? dictionary({}))
  if (flagged !== form.acroForm?.dictionary) setForm(changes, form, flagged)
}

async function appearanceOf(draft: Draft, mark: SealMark | null, placed: PlacedMark): Promise<PdfReference> {
  if (mark === null) return draft.add(EMPTY_APPEARANCE, Buffer.alloc(0))
  const { archivePart } = await readClaims(draft.document, draft.form.catalog.dictionary)
  // fonts and pictures are loaded for a visible mark alone
  const { drawMark } = await import('./mark/mark.ts')
  // ISO 19005-1 §6.4: no transparency in the oldest part
  return drawMark(mark, placed, archivePart === 1 ? 'flatten' : 'keep', draft.add)
}

function placeOf({ place }: SealMark): MarkPlace {
  if (place === undefined) throw new SigningError('signing/bad-mark', 'a mark without a field needs a place')
  return place
}

/** The catalog says which signature certifies (§12.8.6). */
export async function certify({ document, form, changes }: Draft, signature: PdfReference): Promise<void> {
  const { reference: at, dictionary: before } = form.catalog
  const entry = before.entries.get('Perms')
  const existing = await document.resolve(entry)
  const permissions = withEntry(existing.kind === 'dictionary' ? existing : dictionary({}), 'DocMDP', signature)
  if (existing.kind === 'dictionary' && entry?.kind === 'reference') changes.set(entry, permissions)
  else changes.set(at, withEntry(changes.current(at, before), 'Perms', permissions))
}

async function addToForm(changes: Changes, form: Form, added: PdfReference): Promise<void> {
  const before = form.acroForm?.dictionary ?? dictionary({})
  const after = withFlags(await changes.append(before, 'Fields', added))
  if (after !== before) setForm(changes, form, after)
}

/** A form that the catalog holds directly is rewritten with the catalog. */
function setForm(changes: Changes, { catalog, acroForm }: Form, value: PdfDictionary): void {
  if (acroForm?.reference) changes.set(acroForm.reference, value)
  else changes.set(catalog.reference, withEntry(catalog.dictionary, 'AcroForm', value))
}

async function addToPage(changes: Changes, page: Page, added: PdfReference): Promise<void> {
  const before = changes.current(page.reference, page.dictionary)
  const after = await changes.append(before, 'Annots', added)
  if (after !== before) changes.set(page.reference, after)
}

/** §12.7.3 table 225: 1 signatures exist, 2 the document may only be appended to. */
function withFlags(form: PdfDictionary): PdfDictionary {
  return wholeNumber(form.entries.get('SigFlags')) === 3 ? form : withEntry(form, 'SigFlags', number(3))
}

function freeName(prefix: string, isTaken: (name: string) => boolean): string {
  for (let count = 1; ; count++) if (!isTaken(`${prefix}${count}`)) return `${prefix}${count}`
}
