/**
 * Reads plaintext out of the segments of a content: only the chunks that a range touches, several requests ahead.
 * Plaintext leaves only after its chunk's tag held.
 */
import { CHUNK_BYTES, chunkCount, KIND, SEALED_CHUNK_BYTES, sealedSize, type SegmentCipher } from '../cipher/chunks.ts'
import type { Lane } from '../cipher/sealer.ts'
import type { ObjectId } from '../ids.ts'
import type { ObjectReader, ObjectStore } from '../objects/object-store.ts'

export interface ReadableSegment {
  cipher: SegmentCipher
  objectId: ObjectId
  plainSize: number
  /** its last chunk is not flagged as last */
  cut: boolean
}

export interface ContentReader {
  /** plaintext bytes */
  size: number
  /** Plaintext from `start` to `end` (exclusive), in order, in pieces of some hundred KiB to some MiB. */
  stream(start: number, end: number): AsyncGenerator<Buffer, void, undefined>
  close(): Promise<void>
}

/** A run of chunks of one segment and the part of its plaintext that is wanted. */
interface Window {
  segment: number
  firstChunk: number
  chunks: number
  from: number
  to: number
}

export function createContentReader(
  deps: { objects: ObjectStore; lane: Lane },
  segments: readonly ReadableSegment[],
): ContentReader {
  const { objects, lane } = deps
  const readers = openedOnce(objects)
  const size = segments.reduce((sum, { plainSize }) => sum + plainSize, 0)

  const open = async (window: Window): Promise<Buffer> => {
    const segment = segments[window.segment]
    if (!segment) throw new RangeError('no such segment')
    const { firstChunk, chunks } = window
    const total = sealedSize(segment.plainSize)
    const position = firstChunk * SEALED_CHUNK_BYTES
    const length = Math.min(chunks * SEALED_CHUNK_BYTES, total - position)
    const sealed = await (await readers.of(segment.objectId)).read(position, length)
    const atEnd = firstChunk + chunks === chunkCount(segment.plainSize)
    const end = atEnd && !segment.cut ? KIND.last : KIND.more
    const plain = await lane.open(segment.cipher, { first: firstChunk, end }, sealed)
    return plain.subarray(window.from - firstChunk * CHUNK_BYTES, window.to - firstChunk * CHUNK_BYTES)
  }

  async function* stream(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    const windows = windowsOf(segments, { start, end }, Math.max(1, Math.floor(objects.readAhead.bytes / CHUNK_BYTES)))
    const ahead: Promise<Buffer>[] = []
    const fetchNext = (): void => {
      const next = windows.next()
      if (next.done === true) return
      const opening = open(next.value)
      // It may fail while an earlier one is still waited for; it is met when its turn comes.
      opening.catch(() => undefined)
      ahead.push(opening)
    }
    for (let i = 0; i < objects.readAhead.requests; i++) fetchNext()
    try {
      for (let opening = ahead.shift(); opening; opening = ahead.shift()) {
        const bytes = await opening
        fetchNext()
        if (bytes.length > 0) yield bytes
      }
    } finally {
      await Promise.allSettled(ahead)
    }
  }

  return { size, stream, close: readers.close }
}

/** Opens each object when it is first asked for, and keeps it open. */
function openedOnce(objects: ObjectStore) {
  const readers = new Map<ObjectId, Promise<ObjectReader>>()
  return {
    of: (id: ObjectId): Promise<ObjectReader> => {
      let reader = readers.get(id)
      if (!reader) {
        reader = objects.open(id)
        reader.catch(() => readers.delete(id))
        readers.set(id, reader)
      }
      return reader
    },
    close: async (): Promise<void> => {
      const opened = await Promise.allSettled([...readers.values()])
      readers.clear()
      for (const reader of opened) if (reader.status === 'fulfilled') await reader.value.close()
    },
  }
}

/** Cuts a range of the whole content into runs of at most `most` chunks. An empty content is one empty chunk. */
function* windowsOf(
  segments: readonly ReadableSegment[],
  range: { start: number; end: number },
  most: number,
): Generator<Window, void, undefined> {
  let begin = 0
  for (const [segment, { plainSize }] of segments.entries()) {
    const from = Math.max(range.start - begin, 0)
    const to = Math.min(range.end - begin, plainSize)
    begin += plainSize
    // The empty chunk proves that an empty content is the one that was written.
    const onlyEmpty = plainSize === 0 && segments.length === 1
    if (from >= to && !onlyEmpty) continue
    const endChunk = onlyEmpty ? 1 : Math.ceil(to / CHUNK_BYTES)
    for (let chunk = Math.floor(from / CHUNK_BYTES); chunk < endChunk; chunk += most) {
      const chunks = Math.min(most, endChunk - chunk)
      const start = Math.max(from, chunk * CHUNK_BYTES)
      yield { segment, firstChunk: chunk, chunks, from: start, to: Math.min(to, (chunk + chunks) * CHUNK_BYTES) }
    }
  }
}
