/**
 * A document and the updates that were appended to it so far. The updates are in memory, the document is not; it is
 * hashed once, however many signatures and time-stamps cover it.
 */
import { appendedAccess, piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { digestRanges, hashedDocument } from './digests.ts'
import type { HashedDocument, Ranges } from './digests.ts'
import { openDocument } from './document.ts'
import type { OpenOptions, PdfDocument } from './document.ts'

export interface GrowingDocument {
  /** before all updates */
  original: HashedDocument
  /** with all updates */
  current(): RandomAccess
  /** what was appended */
  added(): Buffer
  /** null changes nothing */
  append(update: Buffer | null): void
  /** as it is now */
  open(): Promise<PdfDocument>
  digest(ranges: Ranges, algorithm: string): Promise<Buffer>
  /** as it is now, from its first byte; may be read again */
  bytes(): AsyncIterable<Buffer>
}

export function growingDocument(source: RandomAccess, options: OpenOptions): GrowingDocument {
  const original = hashedDocument(source)
  let added = Buffer.alloc(0)
  let current = source
  return {
    original,
    current: () => current,
    added: () => added,
    append(update) {
      if (update === null) return
      added = Buffer.concat([added, update])
      current = appendedAccess(source, added)
    },
    open: () => openDocument(current, options),
    digest: (ranges, algorithm) => digestRanges(current, ranges, algorithm, original),
    bytes() {
      const now = current
      return { [Symbol.asyncIterator]: () => piecesOf(now) }
    },
  }
}
