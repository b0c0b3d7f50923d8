/**
 * Shared memory for parts on their way, within one budget for the whole process: a slow object store slows its senders
 * down instead of filling the memory.
 *
 * A slow sender fills its part for minutes. Such memory leaves the budget for a second, bounded share, so that many slow
 * lines hold nobody up; few fast ones never get there.
 *
 * What is given back is kept for the next part: new memory has to be cleared by the system and made known to each sealing
 * thread, and old memory lasts until the garbage collector comes. What is out and what is kept is never more than both together.
 */

export interface PartMemory {
  /** Memory of at least `bytes`, when the budget has room for it now and nobody waits; else null. */
  tryTake(bytes: number): PartLoan | null
  /** Resolves when a `tryTake` for this much is worth trying again; first come, first served. */
  wait(bytes: number): Promise<void>
  /** Bytes that are out at the moment and count in the budget. */
  readonly inUse: number
  /** So many senders can have a part of `bytes` each at once, when enough of them are slow. */
  senders(bytes: number): number
}

/** Memory for one part, in the hands of one sender. */
export interface PartLoan {
  readonly memory: SharedArrayBuffer
  /** So much more has come that its sender is not slow: a MiB. */
  moved(): void
  /** All has come: from now on it waits for the object store, not for its sender. No `moved` may follow. */
  filled(): void
  give(): void
}

export interface PartMemoryOptions {
  /** a single part larger than this is still served, alone */
  budgetBytes: number
  /** what parts of slow senders may take beside the budget */
  slowBytes: number
  /** ms without `moved` after which a sender is slow */
  slowAfterMs: number
}

export function createPartMemory({ budgetBytes, slowBytes, slowAfterMs }: PartMemoryOptions): PartMemory {
  const kept = createKept()
  let inUse = 0
  let slow = 0

  const fits = (bytes: number): boolean => inUse === 0 || inUse + bytes <= budgetBytes
  const trim = (): void => {
    kept.trim(budgetBytes + slowBytes - inUse - slow)
  }
  const { wait, wake, letsIn } = createLine(fits)

  const lend = (memory: SharedArrayBuffer): PartLoan => {
    const bytes = memory.byteLength
    let isSlow = false
    const timer = setTimeout(() => {
      if (slow + bytes > slowBytes) {
        timer.refresh() // until others are through
        return
      }
      isSlow = true
      slow += bytes
      inUse -= bytes
      wake()
    }, slowAfterMs)
    timer.unref()
    return {
      memory,
      moved: () => {
        if (!isSlow) timer.refresh()
      },
      filled: () => {
        clearTimeout(timer)
      },
      give: () => {
        clearTimeout(timer)
        if (isSlow) slow -= bytes
        else inUse -= bytes
        kept.add(memory)
        trim()
        wake()
      },
    }
  }

  return {
    get inUse() {
      return inUse
    },
    senders: (bytes) => Math.max(1, Math.floor(budgetBytes / bytes)) + Math.floor(slowBytes / bytes),
    tryTake: (bytes) => {
      if (!fits(bytes) || !letsIn(bytes)) return null
      const memory = kept.take(bytes)
      inUse += bytes
      trim()
      return lend(memory ?? new SharedArrayBuffer(bytes))
    },
    wait,
  }
}

/** Those who wait for memory, first come, first served; `wake` looks whether the first may come back. */
function createLine(fits: (bytes: number) => boolean) {
  const waiting: { bytes: number; resolve(): void }[] = []
  let promised = 0

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
    wake,
    wait: (bytes: number): Promise<void> =>
      new Promise((resolve) => {
        waiting.push({ bytes, resolve })
        wake()
      }),
    /** Whether nobody waits who comes before. */
    letsIn: (bytes: number): boolean => waiting.length === 0 || promised >= bytes,
  }
}

/** What was given back; the latest goes out again first. */
function createKept() {
  const memories: SharedArrayBuffer[] = []
  let total = 0
  return {
    add: (memory: SharedArrayBuffer): void => {
      memories.push(memory)
      total += memory.byteLength
    },
    take: (bytes: number): SharedArrayBuffer | undefined => {
      const at = memories.findLastIndex((memory) => memory.byteLength === bytes)
      if (at < 0) return undefined
      total -= bytes
      return memories.splice(at, 1)[0]
    },
    /** Lets go of the oldest until no more than `bytes` are left; parts are of few sizes, so this is rare. */
    trim: (bytes: number): void => {
      while (total > Math.max(0, bytes)) total -= memories.shift()?.byteLength ?? 0
    },
  }
}
