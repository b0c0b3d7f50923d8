/**
 * Contents: byte strings that are sealed at rest, written once and read whole, in ranges or at random.
 *
 * Bytes come before the row on the way in: `put` seals and stores, `commit` writes the row inside the caller's transaction.
 * Layout: FORMAT.md. What the bytes mean (a version of a file, a message) is for the caller to know.
 */
import type { Readable } from 'node:stream'

import type { ContentId, ScopeId } from './ids.ts'
import type { Db } from './metadata/schema.ts'

export interface Contents {
  /**
   * Seals and stores a byte string of any size. It does not exist until `commit` ran in a committed transaction.
   * When `source` fails, nothing is left behind and its error is thrown on.
   *
   * @param limits.maxBytes refuse more than this many plaintext bytes
   * @throws StorageError `storage/size-exceeded`, `storage/disk-full`, `storage/objects-unavailable`,
   *   `storage/key-destroyed`, `storage/not-found` (no such scope)
   */
  put(
    scope: ScopeId,
    source: AsyncIterable<Uint8Array> | Uint8Array,
    limits?: { maxBytes: number },
  ): Promise<StoredContent>
  /**
   * Opens plaintext. Only the chunks that `range` touches are read and opened. A chunk that fails ends the stream with
   * an error; nothing of it is handed out.
   *
   * @param range byte positions, `end` exclusive; must lie within the content (`storage/bad-value`)
   * @throws StorageError `storage/not-found`, `storage/key-destroyed`, `storage/wrong-key`, `storage/object-absent`;
   *   the stream fails with `storage/object-damaged`, `storage/object-absent`, `storage/objects-unavailable`
   */
  open(id: ContentId, range?: ByteRange): Promise<OpenContent>
  /** Opens plaintext for reads in any order; `close` it. Faults as `open`. */
  randomAccess(id: ContentId): Promise<RandomAccess>
}

export interface ByteRange {
  start: number
  /** exclusive */
  end: number
}

export interface StoredContent {
  contentId: ContentId
  /** plaintext bytes */
  size: number
  /** of the plaintext, hex */
  sha256: string
  /** Writes the rows; call inside the transaction that makes use of the content. */
  commit(db: Db): Promise<void>
  /** Deletes the bytes again when `commit` was not reached or rolled back. */
  discard(): Promise<void>
}

export interface OpenContent {
  /** plaintext bytes of the whole content, whatever the range */
  size: number
  /** of the whole content, hex; null = not known yet */
  sha256: string | null
  stream: Readable
}

export interface RandomAccess {
  size: number
  /** Reads up to `length` bytes at `position`; fewer only at the end. */
  read(position: number, length: number): Promise<Buffer>
  close(): Promise<void>
}
