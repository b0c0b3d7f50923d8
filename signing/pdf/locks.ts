/**
 * What forbids another seal: earlier signatures, which it must not break (ISO 32000-2 §12.8.2), and the permissions of
 * an encrypted document (§7.6.4.2).
 */
import { SigningError } from '../errors.ts'
import type { PdfDocument } from './document.ts'
import { decodeText, listAt, nameAt } from './fields.ts'
import type { Form } from './form.ts'
import { stringBytes, wholeNumber } from './values.ts'
import type { PdfDictionary } from './values.ts'

/**
 * @returns field names that an earlier signature locks; a new field must have another
 * @throws SigningError `signing/pdf-locked` no further signature is allowed
 */
export async function checkLocks(document: PdfDocument, form: Form): Promise<Set<string>> {
  const locked = new Set<string>()
  for (const signature of await certifications(document, form)) await checkSignature(document, signature, locked)
  for (const { field, value } of form.signatures) {
    await checkSignature(document, value, locked)
    const lock = await document.resolve(field.entries.get('Lock'))
    if (lock.kind !== 'dictionary') continue
    await checkFieldLock(document, lock, locked)
    await checkPermission(document, lock)
  }
  return locked
}

/**
 * @param change `field`: a new one; `value`: only into a field that is there; `evidence`: time-stamps and certificates,
 * which belong to a signature that is there
 * @throws SigningError `signing/pdf-locked` only the owner's password allows it
 */
export function checkPermissions({ encryption }: PdfDocument, change: 'field' | 'value' | 'evidence'): void {
  if (encryption === null || encryption.isOwner) return
  if (!encryption.permissionsAreGenuine) {
    throw new SigningError('signing/pdf-locked', 'the permissions of the encrypted document were changed')
  }
  const allows = (bit: number): boolean => (encryption.permissions & (1 << (bit - 1))) !== 0
  const fills = allows(FILL_FORMS) || allows(ANNOTATE)
  const isAllowed = change === 'field' ? allows(MODIFY) && allows(ANNOTATE) : fills || allows(MODIFY)
  if (!isAllowed) {
    throw new SigningError('signing/pdf-locked', 'the document allows no signature without the password of its owner')
  }
}

/** Table 22; bit 1 is the lowest. */
const [MODIFY, ANNOTATE, FILL_FORMS] = [4, 6, 9] as const

/** The certification may hang in the catalog's /Perms without a field (§12.8.6). */
async function certifications(document: PdfDocument, form: Form): Promise<PdfDictionary[]> {
  const permissions = await document.resolve(form.catalog.dictionary.entries.get('Perms'))
  if (permissions.kind !== 'dictionary') return []
  const certification = await document.resolve(permissions.entries.get('DocMDP'))
  return certification.kind === 'dictionary' ? [certification] : []
}

async function checkSignature(document: PdfDocument, signature: PdfDictionary, locked: Set<string>): Promise<void> {
  for (const item of await listAt(document, signature, 'Reference')) {
    document.budget.spendSteps(1)
    const reference = await document.resolve(item)
    if (reference.kind !== 'dictionary') continue
    const method = await nameAt(document, reference, 'TransformMethod')
    const parameters = await document.resolve(reference.entries.get('TransformParams'))
    if (parameters.kind !== 'dictionary') continue
    if (method === 'DocMDP') await checkPermission(document, parameters)
    if (method === 'FieldMDP') await checkFieldLock(document, parameters, locked)
  }
}

/** §12.8.2.2 table 257: /P 1 allows no change at all; 2 (the default) and 3 allow signing. */
async function checkPermission(document: PdfDocument, holder: PdfDictionary): Promise<void> {
  if (wholeNumber(await document.resolve(holder.entries.get('P'))) !== 1) return
  throw new SigningError('signing/pdf-locked', 'the document is certified against any change')
}

/** §12.8.2.4: `All`, and `Exclude` with a list that cannot name the new field, lock every field that will come. */
async function checkFieldLock(document: PdfDocument, holder: PdfDictionary, locked: Set<string>): Promise<void> {
  const action = await nameAt(document, holder, 'Action')
  if (action === 'All' || action === 'Exclude') {
    throw new SigningError('signing/pdf-locked', 'an earlier signature locks all form fields, new ones included')
  }
  for (const item of await listAt(document, holder, 'Fields')) {
    const field = await document.resolve(item)
    if (field.kind === 'string') locked.add(decodeText(stringBytes(field.raw)))
  }
}
