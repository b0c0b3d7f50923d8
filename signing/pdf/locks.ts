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

export interface Restrictions {
  /** certified, with further signatures allowed */
  isCertified: boolean
  /** may no earlier signature's lock break when this field changes? By fully qualified name */
  isLocked(field: string): boolean
  /** every field that is not there yet is locked */
  locksNewFields: boolean
}

/**
 * What earlier signatures lock.
 *
 * @throws SigningError `signing/pdf-locked` no further signature is allowed
 */
export async function readRestrictions(document: PdfDocument, form: Form): Promise<Restrictions> {
  const found: Found = { isCertified: false, locks: [] }
  for (const signature of await certifications(document, form)) await readSignature(document, signature, found)
  for (const { field, value } of form.signatures) {
    await readSignature(document, value, found)
    const lock = await document.resolve(field.entries.get('Lock'))
    if (lock.kind !== 'dictionary') continue
    await readLock(document, lock, found)
    await checkPermission(document, lock)
  }
  const { isCertified, locks } = found
  return {
    isCertified,
    isLocked: (field) => locks.some((lock) => locksField(lock, field)),
    // `Exclude` with a list cannot name a field that will come
    locksNewFields: locks.some(({ action }) => action !== 'Include'),
  }
}

interface Found {
  isCertified: boolean
  locks: Lock[]
}

/** §12.8.2.4 table 259 */
interface Lock {
  action: 'All' | 'Include' | 'Exclude'
  fields: string[]
}

/** A name stands for the fields below it too. */
function locksField({ action, fields }: Lock, field: string): boolean {
  if (action === 'All') return true
  const isListed = fields.some((name) => field === name || field.startsWith(`${name}.`))
  return isListed === (action === 'Include')
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

async function readSignature(document: PdfDocument, signature: PdfDictionary, found: Found): Promise<void> {
  for (const item of await listAt(document, signature, 'Reference')) {
    document.budget.spendSteps(1)
    const reference = await document.resolve(item)
    if (reference.kind !== 'dictionary') continue
    const method = await nameAt(document, reference, 'TransformMethod')
    if (method === 'DocMDP') found.isCertified = true
    const parameters = await document.resolve(reference.entries.get('TransformParams'))
    if (parameters.kind !== 'dictionary') continue
    // Acrobat writes /P into those of FieldMDP as well
    if (method === 'DocMDP' || method === 'FieldMDP') await checkPermission(document, parameters)
    if (method === 'FieldMDP') await readLock(document, parameters, found)
  }
}

/** §12.8.2.2 table 257: /P 1 allows no change at all; 2 (the default) and 3 allow signing. */
async function checkPermission(document: PdfDocument, holder: PdfDictionary): Promise<void> {
  if (wholeNumber(await document.resolve(holder.entries.get('P'))) !== 1) return
  throw new SigningError('signing/pdf-locked', 'an earlier signature allows no change of the document')
}

async function readLock(document: PdfDocument, holder: PdfDictionary, { locks }: Found): Promise<void> {
  const action = (await nameAt(document, holder, 'Action')) ?? ''
  const fields: string[] = []
  for (const item of await listAt(document, holder, 'Fields')) {
    const field = await document.resolve(item)
    if (field.kind === 'string') fields.push(decodeText(stringBytes(field.raw)))
  }
  // an action that nobody knows may mean everything
  locks.push({ action: action === 'Include' || action === 'Exclude' ? action : 'All', fields })
}
