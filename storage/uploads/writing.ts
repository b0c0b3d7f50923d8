/**
 * One writer at work on an upload: its segments as the rows have them, the segment that is being written, and how both
 * become rows again. Which segment that is: plan.ts.
 */
import { StorageError } from '../errors.ts'
import { newId, type ObjectId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'
import { closeSegment, completeSegment, pushAll } from '../segments/content-writer.ts'
import type { ByteDeps } from '../segments/deps.ts'
import { saveSegment, type Segment } from '../segments/segment-rows.ts'
import { SegmentWriter, type SegmentEnd } from '../segments/segment-writer.ts'
import type { HeldLease } from './held-lease.ts'
import { isEmpty, planWriting, type Plan, type WritingOrder } from './plan.ts'
import type { UploadRow } from './upload-rows.ts'

export type Verify = () => Promise<void>

/** @throws StorageError `storage/upload-gone`, `storage/object-absent` (the tail), `storage/object-damaged` */
export async function openWriting(deps: ByteDeps, order: WritingOrder): Promise<Writing> {
  const plan = await planWriting(deps, order)
  const writing = new Writing(deps, order, plan)
  try {
    await pushAll(writing.writer, [plan.carried], plan.carried.length)
  } catch (error) {
    await writing.abandon()
    throw error
  }
  return writing
}

export class Writing {
  readonly writer: SegmentWriter
  readonly #deps: ByteDeps
  readonly #lease: HeldLease
  readonly #row: UploadRow
  readonly #plan: Plan
  #saved: number
  #rowsMoved = false
  /** a transaction was begun that names the present segment; it may have been committed */
  #mayBeNamed = false

  constructor(deps: ByteDeps, { lease, row, digests }: WritingOrder, plan: Plan) {
    const { current, carried, key } = plan
    const { objectId, handle, parts, plainSize, receipts } = current
    const cipher = { key, segmentId: current.id }
    this.#deps = deps
    this.#lease = lease
    this.#row = row
    this.#plan = plan
    this.#saved = row.offset
    this.writer = new SegmentWriter(
      { objects: deps.objects, lane: deps.sealer.lane(row.id), memory: deps.memory },
      { cipher, objectId, handle, parts, plainSize, receipts, digests, digested: carried.length },
    )
  }

  /** Saves what is finished so far, when it is more than the row says; call in the background, one at a time. */
  async saveProgress(): Promise<void> {
    const segment = this.#written(null)
    const offset = this.#plan.base + segment.plainSize
    // Never below what was acknowledged: a tail taken over may span several parts.
    if (offset <= this.#saved) return
    await this.writer.flush()
    await this.#saveNow(segment, offset)
  }

  /**
   * Keeps everything received, the unfinished part as a tail, and says so in the row.
   *
   * @param verify runs when all bytes are hashed and nothing counts yet; what it throws ends this
   */
  async keep(offset: number, verify?: Verify): Promise<void> {
    const { size } = this.#row
    const end = await this.writer.end(size !== null && offset < size ? 'more' : 'open')
    await verified(end, verify)
    const tail = await keepTail(this.#deps, end)
    await this.writer.flush()
    await this.#saveNow(this.#written(tail), offset)
    await this.writer.abandon()
  }

  /** Makes all objects whole. Then run `save` in the finishing transaction, and `committed` after it. */
  async close(verify?: Verify): Promise<{ save: (db: Db) => Promise<void>; committed: () => void }> {
    const { current, kept, base, retired } = this.#plan
    const end = await this.writer.end('last')
    await verified(end, verify)
    const closed = await closeSegment(this.#deps, current, this.writer, end)
    for (const segment of kept) await completeSegment(this.#deps, segment)
    const save = async (db: Db): Promise<void> => {
      await this.#saveRows(db, closed, base + closed.plainSize)
      for (const segment of kept) {
        const cut = segment === retired || segment.cut
        await saveSegment(db, this.#row.contentId, { ...segment, cut, tail: null, handle: null })
      }
    }
    const committed = (): void => {
      this.#committed()
    }
    return { save, committed }
  }

  /** Removes what the rows have ceased to name; failures are for `doctor`. */
  async tidy(): Promise<void> {
    const { oldTail, retired } = this.#plan
    const { objects } = this.#deps
    if (!this.#rowsMoved) return
    await this.#quietly(async () => {
      if (oldTail !== null) await objects.delete(oldTail)
      if (retired && isEmpty(retired)) await objects.abort(retired.objectId, retired.handle)
    })
  }

  /** Gives up: what was sent beyond the rows will not count. */
  async abandon(): Promise<void> {
    const { current, goesOn } = this.#plan
    this.#lease.dirty = true
    await this.writer.abandon()
    // A new segment that no row knows has nobody else to remove it.
    const { handle } = this.writer.progress()
    if (goesOn || this.#mayBeNamed || handle === null) return
    await this.#quietly(() => this.#deps.objects.abort(current.objectId, handle))
  }

  #written(tail: Segment['tail']): Segment {
    const progress = this.writer.progress()
    const { handle, parts, plainSize } = progress
    return { ...this.#plan.current, handle, parts, plainSize, receipts: progress.receipts(), tail }
  }

  async #saveNow(segment: Segment, offset: number): Promise<void> {
    await this.#deps.database.transaction((db) => this.#saveRows(db, segment, offset))
    this.#saved = offset
    this.#committed()
  }

  #committed(): void {
    this.#rowsMoved = true
    this.#lease.dirty = false
  }

  /** The offset, proof that the lease is still ours, and the rows of the segments that changed. */
  async #saveRows(db: Db, segment: Segment, offset: number): Promise<void> {
    const { contentId } = this.#row
    const { retired } = this.#plan
    this.#mayBeNamed = true
    await moveOffset(db, { lease: this.#lease, row: this.#row, offset, now: this.#deps.clock() })
    if (retired && isEmpty(retired)) await db.deleteFrom('segment').where('id', '=', retired.id).execute()
    else if (retired) await saveSegment(db, contentId, { ...retired, cut: true, tail: null })
    await saveSegment(db, contentId, segment)
    await db.updateTable('content').set({ size: offset }).where('id', '=', contentId).execute()
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#deps.log.warn({ error }, 'could not remove what an upload left behind; doctor will')
    }
  }
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
