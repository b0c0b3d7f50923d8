/** Keys in memory for a short while: least recently used out first, nothing kept longer than its time. */
import type { World } from '../world.ts'

export interface KeyCache {
  get(name: string): Buffer | null
  /** @returns the key itself */
  put(name: string, key: Buffer): Buffer
  drop(name: string): void
}

/**
 * @param size keys at most
 * @param keepMs how long one is used after it was opened
 */
export function createKeyCache(size: number, keepMs: number, clock: World['clock']): KeyCache {
  const entries = new Map<string, { key: Buffer; until: number }>()
  return {
    get: (name) => {
      const entry = entries.get(name)
      if (entry === undefined) return null
      entries.delete(name)
      if (clock().getTime() >= entry.until) return null
      entries.set(name, entry)
      return entry.key
    },
    put: (name, key) => {
      entries.set(name, { key, until: clock().getTime() + keepMs })
      if (entries.size > size) dropOldest(entries)
      return key
    },
    drop: (name) => {
      entries.delete(name)
    },
  }
}

function dropOldest(entries: Map<string, unknown>): void {
  for (const name of entries.keys()) {
    entries.delete(name)
    return
  }
}
