/** Removes the objects of segments. Their rows come first: see the callers. */
import type { ObjectStore } from '../objects/object-store.ts'
import type { Segment } from './segment-rows.ts'

/** Deletes whole objects, unfinished ones and tails; may be repeated. */
export async function deleteSegments(objects: ObjectStore, segments: readonly Segment[]): Promise<void> {
  for (const segment of segments) {
    // A segment in parts of which no part is recorded may have been begun without its row knowing.
    const mayBeBegun = segment.kind === 'multipart' && segment.parts === 0
    if (segment.handle !== null || mayBeBegun) await objects.abort(segment.objectId, segment.handle)
    await objects.delete(segment.objectId)
    if (segment.tail) await objects.delete(segment.tail.objectId)
  }
}
