/**
 * The form of a document: its fields, and among them the signatures (ISO 32000-2 §12.7).
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { damaged, stringBytes } from './values.ts'
import type { PdfDictionary, PdfReference, PdfValue } from './values.ts'

export interface Form {
  catalog: { reference: PdfReference; dictionary: PdfDictionary }
  /** null: the document has no form. `reference` null: it stands in the catalog itself */
  acroForm: { reference: PdfReference | null; dictionary: PdfDictionary } | null
  /** names of the fields at the top of the tree, where a new field must not repeat one */
  topNames: Set<string>
  /** fields that hold a signature, in the order of the tree */
  signatures: SignatureField[]
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
  const form: Form = { catalog, acroForm: null, topNames: new Set(), signatures: [] }
  const entry = catalog.dictionary.entries.get('AcroForm')
  const value = await document.resolve(entry)
  if (value.kind === 'null') return form
  if (value.kind !== 'dictionary') throw damaged('the form is no dictionary')
  form.acroForm = { reference: entry?.kind === 'reference' ? entry : null, dictionary: value }
  await readFields(document, value, form)
  return form
}

interface Visit {
  value: PdfValue
  depth: number
  /** inherited /FT (§12.7.4.1) */
  type: string | null
}

async function readFields(document: PdfDocument, acroForm: PdfDictionary, form: Form): Promise<void> {
  const seen = new Set<number>()
  const open: Visit[] = []
  const push = (values: PdfValue[], depth: number, type: string | null): void => {
    document.budget.spendSteps(values.length)
    for (const value of values.reverse()) {
      // one field in two places of the tree is odd but harmless; a loop ends here
      if (value.kind === 'reference' && seen.has(value.number)) continue
      if (value.kind === 'reference') seen.add(value.number)
      open.push({ value, depth, type })
    }
  }
  push(await listAt(document, acroForm, 'Fields'), 0, null)
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    const { value, depth } = visit
    if (depth > MAX_DEPTH) throw new SigningError('signing/pdf-too-complex', 'the field tree is too deep')
    const field = await document.resolve(value)
    if (field.kind !== 'dictionary') continue
    const type = (await nameAt(document, field, 'FT')) ?? visit.type
    if (depth === 0) form.topNames.add(await textAt(document, field, 'T'))
    if (type === 'Sig') await readSignature(document, field, form)
    push(await listAt(document, field, 'Kids'), depth + 1, type)
  }
}

async function readSignature(document: PdfDocument, field: PdfDictionary, form: Form): Promise<void> {
  const entry = field.entries.get('V')
  const value = await document.resolve(entry)
  if (value.kind !== 'dictionary') return
  form.signatures.push({ field, value, reference: entry?.kind === 'reference' ? entry : null })
}

/** The items of an array entry; none when the entry is absent or something else. */
export async function listAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<PdfValue[]> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'array' ? [...value.items] : []
}

export async function nameAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<string | null> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'name' ? value.value : null
}

/** A text string (§7.9.2.2): UTF-16BE with a mark, UTF-8 with a mark, else one byte a character. Empty when absent. */
export async function textAt(document: PdfDocument, holder: PdfDictionary, key: string): Promise<string> {
  const value = await document.resolve(holder.entries.get(key))
  return value.kind === 'string' ? decodeText(stringBytes(value.raw)) : ''
}

export function decodeText(bytes: Buffer): string {
  const mark = bytes.toString('hex', 0, 3)
  if (mark.startsWith('feff'))
    return Buffer.from(bytes.subarray(2, bytes.length & ~1))
      .swap16()
      .toString('utf16le')
  return mark === 'efbbbf' ? bytes.toString('utf8', 3) : bytes.toString('latin1')
}

const MAX_DEPTH = 32
