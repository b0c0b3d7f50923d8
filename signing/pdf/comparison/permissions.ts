/**
 * What a signature allows to be done to the document after it (ISO 32000-2 §12.8.2, §12.7.5.5).
 */
import type { PdfDocument } from '../document.ts'
import { decodeText } from '../fields.ts'
import type { Revision } from '../revisions/revisions.ts'
import { stringBytes, wholeNumber } from '../values.ts'
import type { PdfDictionary, PdfValue } from '../values.ts'
import { dictionaryOf, itemsOf, nameOf } from './objects.ts'

export interface Permissions {
  /** 1 nothing, 2 forms and signatures, 3 annotations too; null: nobody said */
  level: 1 | 2 | 3 | null
  /** that the signature itself puts on fields; empty: none */
  locks: readonly FieldLock[]
}

export interface FieldLock {
  action: 'All' | 'Include' | 'Exclude'
  /** fully qualified names */
  fields: readonly string[]
}

/** Of a signature in the revision that it closes: its own rules, and the certification that it came under. */
export async function readPermissions(
  { document }: Revision,
  signature: PdfDictionary,
  field: PdfDictionary,
): Promise<Permissions> {
  const catalog = await dictionaryOf(document, document.trailer.entries.get('Root'))
  const permissions = await dictionaryOf(document, catalog?.entries.get('Perms'))
  const certification = await dictionaryOf(document, permissions?.entries.get('DocMDP'))
  const own = await transformsOf(document, signature)
  const above = certification === null ? [] : await transformsOf(document, certification)
  const levels = [...own, ...above].flatMap(({ method, parameters }) =>
    method === 'DocMDP' ? [levelOf(parameters?.entries.get('P')) ?? 2] : [],
  )
  const lock = await dictionaryOf(document, field.entries.get('Lock'))
  const locks = own.filter(({ method }) => method === 'FieldMDP').map(({ parameters }) => parameters)
  const lockLevel = levelOf(lock?.entries.get('P'))
  if (lockLevel !== null) levels.push(lockLevel)
  if (lock !== null) locks.push(lock)
  return {
    level: levels.length === 0 ? null : (Math.min(...levels) as 1 | 2 | 3),
    locks: await Promise.all(locks.map((entries) => readLock(document, entries))),
  }
}

export function isLocked({ locks }: Permissions, field: string): boolean {
  return locks.some(({ action, fields }) => {
    if (action === 'All') return true
    const isNamed = fields.some((name) => field === name || field.startsWith(`${name}.`))
    return action === 'Include' ? isNamed : !isNamed
  })
}

interface Transform {
  method: string | null
  parameters: PdfDictionary | null
}

async function transformsOf(document: PdfDocument, signature: PdfDictionary): Promise<Transform[]> {
  const found: Transform[] = []
  for (const item of (await itemsOf(document, signature.entries.get('Reference'))).slice(0, MAX_TRANSFORMS)) {
    const reference = await dictionaryOf(document, item)
    if (reference === null) continue
    found.push({
      method: await nameOf(document, reference.entries.get('TransformMethod')),
      parameters: await dictionaryOf(document, reference.entries.get('TransformParams')),
    })
  }
  return found
}

/** Table 257: what is no level counts as the strictest. */
function levelOf(value: PdfValue | undefined): 1 | 2 | 3 | null {
  if (value === undefined) return null
  const level = wholeNumber(value)
  return level === 2 || level === 3 ? level : 1
}

/** A lock that cannot be read is one on everything. */
async function readLock(document: PdfDocument, lock: PdfDictionary | null): Promise<FieldLock> {
  const action = await nameOf(document, lock?.entries.get('Action'))
  if (action !== 'Include' && action !== 'Exclude') return { action: 'All', fields: [] }
  const names = await itemsOf(document, lock?.entries.get('Fields'))
  const fields = names.flatMap((item) => (item.kind === 'string' ? [decodeText(stringBytes(item.raw))] : []))
  return { action, fields }
}

const MAX_TRANSFORMS = 100
