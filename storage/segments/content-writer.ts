/** Writes a content of any size from a source, as one segment. */
import { sealedSize } from '../cipher/chunks.ts'
import { StorageError } from '../errors.ts'
import type { ByteDeps } from './deps.ts'
import { deleteSegments } from './removal.ts'
import { newSegment, type Segment } from './segment-rows.ts'
import { SegmentWriter, type SegmentEnd } from './segment-writer.ts'

/**
 * Seals and stores the bytes of `source`; when anything fails, what was stored is removed and the fault thrown on.
 *
 * @throws StorageError `storage/size-exceeded`, `storage/disk-full`, `storage/objects-unavailable`
 */
export async function writeContent(
  deps: ByteDeps,
  order: { scopeKey: Buffer; maxBytes: number },
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ segment: Segment; sha256: string; size: number }> {
  const { segment, key } = newSegment(deps, order.scopeKey, 0)
  const lane = deps.sealer.lane(segment.id)
  lane.startDigest(segment.id, 'sha256')
  const cipher = { key, segmentId: segment.id }
  const nothing = { handle: null, parts: 0, receipts: [], plainSize: 0 }
  const start = { cipher, objectId: segment.objectId, ...nothing, digests: [segment.id], digested: 0 }
  const writer = new SegmentWriter({ objects: deps.objects, lane, memory: deps.memory }, start)
  try {
    const size = await pushAll(writer, source, order.maxBytes)
    const finished = await closeSegment(deps, segment, writer, await writer.end('last'))
    const sha256 = await lane.endDigest(segment.id)
    if (sha256 === null) throw new Error('the sealing thread lost its digest')
    return { segment: finished, sha256, size }
  } catch (error) {
    lane.dropDigest(segment.id)
    await writer.abandon()
    const begun = { ...segment, handle: writer.progress().handle }
    await deleteSegments(deps.objects, [begun]).catch((cause: unknown) => {
      deps.log.warn({ segment: segment.id, cause }, 'could not remove a broken-off object; doctor will')
    })
    throw error
  }
}

/** Stores the end of a segment and makes its object whole. */
export async function closeSegment(
  deps: Pick<ByteDeps, 'objects'>,
  segment: Segment,
  writer: SegmentWriter,
  end: SegmentEnd,
): Promise<Segment> {
  if (end.kind === 'single') {
    try {
      await deps.objects.put(segment.objectId, end.bytes)
    } finally {
      end.done()
    }
    await writer.abandon()
    return { ...segment, kind: 'single', plainSize: end.plainSize, handle: null, tail: null }
  }
  if (end.kind === 'tail') throw new Error('a segment does not close with a tail')
  const progress = writer.progress()
  const closed: Segment = {
    ...segment,
    handle: progress.handle,
    parts: progress.parts,
    receipts: progress.receipts(),
    plainSize: progress.plainSize,
    tail: null,
  }
  await writer.abandon()
  await completeSegment(deps, closed)
  return { ...closed, handle: null }
}

/** Makes the object of a segment in parts whole; does nothing for one that is. */
export async function completeSegment(deps: Pick<ByteDeps, 'objects'>, segment: Segment): Promise<void> {
  if (segment.handle === null) return
  const { handle, receipts } = segment
  await deps.objects.complete(segment.objectId, { handle, receipts, bytes: sealedSize(segment.plainSize) })
}

/**
 * Hands all bytes of a source to a writer, waiting where it must; returns how many they were.
 *
 * @throws StorageError `storage/size-exceeded`
 */
export async function pushAll(
  writer: SegmentWriter,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<number> {
  let size = 0
  for await (const piece of source) {
    size += piece.length
    if (size > maxBytes) throw new StorageError('storage/size-exceeded', `more than ${maxBytes} bytes`)
    let bytes = piece
    for (let taken = writer.push(bytes); taken < bytes.length; taken = writer.push(bytes)) {
      bytes = bytes.subarray(taken)
      await writer.ready()
    }
  }
  return size
}
