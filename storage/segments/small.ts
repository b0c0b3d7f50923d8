/** A small byte string sealed at once as one object: by the thread that writes it, or here where the store has none. */
import { createHash } from 'node:crypto'

import { CHUNK_BYTES, KIND, nonceSource, sealedSize, sealRun, type SegmentCipher } from '../cipher/chunks.ts'
import type { ObjectId } from '../ids.ts'
import type { ByteDeps } from './deps.ts'
import { newSegment, type Segment } from './segment-rows.ts'

/** The largest byte string that is stored this way: 1 MiB, one or two milliseconds of work. */
export const SMALL_BYTES = 16 * CHUNK_BYTES

export interface SmallStored {
  segment: Segment
  /** of the plaintext, hex */
  sha256: string
}

export type StoreSmall = (scopeKey: Buffer, bytes: Uint8Array) => Promise<SmallStored>

export function smallStore(deps: ByteDeps): StoreSmall {
  const nonces = nonceSource(deps.random)
  const sealHere = async (id: ObjectId, plain: Uint8Array, cipher: SegmentCipher): Promise<string> => {
    const sealed = Buffer.allocUnsafeSlow(sealedSize(plain.length))
    sealRun(cipher, { first: 0, end: KIND.last, plain, nonces }, sealed)
    await deps.objects.put(id, sealed)
    return createHash('sha256').update(plain).digest('hex')
  }
  return async (scopeKey, bytes) => {
    const { segment, key } = newSegment(deps, scopeKey, 0)
    const cipher = { key, segmentId: segment.id }
    const sealed = deps.objects.sealAndPut?.(segment.objectId, bytes, cipher)
    const sha256 = await (sealed ?? sealHere(segment.objectId, bytes, cipher))
    return { segment: { ...segment, kind: 'single', plainSize: bytes.length }, sha256 }
  }
}
