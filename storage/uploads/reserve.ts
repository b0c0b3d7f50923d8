/** Keeps some room free: a full disk would stop the database as well. */
import { performance } from 'node:perf_hooks'

import { StorageError } from '../errors.ts'
import type { ObjectStore } from '../objects/object-store.ts'

const LOOK_AGAIN_MS = 1000

/** A check that throws StorageError `storage/disk-full` below the reserve; looks at the store once a second at most. */
export function createReserveCheck(deps: { objects: ObjectStore; reserveBytes: number }): () => Promise<void> {
  let free: number | null = null
  let lookedAt = -Infinity
  return async () => {
    if (performance.now() - lookedAt > LOOK_AGAIN_MS) {
      free = await deps.objects.free()
      lookedAt = performance.now()
    }
    if (free !== null && free < deps.reserveBytes) {
      throw new StorageError('storage/disk-full', `less than ${deps.reserveBytes} bytes are free`)
    }
  }
}
