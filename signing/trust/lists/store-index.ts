/** The index of stored lists: JSON that is read strictly, because anybody may have carried it here. */
import { SigningError } from '../../errors.ts'

export interface StoreEntry {
  role: 'lotl' | 'pivot' | 'national'
  territory: string
  sequence: number
  sha256: string
  location: string
  retrievedAt: Date | null
  /** as the list says; null: it is closed; undefined: written before this was noted. Tells when to look, proves nothing */
  nextUpdate: Date | null | undefined
  /** false: kept to explain former answers */
  present: boolean
}

export function writeIndex(entries: readonly StoreEntry[]): Buffer {
  return Buffer.from(`${JSON.stringify({ version: 1, lists: entries }, null, 1)}\n`, 'utf8')
}

/** @throws SigningError `signing/trust-store-damaged` */
export function readIndex(bytes: Buffer): StoreEntry[] {
  if (bytes.length > MAX_BYTES) throw damaged('it is too large')
  const value = parseJson(bytes)
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['lists'])) throw damaged('another structure')
  return value['lists'].map(readEntry)
}

function readEntry(value: unknown): StoreEntry {
  if (!isRecord(value)) throw damaged('an entry is no object')
  const { role, sequence, present } = value
  if (role !== 'lotl' && role !== 'pivot' && role !== 'national') throw damaged('a role')
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence)) throw damaged('a sequence number')
  if (typeof present !== 'boolean') throw damaged('what is present')
  const territory = matching(value['territory'], /^[A-Z]{2}$/)
  const sha256 = matching(value['sha256'], /^[0-9a-f]{64}$/)
  const location = matching(value['location'], /^.{1,2000}$/)
  const [retrievedAt, announced] = [readTime(value['retrievedAt']), value['nextUpdate']]
  const nextUpdate = announced === undefined ? undefined : readTime(announced)
  return { role, territory, sequence, sha256, location, present, retrievedAt, nextUpdate }
}

function matching(value: unknown, pattern: RegExp): string {
  if (typeof value === 'string' && pattern.test(value)) return value
  throw damaged(`a text is not like ${pattern.source}`)
}

function readTime(value: unknown): Date | null {
  if (value === null) return null
  const at = typeof value === 'string' ? new Date(value) : null
  if (at === null || Number.isNaN(at.getTime())) throw damaged('a time')
  return at
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw damaged('it is no JSON', cause)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function damaged(what: string, cause?: unknown): SigningError {
  return new SigningError('signing/trust-store-damaged', `the index of trusted lists is damaged: ${what}`, { cause })
}

const MAX_BYTES = 8 * 1024 * 1024
