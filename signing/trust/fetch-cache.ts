/**
 * Remembers what was fetched, and that something could not be had, within bounds of time, count and bytes.
 */
export interface FetchCache {
  /** The bytes, null for a failure that is not long ago, undefined when nothing is known. */
  get(key: string, now: Date): Buffer | null | undefined
  set(key: string, value: Buffer | null, until: Date): void
}

/** @param maxBytes of all values together; what was used longest ago goes first */
export function createFetchCache(maxBytes = 64 * 1024 * 1024): FetchCache {
  const entries = new Map<string, { value: Buffer | null; until: Date }>()
  let bytes = 0

  function remove(key: string): void {
    bytes -= entries.get(key)?.value?.length ?? 0
    entries.delete(key)
  }

  function get(key: string, now: Date): Buffer | null | undefined {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    remove(key)
    if (entry.until < now) return undefined
    set(key, entry.value, entry.until)
    return entry.value
  }

  function set(key: string, value: Buffer | null, until: Date): void {
    remove(key)
    if ((value?.length ?? 0) > maxBytes) return
    entries.set(key, { value, until })
    bytes += value?.length ?? 0
    for (const oldest of entries.keys()) {
      if (bytes <= maxBytes && entries.size <= MAX_ENTRIES) break
      remove(oldest)
    }
  }

  return { get, set }
}

const MAX_ENTRIES = 10_000
