/**
 * Contents: byte strings that are sealed at rest, written once and read whole, in ranges or at random.
 *
 * Bytes come before the row on the way in: `put` seals and stores, `commit` writes the row inside the caller's transaction.
 * Layout: FORMAT.md. What the bytes mean (a version of a file, a message) is for the caller to know.
 */
import { Readable } from 'node:stream'

import { StorageError } from './errors.ts'
import { newRowId, type ContentId, type ScopeId } from './ids.ts'
import type { Db } from './metadata/schema.ts'
import { createContentReader, type ContentReader } from './segments/content-reader.ts'
import { writeContent } from './segments/content-writer.ts'
import type { ByteDeps } from './segments/deps.ts'
import { deleteSegments } from './segments/removal.ts'
import {
  contentRow,
  insertContent,
  keyOf,
  saveSegment,
  segmentsOf,
  type ContentRow,
  type Segment,
} from './segments/segment-rows.ts'
import { SMALL_BYTES, smallStore } from './segments/small.ts'

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
  /** Opens nothing before it is read from. */
  stream: Readable
  /**
   * The same plaintext for those who pass it on at once; instead of `stream`, not beside it. Each piece is only lent: its
   * memory is used again when the next one is asked for. Faults as those of `stream`.
   */
  lend(): AsyncGenerator<Buffer, void, undefined>
}

export interface RandomAccess {
  size: number
  /** Reads up to `length` bytes at `position`; fewer only at the end. */
  read(position: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

export function createContents(deps: ByteDeps): Contents {
  const storeSmall = smallStore(deps)
  const { database, keyRing } = deps

  const store = async (scope: ScopeId, source: AsyncIterable<Uint8Array> | Uint8Array, maxBytes: number) => {
    const scopeKey = await keyRing.scopeKey(database.kysely, scope)
    if (!(source instanceof Uint8Array) || source.length > SMALL_BYTES) {
      const pieces = source instanceof Uint8Array ? [source] : source
      return writeContent(deps, { scopeKey, maxBytes }, pieces)
    }
    if (source.length > maxBytes) throw new StorageError('storage/size-exceeded', `more than ${maxBytes} bytes`)
    const { segment, sha256 } = await storeSmall(scopeKey, source)
    return { segment, sha256, size: source.length }
  }

  const openReader = async (id: ContentId): Promise<{ row: ContentRow; reader: ContentReader }> => {
    const row = await contentRow(database.kysely, id)
    if (row === null || row.state === 'open') throw new StorageError('storage/not-found', 'no such content')
    if (row.state !== 'whole') throw new StorageError('storage/key-destroyed', 'the key of this content was destroyed')
    const scopeKey = await keyRing.scopeKey(database.kysely, row.scopeId)
    const segments = await segmentsOf(database.kysely, id)
    const readable = segments.map((segment) => ({
      cipher: { key: keyOf(keyRing, scopeKey, segment), segmentId: segment.id },
      objectId: segment.objectId,
      plainSize: segment.plainSize,
      cut: segment.cut,
    }))
    return { row, reader: createContentReader({ objects: deps.objects, lane: deps.sealer.lane(id) }, readable) }
  }

  return {
    put: async (scope, source, limits) => {
      const stored = await store(scope, source, limits?.maxBytes ?? Number.MAX_SAFE_INTEGER)
      return storedContent(deps, scope, stored)
    },
    open: async (id, range) => {
      const { row, reader } = await openReader(id)
      const { start, end } = range ?? { start: 0, end: reader.size }
      if (!(start >= 0 && start <= end && end <= reader.size)) {
        await reader.close()
        throw new StorageError('storage/bad-value', `range ${start}-${end} of ${reader.size}`)
      }
      return { size: row.size, sha256: row.sha256, ...plaintextOf(reader, start, end) }
    },
    randomAccess: async (id) => {
      const { reader } = await openReader(id)
      return {
        size: reader.size,
        read: async (position, length) => {
          const pieces: Buffer[] = []
          const end = Math.min(reader.size, position + length)
          for await (const piece of reader.stream(Math.min(position, end), end)) pieces.push(piece)
          return Buffer.concat(pieces)
        },
        close: () => reader.close(),
      }
    },
  }
}

function storedContent(
  deps: ByteDeps,
  scope: ScopeId,
  stored: { segment: Segment; sha256: string; size: number },
): StoredContent {
  const contentId = newRowId<ContentId>(deps)
  return {
    contentId,
    size: stored.size,
    sha256: stored.sha256,
    commit: async (db) => {
      await insertContent(
        db,
        { id: contentId, scope, size: stored.size, sha256: stored.sha256, state: 'whole' },
        deps.clock(),
      )
      await saveSegment(db, contentId, stored.segment)
    },
    discard: () => deleteSegments(deps.objects, [stored.segment]),
  }
}

function plaintextOf(reader: ContentReader, start: number, end: number): Pick<OpenContent, 'stream' | 'lend'> {
  const whole = closing(reader, reader.stream(start, end))
  return {
    stream: Readable.from(whole, { objectMode: false, highWaterMark: 1 << 20 }),
    lend: () => closing(reader, reader.lend(start, end)),
  }
}

/** The pieces, and the reader closed after them. */
async function* closing(
  reader: ContentReader,
  pieces: AsyncGenerator<Buffer, void, undefined>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* pieces
  } finally {
    await reader.close()
  }
}
