/**
 * Sealing and opening of chunks: 64 KiB of plaintext, AES-256-GCM (NIST SP 800-38D), a random nonce each.
 *
 * Layout: storage/FORMAT.md, "Chunks". A sealed chunk is nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes); what it is
 * bound to is segment id ‖ chunk index ‖ kind. Knows no keys by name and no storage; see key-ring.ts and objects/.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

import { StorageError } from '../errors.ts'
import type { SegmentId } from '../ids.ts'
import type { Random } from '../world.ts'
import { release } from './release.ts'

export const CHUNK_BYTES = 65_536
const NONCE_BYTES = 12
const TAG_BYTES = 16
const CHUNK_OVERHEAD = NONCE_BYTES + TAG_BYTES
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + CHUNK_OVERHEAD

/** 0 more follows, 1 the last of its segment, 2 the end of a tail, which never opens as content. */
export const KIND = { more: 0, last: 1, tail: 2 } as const
export type ChunkKind = (typeof KIND)[keyof typeof KIND]

/** Chunks of a segment with `plainBytes` of plaintext; an empty segment is one empty chunk. */
export function chunkCount(plainBytes: number): number {
  return Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES))
}

/** Sealed size of a segment, or of a tail, with `plainBytes` of plaintext. */
export function sealedSize(plainBytes: number): number {
  return plainBytes + chunkCount(plainBytes) * CHUNK_OVERHEAD
}

/** What chunks of one segment are sealed and opened with. */
export interface SegmentCipher {
  /** 32 bytes */
  key: Uint8Array
  segmentId: SegmentId
}

/**
 * Seals one chunk into `out` at `at` and returns how many bytes it wrote.
 *
 * @param plain at most 64 KiB; less only for the last chunk of a segment or tail
 * @param nonce 12 bytes never used before with this key
 */
export function sealChunk(
  cipher: SegmentCipher,
  chunk: { index: number; kind: ChunkKind; nonce: Uint8Array; plain: Uint8Array },
  out: Buffer,
  at = 0,
): number {
  // NIST SP 800-38D §8.2.2: a 96-bit random nonce; one key per segment keeps their number far below the bound of §8.3
  const gcm = createCipheriv('aes-256-gcm', cipher.key, chunk.nonce)
  gcm.setAAD(associatedData(cipher.segmentId, chunk.index, chunk.kind))
  const body = gcm.update(chunk.plain)
  gcm.final()
  out.set(chunk.nonce, at)
  // `fill` copies by memcpy also into shared memory, where `set` and `copy` do not.
  if (body.length > 0) out.fill(body, at + NONCE_BYTES, at + NONCE_BYTES + body.length)
  const { length } = body
  out.set(gcm.getAuthTag(), at + NONCE_BYTES + length)
  release(body)
  return length + CHUNK_OVERHEAD
}

/**
 * Opens one sealed chunk. Returns plaintext only when the tag holds.
 *
 * @throws StorageError `storage/object-damaged` altered, cut, in another place, of another segment, or of another kind
 */
function openChunk(cipher: SegmentCipher, chunk: { index: number; kind: ChunkKind; sealed: Uint8Array }): Buffer {
  const { sealed, index } = chunk
  if (sealed.length < CHUNK_OVERHEAD || sealed.length > SEALED_CHUNK_BYTES) throw damaged(index)
  const end = sealed.length - TAG_BYTES
  const gcm = createDecipheriv('aes-256-gcm', cipher.key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  gcm.setAAD(associatedData(cipher.segmentId, index, chunk.kind))
  gcm.setAuthTag(sealed.subarray(end))
  const plain = gcm.update(sealed.subarray(NONCE_BYTES, end))
  try {
    gcm.final()
  } catch (cause) {
    plain.fill(0)
    throw damaged(index, cause)
  }
  return plain
}

export interface ChunkRun {
  /** index of the first chunk */
  first: number
  /** kind of the final chunk; all before it are of kind "more" */
  end: ChunkKind
}

/** Seals `plain` as consecutive chunks into `out` at `at`; an empty run is one empty chunk. Returns bytes written. */
export function sealRun(
  cipher: SegmentCipher,
  run: ChunkRun & { plain: Uint8Array; nonces: NonceSource },
  out: Buffer,
  at = 0,
): number {
  const count = chunkCount(run.plain.length)
  let written = 0
  for (let i = 0; i < count; i++) {
    const plain = run.plain.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)
    const kind = i === count - 1 ? run.end : KIND.more
    written += sealChunk(cipher, { index: run.first + i, kind, nonce: run.nonces(), plain }, out, at + written)
  }
  return written
}

/**
 * Opens consecutive sealed chunks into `out` and returns bytes written. `out` may be where the sealed ones lie: plaintext
 * is shorter, so what is written never reaches a chunk that is still to be opened.
 *
 * @throws StorageError `storage/object-damaged`; chunks before the damaged one may then lie in `out`
 */
export function openRun(cipher: SegmentCipher, run: ChunkRun & { sealed: Uint8Array }, out: Uint8Array): number {
  const count = Math.max(1, Math.ceil(run.sealed.length / SEALED_CHUNK_BYTES))
  let written = 0
  for (let i = 0; i < count; i++) {
    const sealed = run.sealed.subarray(i * SEALED_CHUNK_BYTES, (i + 1) * SEALED_CHUNK_BYTES)
    const plain = openChunk(cipher, { index: run.first + i, kind: i === count - 1 ? run.end : KIND.more, sealed })
    out.set(plain, written)
    written += plain.length
    release(plain)
  }
  return written
}

/** Gives 12 random bytes at each call. */
export type NonceSource = () => Uint8Array

/** Draws randomness by the page: asking the generator for 12 bytes at a time is slow. */
export function nonceSource(random: Random): NonceSource {
  const page = NONCE_BYTES * 512
  let bytes: Buffer = Buffer.alloc(0)
  let at = page
  return () => {
    if (at >= page) {
      bytes = random(page)
      at = 0
    }
    at += NONCE_BYTES
    return bytes.subarray(at - NONCE_BYTES, at)
  }
}

/** FORMAT.md, "Chunks": segment id (16 bytes) ‖ index (8 bytes, big endian) ‖ kind (1 byte). */
function associatedData(segmentId: SegmentId, index: number, kind: ChunkKind): Buffer {
  const data = Buffer.alloc(25)
  data.write(segmentId.replaceAll('-', ''), 0, 'hex')
  data.writeUInt32BE(Math.floor(index / 2 ** 32), 16)
  data.writeUInt32BE(index % 2 ** 32, 20)
  data.writeUInt8(kind, 24)
  return data
}

function damaged(index: number, cause?: unknown): StorageError {
  return new StorageError('storage/object-damaged', `chunk ${index} does not open`, cause)
}
