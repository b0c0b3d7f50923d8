/**
 * Reads plaintext out of the segments of a content: only the chunks that a range touches, several requests ahead.
 * Plaintext leaves only after its chunk's tag held. Sealed bytes are opened where they were read to.
 */
import { CHUNK_BYTES, chunkCount, KIND, SEALED_CHUNK_BYTES, sealedSize, type SegmentCipher } from '../cipher/chunks.ts'
import type { Lane } from '../cipher/sealer.ts'
import type { ObjectId } from '../ids.ts'
import type { ObjectReader, ObjectStore } from '../objects/object-store.ts'
import { createSpareMemory, noSpareMemory, type SpareMemory } from './spare-memory.ts'

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
  /**
   * As `stream`, but each piece is only lent: once the next one is asked for, its memory is written over. That memory is this
   * call's own, so what may be seen in it by mistake is never of another content.
   */
  lend(start: number, end: number): AsyncGenerator<Buffer, void, undefined>
  close(): Promise<void>
}

/** Opened plaintext and the memory that it lies in. */
interface Opened {
  plain: Buffer
  memory: ArrayBuffer
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

  const open = async (window: Window, spare: SpareMemory): Promise<Opened> => {
    const segment = segments[window.segment]
    if (!segment) throw new RangeError('no such segment')
    const { firstChunk, chunks } = window
    const total = sealedSize(segment.plainSize)
    const position = firstChunk * SEALED_CHUNK_BYTES
    const length = Math.min(chunks * SEALED_CHUNK_BYTES, total - position)
    const reader = await readers.of(segment.objectId)
    const sealed = spare.take(length)
    await reader.read(position, new Uint8Array(sealed, 0, length))
    const atEnd = firstChunk + chunks === chunkCount(segment.plainSize)
    const end = atEnd && !segment.cut ? KIND.last : KIND.more
    const memory = await lane.open(segment.cipher, { first: firstChunk, end }, sealed, length)
    const plain = Buffer.from(memory, window.from - firstChunk * CHUNK_BYTES, window.to - window.from)
    return { plain, memory }
  }

  const pieces = (start: number, end: number, spare: SpareMemory): AsyncGenerator<Buffer, void, undefined> => {
    const most = Math.max(1, Math.floor(objects.readAhead.bytes / CHUNK_BYTES))
    const windows = windowsOf(segments, { start, end }, most)
    return openAhead(windows, { requests: objects.readAhead.requests, spare, open })
  }

  return {
    size,
    stream: (start, end) => pieces(start, end, noSpareMemory),
    lend: (start, end) => pieces(start, end, createSpareMemory()),
    close: readers.close,
  }
}

/** Opens windows some requests ahead; what was lent goes back to `spare` when the next piece is asked for. */
async function* openAhead(
  windows: Iterator<Window, void, undefined>,
  how: { requests: number; spare: SpareMemory; open: (window: Window, spare: SpareMemory) => Promise<Opened> },
): AsyncGenerator<Buffer, void, undefined> {
  const { spare } = how
  const ahead: Promise<Opened>[] = []
  const fetchNext = (): void => {
    const next = windows.next()
    if (next.done === true) return
    const opening = how.open(next.value, spare)
    // It may fail while an earlier one is still waited for; it is met when its turn comes.
    opening.catch(() => undefined)
    ahead.push(opening)
  }
  for (let i = 0; i < how.requests; i++) fetchNext()
  try {
    for (let opening = ahead.shift(); opening; opening = ahead.shift()) {
      const { plain, memory } = await opening
      fetchNext()
      if (plain.length > 0) yield plain
      spare.give(memory)
    }
  } finally {
    // What is lent at this moment may still be in use: the garbage collector takes that.
    for (const result of await Promise.allSettled(ahead)) {
      if (result.status === 'fulfilled') spare.give(result.value.memory)
    }
    spare.end()
  }
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
