/**
 * One writer at work on an upload: its segments as the rows have them, the segment that is being written, and how both
 * become rows again.
 *
 * After a writer that ended without saying so, the last segment is left as it is ("cut" at its last recorded part) and a
 * new one takes its tail over: what a late writer may still send then lands where nobody counts it.
 */
import { CHUNK_BYTES, KIND, openRun, sealedSize } from '../cipher/chunks.ts'
import { StorageError } from '../errors.ts'
import { newId, type ObjectId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'
import { closeSegment, completeSegment, pushAll } from '../segments/content-writer.ts'
import type { ByteDeps } from '../segments/deps.ts'
import { contentRow, keyOf, newSegment, saveSegment, segmentsOf, type Segment } from '../segments/segment-rows.ts'
import { SegmentWriter, type SegmentEnd } from '../segments/segment-writer.ts'
import type { HeldLease } from './held-lease.ts'
import type { UploadRow } from './upload-rows.ts'

export interface Writing {
  writer: SegmentWriter
  /** Saves what is finished so far, when it is more than the row says; call in the background, one at a time. */
  saveProgress(): Promise<void>
  /**
   * Keeps everything received, the unfinished part as a tail, and says so in the row.
   *
   * @param verify runs when all bytes are hashed and nothing counts yet; what it throws ends this
   */
  keep(offset: number, verify?: Verify): Promise<void>
  /** Makes all objects whole. Then run `save` in the finishing transaction, and `committed` after it. */
  close(verify?: Verify): Promise<{ save: (db: Db) => Promise<void>; committed: () => void }>
  /** Removes what the rows have ceased to name; failures are for `doctor`. */
  tidy(): Promise<void>
  /** Gives up: what was sent beyond the rows will not count. */
  abandon(): Promise<void>
}

export type Verify = () => Promise<void>

export interface WritingOrder {
  lease: HeldLease
  row: UploadRow
  /** names of running digests for the new bytes */
  digests: readonly string[]
  /** no byte will follow: the last chunk has to be written once more, flagged as last */
  closing: boolean
}

export async function openWriting(deps: ByteDeps, order: WritingOrder): Promise<Writing> {
  const { lease, row } = order
  const { database, objects } = deps
  const plan = await planWriting(deps, order)
  const { base, current, carried, kept, retired } = plan
  const writer = new SegmentWriter(
    { objects, lane: deps.sealer.lane(row.id), memory: deps.memory },
    {
      ...{ objectId: current.objectId, handle: current.handle, parts: current.parts, plainSize: current.plainSize },
      cipher: { key: plan.key, segmentId: current.id },
      receipts: current.receipts,
      digests: order.digests,
      digested: carried.length,
    },
  )
  let saved = row.offset
  let rowsMoved = false

  const committed = (): void => {
    rowsMoved = true
    lease.dirty = false
  }

  const written = (tail: Segment['tail']): Segment => {
    const progress = writer.progress()
    const { handle, parts, plainSize } = progress
    return { ...current, handle, parts, plainSize, receipts: progress.receipts(), tail }
  }

  /** The offset, proof that the lease is still ours, and the rows of the segments that changed. */
  const saveRows = async (db: Db, segment: Segment, offset: number): Promise<void> => {
    await moveOffset(db, { lease, row, offset, now: deps.clock() })
    if (retired && isEmpty(retired)) await db.deleteFrom('segment').where('id', '=', retired.id).execute()
    else if (retired) await saveSegment(db, row.contentId, { ...retired, cut: true, tail: null })
    await saveSegment(db, row.contentId, segment)
    await db.updateTable('content').set({ size: offset }).where('id', '=', row.contentId).execute()
  }

  const saveNow = async (segment: Segment, offset: number): Promise<void> => {
    await database.transaction((db) => saveRows(db, segment, offset))
    saved = offset
    committed()
  }

  const opened: Writing = {
    writer,
    saveProgress: async () => {
      const segment = written(null)
      const offset = base + segment.plainSize
      // Never below what was acknowledged: a tail taken over may span several parts.
      if (offset <= saved) return
      await writer.flush()
      await saveNow(segment, offset)
    },
    keep: async (offset, verify) => {
      const end = await writer.end(row.size !== null && offset < row.size ? 'more' : 'open')
      await verified(end, verify)
      const tail = await keepTail(deps, end)
      await writer.flush()
      await saveNow(written(tail), offset)
      await writer.abandon()
    },
    close: async (verify) => {
      const end = await writer.end('last')
      await verified(end, verify)
      const closed = await closeSegment(deps, current, writer, end)
      for (const segment of kept) await completeSegment(deps, segment)
      const save = async (db: Db): Promise<void> => {
        await saveRows(db, closed, base + closed.plainSize)
        for (const segment of kept) {
          const cut = segment === retired || segment.cut
          await saveSegment(db, row.contentId, { ...segment, cut, tail: null, handle: null })
        }
      }
      return { save, committed }
    },
    tidy: async () => {
      if (rowsMoved) await removeQuietly(deps, () => removeObsolete(objects, plan))
    },
    abandon: async () => {
      lease.dirty = true
      await writer.abandon()
      // A new segment that no row knows has nobody else to remove it.
      const { handle } = writer.progress()
      if (!plan.goesOn && !rowsMoved && handle !== null) {
        await removeQuietly(deps, () => objects.abort(current.objectId, handle))
      }
    },
  }
  try {
    await pushAll(writer, [carried], carried.length)
  } catch (error) {
    await opened.abandon()
    throw error
  }
  return opened
}

interface Plan {
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

async function planWriting(deps: ByteDeps, order: WritingOrder): Promise<Plan> {
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

function isEmpty(segment: Segment): boolean {
  return segment.parts === 0
}

async function verified(end: SegmentEnd, verify: Verify | undefined): Promise<void> {
  try {
    await verify?.()
  } catch (error) {
    if (end.kind !== 'parts') end.done()
    throw error
  }
}

/** Stores the unfinished end under a new name; the old tail goes only after the row has switched over. */
async function keepTail(deps: ByteDeps, end: SegmentEnd): Promise<Segment['tail']> {
  if (end.kind === 'parts') return null
  try {
    if (end.kind === 'single') throw new Error('an unfinished segment is not single')
    const objectId = newId<ObjectId>(deps.random)
    await deps.objects.put(objectId, end.bytes)
    return { objectId, length: end.length }
  } finally {
    end.done()
  }
}

async function removeObsolete(objects: ByteDeps['objects'], { oldTail, retired }: Plan): Promise<void> {
  if (oldTail !== null) await objects.delete(oldTail)
  if (retired && isEmpty(retired)) await objects.abort(retired.objectId, retired.handle)
}

async function removeQuietly(deps: ByteDeps, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    deps.log.warn({ error }, 'could not remove what an upload left behind; doctor will')
  }
}

async function openTail(deps: ByteDeps, scopeKey: Buffer, segment: Segment): Promise<Buffer> {
  if (segment.tail === null) return Buffer.alloc(0)
  const key = keyOf(deps.keyRing, scopeKey, segment)
  const reader = await deps.objects.open(segment.tail.objectId)
  try {
    if (reader.size !== sealedSize(segment.tail.length)) {
      throw new StorageError('storage/object-damaged', 'a tail has another length')
    }
    const sealed = await reader.read(0, reader.size)
    const plain = Buffer.alloc(segment.tail.length)
    const first = segment.plainSize / CHUNK_BYTES
    openRun({ key, segmentId: segment.id }, { first, end: KIND.tail, sealed }, plain)
    return plain
  } finally {
    await reader.close()
  }
}

async function moveOffset(
  db: Db,
  move: { lease: HeldLease; row: UploadRow; offset: number; now: Date },
): Promise<void> {
  const { lease, row, offset } = move
  const moved = await db
    .updateTable('upload')
    .set({ offset_bytes: offset, expires_at: move.now.getTime() + row.expiresAfterMs, dirty: 0 })
    .where('id', '=', row.id)
    .where('holder', '=', lease.holder)
    .where('state', '=', 'open')
    .executeTakeFirst()
  if (moved.numUpdatedRows === 0n)
    throw new StorageError('storage/upload-locked', 'another writer took the upload over')
}
