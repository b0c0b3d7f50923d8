/**
 * Which segment a writer goes on with.
 *
 * After a writer that ended without saying so, the last segment is left as it is ("cut" at its last recorded part) and a
 * new one takes its tail over: what a late writer may still send then lands where nobody counts it.
 */
import { CHUNK_BYTES, KIND, openRun, sealedSize } from '../cipher/chunks.ts'
import { StorageError } from '../errors.ts'
import type { ObjectId } from '../ids.ts'
import type { ByteDeps } from '../segments/deps.ts'
import { contentRow, keyOf, newSegment, segmentsOf, type Segment } from '../segments/segment-rows.ts'
import type { HeldLease } from './held-lease.ts'
import type { UploadRow } from './upload-rows.ts'

export interface WritingOrder {
  lease: HeldLease
  row: UploadRow
  /** names of running digests for the new bytes */
  digests: readonly string[]
  /** no byte will follow: the last chunk has to be written once more, flagged as last */
  closing: boolean
}

export interface Plan {
  /** the segment that is written: the last one, or a new one */
  current: Segment
  key: Uint8Array
  goesOn: boolean
  /** the segments before it that stay, and their plaintext bytes */
  kept: Segment[]
  base: number
  /** the last segment when a new one follows it: cut, or dropped when no part of it is finished */
  retired: Segment | null
  /** plaintext of the tail so far */
  carried: Buffer
  oldTail: ObjectId | null
}

export async function planWriting(deps: ByteDeps, order: WritingOrder): Promise<Plan> {
  const db = deps.database.kysely
  const { row, lease } = order
  const content = await contentRow(db, row.contentId)
  const segments = await segmentsOf(db, row.contentId)
  const last = segments.at(-1)
  if (!content || !last) throw new StorageError('storage/upload-gone', 'the upload lost its content')
  const scopeKey = await deps.keyRing.scopeKey(db, content.scopeId)
  const carried = await openTail(deps, scopeKey, last)
  // Its last chunk is sealed as "more follows" already, and nothing is left to follow it.
  const needsAnEnd = order.closing && carried.length === 0 && last.parts > 0
  const goesOn = !lease.dirty && !last.cut && !needsAnEnd
  const kept = segments.filter((segment) => segment !== last || (!goesOn && !isEmpty(last)))
  const { segment: current, key } = goesOn
    ? { segment: last, key: keyOf(deps.keyRing, scopeKey, last) }
    : newSegment(deps, scopeKey, kept.length)
  const base = kept.reduce((sum, { plainSize }) => sum + plainSize, 0)
  const retired = goesOn ? null : last
  return { current, key, goesOn, kept, base, retired, carried, oldTail: last.tail?.objectId ?? null }
}

/** No part of it is finished. */
export function isEmpty(segment: Segment): boolean {
  return segment.parts === 0
}

async function openTail(deps: ByteDeps, scopeKey: Buffer, segment: Segment): Promise<Buffer> {
  if (segment.tail === null) return Buffer.alloc(0)
  const key = keyOf(deps.keyRing, scopeKey, segment)
  const reader = await deps.objects.open(segment.tail.objectId)
  try {
    if (reader.size !== sealedSize(segment.tail.length)) {
      throw new StorageError('storage/object-damaged', 'a tail has another length')
    }
    const sealed = Buffer.alloc(reader.size)
    await reader.read(0, sealed)
    const plain = Buffer.alloc(segment.tail.length)
    const first = segment.plainSize / CHUNK_BYTES
    openRun({ key, segmentId: segment.id }, { first, end: KIND.tail, sealed }, plain)
    return plain
  } finally {
    await reader.close()
  }
}
