/**
 * Uploads: byte strings that arrive in pieces, over days, over broken connections. Knows nothing of tus.
 *
 * The offset in the row is the truth: it never exceeds what is kept in one unbroken row and never falls below what was
 * acknowledged. One writer at a time, by a lease in the row. A ticket (32 random bytes, stored hashed) opens the upload
 * until it expires, whatever happens to the session that began it.
 */
import type { Readable } from 'node:stream'

import type { Actor } from './actor.ts'
import { SEALED_CHUNK_BYTES } from './cipher/chunks.ts'
import { StorageError } from './errors.ts'
import type { UploadId } from './ids.ts'
import type { Database } from './metadata/database.ts'
import { newSegment, saveSegment } from './segments/segment-rows.ts'
import { SMALL_BYTES } from './segments/small.ts'
import { createAppending } from './uploads/append.ts'
import { begunState, prepareUpload } from './uploads/begin.ts'
import { concatUploads } from './uploads/concat.ts'
import { cancelUpload, expireUploads } from './uploads/ending.ts'
import type { UploadDeps } from './uploads/finish.ts'
import { isKept, markLost } from './uploads/kept.ts'
import { createLeases } from './uploads/lease.ts'
import { declareSize, finishIfComplete } from './uploads/length.ts'
import { createReserveCheck } from './uploads/reserve.ts'
import { createRunningDigests } from './uploads/running-digests.ts'
import type { AppendOptions, BegunUpload, Lease, UploadSpec, UploadState } from './uploads/upload.ts'
import { stateOf, uploadByTicket, uploadById, type UploadRow } from './uploads/upload-rows.ts'
import { createWholeUploads } from './uploads/whole.ts'

export type { AppendOptions, BegunUpload, Lease, UploadSpec, UploadState } from './uploads/upload.ts'

export interface Uploads {
  /**
   * Begins an upload. Nothing is stored but its row.
   *
   * @throws StorageError `storage/room-closed`, `storage/not-found` (room), `storage/disk-full` (reserve reached), `storage/bad-value`
   */
  begin(spec: UploadSpec, by: Actor): Promise<BegunUpload>
  /**
   * Takes an upload whose whole body is at hand in one transaction and one object: same outcome as begin + append.
   * For small bodies only.
   *
   * @param spec.size must equal `body.length` (`storage/size-mismatch`)
   * @throws as `begin` and `append`
   */
  beginWhole(spec: UploadSpec & { size: number }, body: Uint8Array, by: Actor): Promise<BegunUpload>
  /** The largest body that `beginWhole` takes. */
  readonly wholeBytes: number
  /** So many bodies on their way have memory for a part each; further ones wait. */
  readonly bodiesAtOnce: number
  /** null = no such ticket, cancelled or expired. */
  byTicket(ticket: string): Promise<UploadState | null>
  /**
   * As `byTicket`, but first asks the object store whether the kept bytes of an open upload are still there (a bucket's
   * own clean-up may have dropped them). When they are not, the upload is marked as gone and null is returned.
   */
  confirm(ticket: string): Promise<UploadState | null>
  /**
   * Becomes the only writer. Asks the present holder to let go; a dead or expired holder is replaced.
   *
   * @throws StorageError `storage/upload-locked` the holder did not let go within `waitMs`; `storage/upload-gone`
   */
  acquire(id: UploadId, options: { waitMs: number }): Promise<Lease>
  /**
   * Appends bytes and returns the new offset. Reads `source` to its end; an aborted or failed source, or one that a newer
   * writer interrupts, keeps what arrived (unless a checksum was promised) and throws. All bytes below the returned
   * offset survive a loss of power. Finishes the upload when the offset reaches the declared size.
   *
   * @param offset plaintext bytes; must equal the stored offset
   * @throws StorageError `storage/offset-conflict`, `storage/size-exceeded` (keeps what fits before: nothing of this
   *   request), `storage/checksum-mismatch` (keeps nothing of this request), `storage/upload-interrupted` (source broke
   *   off; what arrived is kept), `storage/upload-locked` (a newer writer took over; what arrived is kept),
   *   `storage/upload-finished`, `storage/upload-gone`, `storage/disk-full`, `storage/objects-unavailable`
   */
  append(lease: Lease, offset: number, source: Readable, options: AppendOptions): Promise<number>
  /**
   * Declares a deferred length; finishes when all bytes are there already.
   *
   * @throws StorageError `storage/size-mismatch` declared before with another value, or below the offset
   */
  declareSize(lease: Lease, size: number): Promise<void>
  /** Finishes an upload whose offset has reached its size (an empty one for instance). True = it is finished now. */
  finishIfComplete(lease: Lease): Promise<boolean>
  /** Ends an upload for good and deletes what it kept; a finished upload only loses its ticket. */
  cancel(lease: Lease, by: Actor): Promise<void>
  /**
   * Makes one file of finished partial uploads, in this order; their segments are taken over, nothing is copied.
   *
   * @param tickets of the partials; all of the same room and the same person
   * @throws StorageError `storage/not-found` (unknown or another person's or room's), `storage/wrong-state` (not a
   *   partial, unfinished, or used already)
   */
  concat(spec: UploadSpec, tickets: readonly string[], by: Actor): Promise<BegunUpload>
  /** Removes expired uploads, up to `limit` of them; returns how many were removed. */
  expire(now: Date, limit: number): Promise<number>
  /** Lets go of all leases of this process. */
  close(): Promise<void>
}

