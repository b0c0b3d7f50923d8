/**
 * What a seal adds to a document: signature dictionary, field, its entries in form and page, as one update.
 */
import type { RandomAccess } from '../random-access.ts'
import { signatureDictionary, timestampDictionary } from './byte-range.ts'
import { createChanges } from './changes.ts'
import type { Changes } from './changes.ts'
import { openDocument } from './document.ts'
import type { OpenOptions, PdfDocument } from './document.ts'
import { readForm } from './form.ts'
import type { Form } from './form.ts'
import { composeUpdate } from './incremental-update.ts'
import { checkLocks, checkPermissions } from './locks.ts'
import { findFirstPage } from './page.ts'
import { EMPTY_APPEARANCE, signatureEntries, widget } from './seal-objects.ts'
import type { SealTexts } from './seal-objects.ts'
import { dictionary, number, reference, wholeNumber, withEntry } from './values.ts'
import type { PdfDictionary, PdfReference } from './values.ts'

export interface SealPlan {
  /** to be appended to the document; its /ByteRange and /Contents are still holes */
  update: Buffer
  /** offset in `update` of the signature dictionary */
  signatureAt: number
  /** name of the new field */
  field: string
}

/**
 * @param reservedBytes room for the CMS object
 * @throws SigningError as sealPdf
 */
export async function planSeal(
  source: RandomAccess,
  texts: SealTexts,
  reservedBytes: number,
  options: OpenOptions,
): Promise<SealPlan> {
  const document = await openDocument(source, options)
  checkPermissions(document, 'field')
  return planField(document, 'Siegel', signatureDictionary(signatureEntries(texts), reservedBytes))
}

/** The same for a document time-stamp. */
export function planTimestamp(document: PdfDocument, reservedBytes: number): Promise<SealPlan> {
  checkPermissions(document, 'evidence')
  return planField(document, 'Zeitstempel', timestampDictionary(reservedBytes))
}

/** @param value the signature dictionary with its holes */
async function planField(document: PdfDocument, prefix: string, value: PdfDictionary): Promise<SealPlan> {
  const form = await readForm(document)
  const field = freeName(prefix, new Set([...form.topNames, ...(await checkLocks(document, form))]))
  const page = await findFirstPage(document, form.catalog.dictionary)
  const signature = reference(document.nextNumber)
  const added = reference(document.nextNumber + 1)
  const appearance = reference(document.nextNumber + 2)
  const changes = createChanges(document)
  changes.set(added, widget(field, { signature, appearance, page: page.reference }))
  await addToForm(changes, form, added)
  await addToPage(changes, page, added)
  const update = await composeUpdate(document, [
    ...changes.objects(),
    { ...signature, value },
    { ...appearance, ...EMPTY_APPEARANCE },
  ])
  return { update: update.bytes, signatureAt: update.bodies.get(signature.number) ?? 0, field }
}

/** All else in the form stays; a form that the catalog holds directly is rewritten with the catalog. */
async function addToForm(changes: Changes, { catalog, acroForm }: Form, added: PdfReference): Promise<void> {
  const before = acroForm?.dictionary ?? dictionary({})
  const after = withFlags(await changes.append(before, 'Fields', added))
  if (after === before) return
  if (acroForm?.reference) changes.set(acroForm.reference, after)
  else changes.set(catalog.reference, withEntry(catalog.dictionary, 'AcroForm', after))
}

interface Page {
  reference: PdfReference
  dictionary: PdfDictionary
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

function freeName(prefix: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) if (!taken.has(`${prefix}${count}`)) return `${prefix}${count}`
}
