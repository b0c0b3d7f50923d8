/**
 * Shared memory for parts on their way, within one budget for the whole process: a slow object store slows its senders
 * down instead of filling the memory.
 *
 * What is given back is kept for the next part: new memory has to be cleared by the system and made known to each sealing
 * thread, and old memory lasts until the garbage collector comes. What is out and what is kept share the budget.
 */

export interface PartMemory {
  /** Memory of at least `bytes`, when the budget has room for it now and nobody waits; else null. */
  tryTake(bytes: number): SharedArrayBuffer | null
  /** Resolves when a `tryTake` for this much is worth trying again; first come, first served. */
  wait(bytes: number): Promise<void>
  give(memory: SharedArrayBuffer): void
  /** Bytes that are out at the moment. */
  readonly inUse: number
  /** Bytes that may be out and kept together. */
  readonly budgetBytes: number
}

/** @param options.budgetBytes a single part larger than this is still served, alone */
export function createPartMemory(options: { budgetBytes: number }): PartMemory {
  const kept: SharedArrayBuffer[] = []
  const waiting: { bytes: number; resolve(): void }[] = []
  let inUse = 0
  let keptBytes = 0
  let promised = 0

  const fits = (bytes: number): boolean => inUse === 0 || inUse + bytes <= options.budgetBytes

  const takeKept = (bytes: number): SharedArrayBuffer | undefined => {
    const at = kept.findLastIndex((memory) => memory.byteLength === bytes)
    if (at < 0) return undefined
    keptBytes -= bytes
    return kept.splice(at, 1)[0]
  }

  /** Lets go of the oldest kept until the budget holds; parts are of few sizes, so this is rare. */
  const trim = (): void => {
    while (keptBytes > 0 && inUse + keptBytes > options.budgetBytes) keptBytes -= kept.shift()?.byteLength ?? 0
  }

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
    budgetBytes: options.budgetBytes,
    get inUse() {
      return inUse
    },
    tryTake: (bytes) => {
      if (!fits(bytes) || (waiting.length > 0 && promised < bytes)) return null
      const memory = takeKept(bytes)
      inUse += bytes
      trim()
      return memory ?? new SharedArrayBuffer(bytes)
    },
    wait: (bytes) =>
      new Promise((resolve) => {
        waiting.push({ bytes, resolve })
        wake()
      }),
    give: (memory) => {
      inUse -= memory.byteLength
      kept.push(memory)
      keptBytes += memory.byteLength
      trim()
      wake()
    },
  }
}
