/**
 * One writer per upload: a lease in the row, the same inside one process as across several.
 *
 * A newcomer marks the row as wanted; the holder looks at it in the background and lets go. A lease that has run out,
 * or whose holder is a dead process of this machine, is taken over. What such a holder may still send must not count:
 * the upload is then dirty, and the next writer opens a new segment.
 */
import { performance } from 'node:perf_hooks'

import { StorageError } from '../errors.ts'
import type { UploadId } from '../ids.ts'
import type { Database } from '../metadata/database.ts'
import type { Lease } from './upload.ts'
import type { World } from '../world.ts'
import { LEASE_MS, LiveLease, LOOK_MS, type HeldLease } from './held-lease.ts'
import { isDead, newHolder } from './holder.ts'
import { isAlive, uploadById, type UploadRow } from './upload-rows.ts'

export interface Leases {
  /** @throws StorageError `storage/upload-locked`, `storage/upload-gone` */
  acquire(id: UploadId, options: { waitMs: number }): Promise<Lease>
  /** The lease of an upload that is to be removed, expired or not; null = somebody alive holds it, or it is gone. */
  takeForEnding(id: UploadId): Promise<HeldLease | null>
  /** The lease as what it is inside this module's house. @throws StorageError `storage/upload-locked` not held any more */
  mine(lease: Lease): HeldLease
  /** Releases everything; for the end of the process. */
  close(): Promise<void>
}

export function createLeases(deps: { database: Database } & World): Leases {
  const { clock } = deps
  const db = deps.database.kysely
  const held = new Set<LiveLease>()

  const take = async (row: UploadRow, holder: string): Promise<HeldLease | null> => {
    const lease = await takeRow(deps, row, { holder, dirty: row.dirty || row.holder !== null })
    if (lease === null) return null
    held.add(lease)
    void lease.released.then(() => held.delete(lease))
    return lease
  }

  /** One attempt; null = somebody alive holds it, and was told that it is wanted. */
  const attempt = async (id: UploadId, holder: string): Promise<HeldLease | null> => {
    const row = await uploadById(db, id)
    if (row === null || !isAlive(row, clock())) throw new StorageError('storage/upload-gone', 'the upload has ended')
    return take(row, holder)
  }

  return {
    acquire: async (id, { waitMs }) => {
      const holder = newHolder(deps.random)
      const deadline = performance.now() + waitMs
      for (;;) {
        const lease = await attempt(id, holder)
        if (lease) return lease
        const left = deadline - performance.now()
        if (left <= 0) throw new StorageError('storage/upload-locked', 'another writer holds the upload')
        const here = [...held].find(({ uploadId }) => uploadId === id)
        here?.want()
        await soon(Math.min(left, LOOK_MS), here?.released)
      }
    },
    takeForEnding: async (id) => {
      const row = await uploadById(db, id)
      return row === null ? null : take(row, newHolder(deps.random))
    },
    mine: (lease) => {
      if (lease instanceof LiveLease && held.has(lease)) return lease
      throw new StorageError('storage/upload-locked', 'the lease was released')
    },
    close: async () => {
      await Promise.allSettled([...held].map((lease) => lease.release()))
    },
  }
}

/** Puts the new holder into the row; null = somebody alive is in it (and now knows that it is wanted), or was faster. */
async function takeRow(
  deps: { database: Database } & World,
  row: UploadRow,
  next: { holder: string; dirty: boolean },
): Promise<LiveLease | null> {
  const { id } = row
  const now = deps.clock().getTime()
  const update = deps.database.kysely.updateTable('upload').where('id', '=', id)
  if (row.holder !== null && row.heldUntil > now && !isDead(row.holder)) {
    await update.set({ wanted: 1 }).where('holder', '=', row.holder).execute()
    return null
  }
  const { holder, dirty } = next
  const { numUpdatedRows } = await update
    .set({ holder, held_until: now + LEASE_MS, wanted: 0, dirty: dirty ? 1 : 0 })
    .where('held_until', '=', row.heldUntil)
    .where('holder', row.holder === null ? 'is' : '=', row.holder)
    .executeTakeFirst()
  return numUpdatedRows > 0n ? new LiveLease(deps, { id, holder, dirty }) : null
}

/** Resolves after `ms`, or earlier with `event`. */
async function soon(ms: number, event: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race(event ? [time, event] : [time])
  clearTimeout(timer)
}
