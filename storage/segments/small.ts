/** A small byte string sealed at once, on the calling thread, as one object: cheaper than asking another thread. */
import { createHash } from 'node:crypto'

import { CHUNK_BYTES, KIND, nonceSource, sealedSize, sealRun } from '../cipher/chunks.ts'
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
  return async (scopeKey, bytes) => {
    const { segment, key } = newSegment(deps, scopeKey, 0)
    const sealed = Buffer.allocUnsafeSlow(sealedSize(bytes.length))
    sealRun({ key, segmentId: segment.id }, { first: 0, end: KIND.last, plain: bytes, nonces }, sealed)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    await deps.objects.put(segment.objectId, sealed)
    return { segment: { ...segment, kind: 'single', plainSize: bytes.length }, sha256 }
  }
}
