/**
 * What the sealing thread does with one request. Pure but for the digests that it keeps between requests.
 *
 * Regions: the main thread writes up to 1 MiB (16 chunks) of plaintext into a region of shared memory; sealing happens in
 * place. A sealed chunk is 28 bytes longer, so chunks are moved from the last to the first. Opening happens in place as
 * well, from the first to the last, in memory that is moved here and back.
 */
import { createHash, randomBytes } from 'node:crypto'

import type { SegmentId } from '../ids.ts'
import {
  CHUNK_BYTES,
  chunkCount,
  KIND,
  nonceSource,
  openRun,
  sealChunk,
  SEALED_CHUNK_BYTES,
  type ChunkKind,
} from './chunks.ts'
import { keptDigests, type DigestRequest } from './kept-digests.ts'

interface CipherMessage {
  key: Uint8Array
  segmentId: SegmentId
}

/** Shared memory; null on the way between threads, see sealer.ts. */
type Memory = SharedArrayBuffer | null

export type SealingRequest =
  | {
      kind: 'seal'
      cipher: CipherMessage
      /** index of the first chunk, and kind of the final one */
      first: number
      end: ChunkKind
      memory: Memory
      /** where the region begins, and how much plaintext it holds */
      at: number
      length: number
    }
  /** feeds running digests with the plaintext of a region */
  | { kind: 'feed'; names: readonly string[]; memory: Memory; at: number; length: number }
  | { kind: 'sha256'; memory: Memory; length: number }
  /** opens the chunks in the first `length` bytes in place; the memory is the answer */
  | { kind: 'open'; cipher: CipherMessage; first: number; end: ChunkKind; moved: ArrayBuffer; length: number }
  | DigestRequest

/** Number of bytes written, a digest in hex, memory with opened plaintext, or nothing (also: no such digest). */
export type SealingResult = number | string | ArrayBuffer | null

/** The desk of one thread. `answer` throws StorageError `storage/object-damaged` for a chunk that does not open. */
export function createSealingDesk(): { answer(request: SealingRequest): SealingResult } {
  const digests = keptDigests()
  const nonces = nonceSource(randomBytes)

  const seal = (request: Extract<SealingRequest, { kind: 'seal' }>): number => {
    const region = bytesOf(request.memory, request.at)
    const count = chunkCount(request.length)
    let written = 0
    for (let i = count - 1; i >= 0; i--) {
      const kind = i === count - 1 ? request.end : KIND.more
      const plain = region.subarray(i * CHUNK_BYTES, Math.min((i + 1) * CHUNK_BYTES, request.length))
      const chunk = { index: request.first + i, kind, nonce: nonces(), plain }
      written += sealChunk(request.cipher, chunk, region, i * SEALED_CHUNK_BYTES)
    }
    return written
  }

  const open = (request: Extract<SealingRequest, { kind: 'open' }>): ArrayBuffer => {
    const sealed = new Uint8Array(request.moved, 0, request.length)
    openRun(request.cipher, { first: request.first, end: request.end, sealed }, sealed)
    return request.moved
  }

  const answer = (request: SealingRequest): SealingResult => {
    switch (request.kind) {
      case 'seal':
        return seal(request)
      case 'open':
        return open(request)
      case 'feed':
        digests.feed(request.names, bytesOf(request.memory, request.at, request.length))
        return null
      case 'sha256':
        return createHash('sha256')
          .update(bytesOf(request.memory, 0, request.length))
          .digest('hex')
      case 'digest-start':
      case 'digest-copy':
      case 'digest-end':
      case 'digest-drop':
        return digests.answer(request)
    }
  }
  return { answer }
}

function bytesOf(memory: Memory, at: number, length?: number): Buffer {
  if (memory === null) throw new TypeError('no memory was named')
  return Buffer.from(memory, at, length)
}
