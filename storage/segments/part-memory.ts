/**
 * Shared memory for parts on their way, within one budget for the whole process: a slow object store slows its senders
 * down instead of filling the memory.
 */

export interface PartMemory {
  /** Memory of at least `bytes`, when the budget has room for it now and nobody waits; else null. */
  tryTake(bytes: number): SharedArrayBuffer | null
  /** Resolves when a `tryTake` for this much is worth trying again; first come, first served. */
  wait(bytes: number): Promise<void>
  give(memory: SharedArrayBuffer): void
  /** Bytes that are out at the moment. */
  readonly inUse: number
}

/** @param options.budgetBytes a single part larger than this is still served, alone */
export function createPartMemory(options: { budgetBytes: number }): PartMemory {
  const idle: SharedArrayBuffer[] = []
  const waiting: { bytes: number; resolve(): void }[] = []
  let inUse = 0
  let promised = 0

  const fits = (bytes: number): boolean => inUse === 0 || inUse + bytes <= options.budgetBytes

  const wake = (): void => {
    const next = waiting[0]
    if (next === undefined || !fits(next.bytes + promised)) return
    waiting.shift()
    // The place is kept for the one who was woken until it comes back for it, at the latest in the next turn.
    promised += next.bytes
    setImmediate(() => {
      promised -= next.bytes
      wake()
    })
    next.resolve()
  }

  return {
    get inUse() {
      return inUse
    },
    tryTake: (bytes) => {
      if (!fits(bytes) || (waiting.length > 0 && promised < bytes)) return null
      const at = idle.findIndex((memory) => memory.byteLength === bytes)
      const memory = at >= 0 ? idle.splice(at, 1)[0] : undefined
      inUse += bytes
      return memory ?? new SharedArrayBuffer(bytes)
    },
    wait: (bytes) =>
      new Promise((resolve) => {
        waiting.push({ bytes, resolve })
        wake()
      }),
    give: (memory) => {
      inUse -= memory.byteLength
      const kept = idle.reduce((sum, { byteLength }) => sum + byteLength, 0)
      if (kept + memory.byteLength <= options.budgetBytes / 2) idle.push(memory)
      wake()
    },
  }
}
