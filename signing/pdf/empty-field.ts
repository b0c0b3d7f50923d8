/**
 * A signature field that is in the document already and waits for its signature (ISO 32000-2 §12.7.5.5): found by name,
 * with its lock.
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import type { Field } from './fields.ts'
import { listAt, nameAt } from './fields.ts'
import type { Form } from './form.ts'
import { dictionary, name } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface EmptyField {
  name: string
  reference: PdfReference
  dictionary: PdfDictionary
  /** what shows it; may be the same object */
  widget: { reference: PdfReference; dictionary: PdfDictionary }
}

/** @throws SigningError `signing/field-unusable` no such field, or it is signed already */
export async function findEmptyField(document: PdfDocument, form: Form, wanted: string): Promise<EmptyField> {
  const [field, ...others] = form.emptyFields.filter(({ name: full }) => full === wanted)
  if (field === undefined) throw unusable('the document has no empty signature field of this name')
  if (others.length > 0) throw unusable('several signature fields have this name')
  const { reference, dictionary: own } = field
  if (reference === null) throw unusable('the signature field is no object of its own')
  return { name: wanted, reference, dictionary: own, widget: await widgetOf(document, { ...field, reference }) }
}

async function widgetOf(
  document: PdfDocument,
  { reference, dictionary: own }: Field & { reference: PdfReference },
): Promise<EmptyField['widget']> {
  const kids = await listAt(document, own, 'Kids')
  if (kids.length === 0) return { reference, dictionary: own }
  const [kid, ...others] = kids
  // §12.7.5.5: a signature field has at most one widget
  if (kid?.kind !== 'reference' || others.length > 0) throw unusable('the signature field has several widgets')
  return { reference: kid, dictionary: await document.dictionary(kid, 'a widget') }
}

/**
 * The signature's side of the field's /Lock (§12.8.2.4): the same fields, as a FieldMDP transform. Null without a lock.
 */
export async function lockReference(
  document: PdfDocument,
  field: EmptyField,
  catalog: PdfReference,
): Promise<PdfDictionary | null> {
  const lock = await document.resolve(field.dictionary.entries.get('Lock'))
  if (lock.kind !== 'dictionary') return null
  const action = await nameAt(document, lock, 'Action')
  if (action === null || !ACTIONS.has(action)) throw unusable('the lock of the signature field has an unknown action')
  const parameters = new Map<string, PdfValue>([
    ['Type', name('TransformParams')],
    ['V', name('1.2')],
    ['Action', name(action)],
  ])
  if (action !== 'All') parameters.set('Fields', { kind: 'array', items: await listAt(document, lock, 'Fields') })
  // not in the table of FieldMDP, but there viewers look for it
  const permission = await document.resolve(lock.entries.get('P'))
  if (permission.kind === 'number') parameters.set('P', permission)
  return dictionary({
    Type: name('SigRef'),
    TransformMethod: name('FieldMDP'),
    TransformParams: { kind: 'dictionary', entries: parameters },
    Data: catalog,
  })
}

/** Only the first signature may, and it allows form filling and further signatures (§12.8.2.2, /P 2). */
export const CERTIFICATION: PdfDictionary = dictionary({
  Type: name('SigRef'),
  TransformMethod: name('DocMDP'),
  TransformParams: dictionary({ Type: name('TransformParams'), P: { kind: 'number', text: '2' }, V: name('1.2') }),
})

function unusable(message: string): SigningError {
  return new SigningError('signing/field-unusable', message)
}

const ACTIONS = new Set(['All', 'Include', 'Exclude'])