/** @param deps.reserveBytes new uploads are refused when the object store has less room than this */
export function createUploads(deps: UploadDeps & { reserveBytes: number }): Uploads {
  const { database, keyRing } = deps
  const db = database.kysely
  const leases = createLeases(deps)
  const digests = createRunningDigests(deps.sealer)
  const appending = createAppending(deps, digests)
  const checkReserve = createReserveCheck(deps)

  const begin: Uploads['begin'] = async (spec, by) => {
    const order = { spec, by }
    const { upload, insert } = prepareUpload(deps, order)
    await checkReserve()
    const { segment } = newSegment(deps, await keyRing.scopeKey(db, spec.roomId), 0)
    await database.transaction(async (transaction) => {
      await insert(transaction)
      await saveSegment(transaction, upload.contentId, segment)
    })
    return begunState(upload, order, { offset: 0, state: 'open', fileId: null })
  }

  return {
    begin,
    beginWhole: createWholeUploads(deps, checkReserve),
    wholeBytes: SMALL_BYTES,
    bodiesAtOnce: deps.memory.senders(deps.objects.chunksInPart(1) * SEALED_CHUNK_BYTES),
    byTicket: async (ticket) => stateOf(await keptRow(database, ticket), deps.clock()),
    confirm: async (ticket) => {
      const row = await keptRow(database, ticket)
      const state = stateOf(row, deps.clock())
      if (row === null || state?.state !== 'open') return state
      if (await isKept(deps, row.contentId)) return state
      await markLost(deps, row)
      return null
    },
    acquire: (id, options) => leases.acquire(id, options),
    append: async (lease, offset, source, options) => appending.append(leases.mine(lease), offset, source, options),
    declareSize: async (lease, size) => declareSize(deps, appending, leases.mine(lease), size),
    finishIfComplete: async (lease) => finishIfComplete(deps, appending, leases.mine(lease)),
    cancel: async (lease, by) => cancelUpload(deps, digests, leases.mine(lease), by),
    concat: async (spec, tickets, by) => {
      const order = { spec: { ...spec, kind: 'final' as const, size: null }, by }
      const { upload, insert } = prepareUpload(deps, order)
      await concatUploads(deps, { spec, tickets, by }, async (transaction) => {
        await insert(transaction)
        return upload
      })
      const state = stateOf(await uploadById(db, upload.id), deps.clock())
      if (state === null) throw new StorageError('storage/upload-gone', 'the upload has ended')
      return { id: upload.id, ticket: upload.ticket, state }
    },
    expire: (now, limit) => expireUploads(deps, { leases, digests }, now, limit),
    close: () => leases.close(),
  }
}

/** What it says is kept: who hears of an offset may throw these bytes away. */
async function keptRow(database: Database, ticket: string): Promise<UploadRow | null> {
  const row = await uploadByTicket(database.kysely, ticket)
  await database.settled()
  return row
}
