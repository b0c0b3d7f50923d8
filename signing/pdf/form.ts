/**
 * The form of a document: its fields, and among them the signatures (ISO 32000-2 §12.7).
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { readFields } from './fields.ts'
import type { Field } from './fields.ts'
import { damaged } from './values.ts'
import type { PdfDictionary, PdfReference } from './values.ts'

export interface Form {
  catalog: { reference: PdfReference; dictionary: PdfDictionary }
  /** null: the document has no form. `reference` null: it stands in the catalog itself */
  acroForm: { reference: PdfReference | null; dictionary: PdfDictionary } | null
  /** names of the fields at the top of the tree, where a new field must not repeat one */
  topNames: Set<string>
  /** fields that hold a signature, in the order of the tree */
  signatures: SignatureField[]
  /** signature fields that wait for a signature */
  emptyFields: Field[]
}

export interface SignatureField {
  field: PdfDictionary
  /** the signature dictionary, the field's /V */
  value: PdfDictionary
  /** null: the dictionary stands in the field itself */
  reference: PdfReference | null
}

/** @throws SigningError `signing/pdf-damaged`, `signing/pdf-too-complex`, `signing/pdf-unsupported` a dynamic XFA form */
export async function readForm(document: PdfDocument): Promise<Form> {
  const root = document.trailer.entries.get('Root')
  if (root?.kind !== 'reference') throw damaged('the trailer names no catalog')
  const catalog = { reference: root, dictionary: await document.dictionary(root, 'the catalog') }
  const rendering = catalog.dictionary.entries.get('NeedsRendering')
  if (rendering?.kind === 'boolean' && rendering.value) {
    throw new SigningError('signing/pdf-unsupported', 'the document is a dynamic XFA form; print it to PDF first')
  }
  const form: Form = { catalog, acroForm: null, topNames: new Set(), signatures: [], emptyFields: [] }
  const entry = catalog.dictionary.entries.get('AcroForm')
  const value = await document.resolve(entry)
  if (value.kind === 'null') return form
  if (value.kind !== 'dictionary') throw damaged('the form is no dictionary')
  form.acroForm = { reference: entry?.kind === 'reference' ? entry : null, dictionary: value }
  await readInto(document, value, form)
  return form
}

async function readInto(document: PdfDocument, acroForm: PdfDictionary, form: Form): Promise<void> {
  for (const field of await readFields(document, acroForm)) {
    if (field.depth === 0) form.topNames.add(field.name)
    if (field.type === 'Sig') await readSignature(document, field, form)
  }
}

/** A node without a name of its own is a widget of the field above it (§12.7.4.2). */
async function readSignature(document: PdfDocument, field: Field, form: Form): Promise<void> {
  const entry = field.dictionary.entries.get('V')
  const value = await document.resolve(entry)
  if (value.kind === 'dictionary') {
    form.signatures.push({ field: field.dictionary, value, reference: entry?.kind === 'reference' ? entry : null })
  } else if (field.dictionary.entries.has('T')) {
    form.emptyFields.push(field)
  }
}
