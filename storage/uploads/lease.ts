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
import type { Lease } from '../uploads.ts'
import type { World } from '../world.ts'
import { isDead, newHolder } from './holder.ts'
import { isAlive, uploadById, type UploadRow } from './upload-rows.ts'

const LEASE_MS = 15_000
const RENEW_MS = 4000
/** How often the row is looked at, by a holder for "wanted" and by a newcomer for "free". */
const LOOK_MS = 250

export interface HeldLease extends Lease {
  readonly holder: string
  /** bytes beyond the row may exist in the last segment: do not write into it any more */
  dirty: boolean
}

export interface Leases {
  /** @throws StorageError `storage/upload-locked`, `storage/upload-gone` */
  acquire(id: UploadId, options: { waitMs: number }): Promise<HeldLease>
  /** The lease of an upload that is to be removed, expired or not; null = somebody alive holds it, or it is gone. */
  takeForEnding(id: UploadId): Promise<HeldLease | null>
  /** The lease as what it is inside this module's house. @throws StorageError `storage/upload-locked` not one of ours */
  mine(lease: Lease): HeldLease
  /** Releases everything; for the end of the process. */
  close(): Promise<void>
}

export function createLeases(deps: { database: Database } & World): Leases {
  const { database, clock, log } = deps
  const db = database.kysely
  const held = new Map<Lease, HeldLease & { want(): void; released: Promise<void> }>()
  const until = (): number => clock().getTime() + LEASE_MS

  const hold = (id: UploadId, holder: string, dirty: boolean): HeldLease => {
    const wanted = new AbortController()
    let freed: () => void = () => undefined
    const released = new Promise<void>((resolve) => {
      freed = resolve
    })
    let renewedAt = performance.now()
    let looking = false
    const look = async (): Promise<void> => {
      const row = await uploadWanted(id, holder)
      if (row === null || row.wanted === 1) wanted.abort()
      if (row === null || performance.now() - renewedAt < RENEW_MS) return
      await db
        .updateTable('upload')
        .set({ held_until: until() })
        .where('id', '=', id)
        .where('holder', '=', holder)
        .execute()
      renewedAt = performance.now()
    }
    const timer = setInterval(() => {
      if (looking) return
      looking = true
      look()
        .catch((error: unknown) => {
          log.warn({ upload: id, error }, 'could not renew the lease of an upload')
        })
        .finally(() => {
          looking = false
        })
    }, LOOK_MS)
    timer.unref()
    let over: Promise<void> | null = null
    const lease = {
      uploadId: id,
      holder,
      dirty,
      wanted: wanted.signal,
      released,
      want: () => {
        wanted.abort()
      },
      release: () => {
        clearInterval(timer)
        over ??= letGo(lease).finally(() => {
          held.delete(lease)
          freed()
        })
        return over
      },
    }
    held.set(lease, lease)
    return lease
  }

  const uploadWanted = async (id: UploadId, holder: string) =>
    (await db
      .selectFrom('upload')
      .select('wanted')
      .where('id', '=', id)
      .where('holder', '=', holder)
      .executeTakeFirst()) ?? null

  const letGo = async (lease: HeldLease): Promise<void> => {
    const nobody = { holder: null, held_until: 0, wanted: 0, dirty: lease.dirty ? 1 : 0 } as const
    await db
      .updateTable('upload')
      .set(nobody)
      .where('id', '=', lease.uploadId)
      .where('holder', '=', lease.holder)
      .execute()
  }

  /** One attempt; null = somebody alive holds it, and was told that it is wanted. */
  const attempt = async (id: UploadId, holder: string): Promise<HeldLease | null> => {
    const row = await uploadById(db, id)
    if (row === null || !isAlive(row, clock())) throw new StorageError('storage/upload-gone', 'the upload has ended')
    return take(row, holder)
  }

  const take = async (row: UploadRow, holder: string): Promise<HeldLease | null> => {
    const { id } = row
    const free = row.holder === null
    if (!free && !isOver(row)) {
      await db.updateTable('upload').set({ wanted: 1 }).where('id', '=', id).where('holder', '=', row.holder).execute()
      return null
    }
    const dirty = row.dirty || !free
    const taken = await db
      .updateTable('upload')
      .set({ holder, held_until: until(), wanted: 0, dirty: dirty ? 1 : 0 })
      .where('id', '=', id)
      .where('held_until', '=', row.heldUntil)
      .where('holder', row.holder === null ? 'is' : '=', row.holder)
      .executeTakeFirst()
    return taken.numUpdatedRows > 0n ? hold(id, holder, dirty) : null
  }

  const isOver = (row: UploadRow): boolean =>
    row.heldUntil <= clock().getTime() || (row.holder !== null && isDead(row.holder))

  return {
    acquire: async (id, { waitMs }) => {
      const holder = newHolder(deps.random)
      const deadline = performance.now() + waitMs
      for (;;) {
        const lease = await attempt(id, holder)
        if (lease) return lease
        const left = deadline - performance.now()
        if (left <= 0) throw new StorageError('storage/upload-locked', 'another writer holds the upload')
        const here = [...held.values()].find(({ uploadId }) => uploadId === id)
        here?.want()
        await soon(Math.min(left, LOOK_MS), here?.released)
      }
    },
    takeForEnding: async (id) => {
      const row = await uploadById(db, id)
      return row === null ? null : take(row, newHolder(deps.random))
    },
    mine: (lease) => {
      const found = held.get(lease)
      if (!found) throw new StorageError('storage/upload-locked', 'the lease was released')
      return found
    },
    close: async () => {
      await Promise.allSettled([...held.values()].map((lease) => lease.release()))
    },
  }
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
