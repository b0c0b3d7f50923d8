/**
 * What the sealing thread does with one request. Pure but for the digests that it keeps between requests.
 *
 * Regions: the main thread writes up to 1 MiB (16 chunks) of plaintext into a region of shared memory; sealing happens in
 * place. A sealed chunk is 28 bytes longer, so chunks are moved from the last to the first.
 */
import { createHash, randomBytes } from 'node:crypto'

import type { SegmentId } from '../ids.ts'
import {
  CHUNK_BYTES,
  chunkCount,
  KIND,
  nonceSource,
  openRun,
  plainSize,
  sealChunk,
  SEALED_CHUNK_BYTES,
  type ChunkKind,
} from './chunks.ts'
import { Crc32c } from './crc32c.ts'

export type DigestAlgorithm = 'sha1' | 'sha256' | 'crc32c'

interface CipherMessage {
  key: Uint8Array
  segmentId: SegmentId
}

export type SealingRequest =
  | {
      kind: 'seal'
      cipher: CipherMessage
      /** index of the first chunk, and kind of the final one */
      first: number
      end: ChunkKind
      memory: SharedArrayBuffer
      /** where the region begins, and how much plaintext it holds */
      at: number
      length: number
    }
  /** feeds running digests with the plaintext of a region */
  | { kind: 'feed'; names: readonly string[]; memory: SharedArrayBuffer; at: number; length: number }
  | { kind: 'sha256'; memory: SharedArrayBuffer; length: number }
  | { kind: 'open'; cipher: CipherMessage; first: number; end: ChunkKind; sealed: ArrayBuffer }
  | DigestRequest

type DigestRequest =
  | { kind: 'digest-start'; name: string; algorithm: DigestAlgorithm }
  | { kind: 'digest-copy'; name: string; to: string }
  | { kind: 'digest-end'; name: string }
  | { kind: 'digest-drop'; name: string }

/** Number of bytes written, a digest in hex, opened plaintext, or nothing (also: no such digest). */
export type SealingResult = number | string | ArrayBuffer | null

/** The desk of one thread. `answer` throws StorageError `storage/object-damaged` for a chunk that does not open. */
export function createSealingDesk(): { answer(request: SealingRequest): SealingResult } {
  const digests = new Map<string, RunningDigest>()
  const nonces = nonceSource(randomBytes)

  const seal = (request: Extract<SealingRequest, { kind: 'seal' }>): number => {
    const region = Buffer.from(request.memory, request.at)
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
    const sealed = new Uint8Array(request.sealed)
    const plain = Buffer.allocUnsafeSlow(plainSize(sealed.length))
    openRun(request.cipher, { first: request.first, end: request.end, sealed }, plain)
    return plain.buffer
  }

  const keep = (request: DigestRequest): SealingResult => {
    const digest = digests.get(request.name)
    switch (request.kind) {
      case 'digest-start':
        digests.set(request.name, startDigest(request.algorithm))
        return null
      case 'digest-copy': {
        const copied = digest?.copy?.()
        if (copied) digests.set(request.to, copied)
        return null
      }
      case 'digest-end':
        digests.delete(request.name)
        return digest?.digest().toString('hex') ?? null
      case 'digest-drop':
        digests.delete(request.name)
        return null
    }
  }

  const feed = (request: Extract<SealingRequest, { kind: 'feed' }>): null => {
    const plain = Buffer.from(request.memory, request.at, request.length)
    for (const name of request.names) digests.get(name)?.update(plain)
    return null
  }

  const answer = (request: SealingRequest): SealingResult => {
    switch (request.kind) {
      case 'seal':
        return seal(request)
      case 'open':
        return open(request)
      case 'feed':
        return feed(request)
      case 'sha256':
        return createHash('sha256')
          .update(Buffer.from(request.memory, 0, request.length))
          .digest('hex')
      default:
        return keep(request)
    }
  }
  return { answer }
}

interface RunningDigest {
  update(bytes: Uint8Array): unknown
  digest(): Buffer
  copy?: () => RunningDigest
}

function startDigest(algorithm: DigestAlgorithm): RunningDigest {
  return algorithm === 'crc32c' ? new Crc32c() : createHash(algorithm)
}
