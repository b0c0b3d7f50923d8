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
      /** running digests to feed, each with the plaintext from this position of the region on */
      digests: { name: string; from: number }[]
    }
  | { kind: 'sha256'; memory: SharedArrayBuffer; length: number }
  | { kind: 'open'; cipher: CipherMessage; first: number; end: ChunkKind; sealed: ArrayBuffer }
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
    for (const { name, from } of request.digests) digests.get(name)?.update(region.subarray(from, request.length))
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

  const answer = (request: SealingRequest): SealingResult => {
    switch (request.kind) {
      case 'seal':
        return seal(request)
      case 'open':
        return open(request)
      case 'sha256':
        return createHash('sha256')
          .update(Buffer.from(request.memory, 0, request.length))
          .digest('hex')
      case 'digest-start':
        digests.set(request.name, startDigest(request.algorithm))
        return null
      case 'digest-copy': {
        const copied = digests.get(request.name)?.copy?.()
        if (copied) digests.set(request.to, copied)
        return null
      }
      case 'digest-end': {
        const digest = digests.get(request.name)
        digests.delete(request.name)
        return digest ? digest.digest().toString('hex') : null
      }
      case 'digest-drop':
        digests.delete(request.name)
        return null
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
