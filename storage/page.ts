/** Paging by key: a page starts after the last row seen, so that no listing slows down with its length. */
import { StorageError } from './errors.ts'

export interface PageRequest {
  /** `next` of the page before; absent or null = from the start */
  after?: string | null
  /** rows wanted, 1 to 1,000; absent = 100 */
  limit?: number
}

export interface Page<T> {
  items: T[]
  /** hand this in as `after`; null = this was the last page */
  next: string | null
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** @throws StorageError `storage/bad-value` outside of 1 to 1,000 */
export function pageLimit(page: PageRequest): number {
  const limit = page.limit ?? DEFAULT_LIMIT
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new StorageError('storage/bad-value', `a page has 1 to ${MAX_LIMIT} rows`)
}

/**
 * A page out of one row more than asked for: that one only says that there is a next page.
 *
 * @param cursor text that `after` takes for the page behind this row
 */
export function toPage<R, T>(rows: R[], limit: number, convert: (row: R) => T, cursor: (row: R) => string): Page<T> {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit).map(convert), next: last === undefined ? null : cursor(last) }
}

/** A cursor of several columns as one opaque text. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/**
 * Reads a cursor made by `encodeCursor` with as many texts as `count`; numbers come back as text.
 *
 * @returns null = from the start
 * @throws StorageError `storage/bad-value` not a cursor of ours
 */
export function decodeCursor(after: string | null | undefined, count: number): string[] | null {
  if (after === undefined || after === null) return null
  const parts = parseParts(Buffer.from(after, 'base64url').toString('utf8'))
  if (parts.length === count && parts.every((part) => !part.includes('\0'))) return parts
  throw new StorageError('storage/bad-value', 'not the end of a page')
}

function parseParts(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.map(String) : []
  } catch {
    return []
  }
}
