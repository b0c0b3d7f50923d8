/**
 * Random bytes from the system, drawn a few KiB at a time: ids, nonces and keys need 12 to 32 bytes each, and asking
 * for them one by one costs ten times more than copying them.
 */
import { randomFillSync } from 'node:crypto'

import type { Random } from './world.ts'

const POOL_BYTES = 8192

/** A source that hands every byte out once; what was handed out is wiped from the pool. */
export function pooledRandom(): Random {
  const pool = Buffer.allocUnsafeSlow(POOL_BYTES)
  let used = POOL_BYTES
  return (size) => {
    if (size > POOL_BYTES / 8) return randomFillSync(Buffer.allocUnsafeSlow(size))
    if (used + size > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = Buffer.allocUnsafeSlow(size)
    pool.copy(bytes, 0, used, used + size)
    pool.fill(0, used, used + size)
    used += size
    return bytes
  }
}
