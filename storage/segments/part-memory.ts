/**
 * Shared memory for parts on their way, bounded for the whole process: a slow object store slows its senders down instead
 * of filling the memory.
 *
 * Two bounds. Parts that a sender fills while earlier ones of its own are on their way share the smaller one: they are
 * there for speed. The only part of a sender may go beyond it, for a sender without one stands still: many slow lines hold a
 * part each for as long as it takes to fill.
 *
 * What is given back is kept for the next part: new memory has to be cleared by the system and made known to each sealing
 * thread, and old memory lasts until the garbage collector comes. What is out and what is kept share the smaller bound.
 */

/** `only`: its sender has no other; `further`: it has. */
export type PartRole = 'only' | 'further'

export interface PartMemory {
  /** Memory of at least `bytes`, when there is room for it now and nobody waits for the same; else null. */
  tryTake(bytes: number, role: PartRole): SharedArrayBuffer | null
  /** A place in the line of those who wait for such a part; first come, first served. */
  wait(bytes: number, role: PartRole): PlaceInLine
  give(memory: SharedArrayBuffer): void
  /** Bytes that are out at the moment. */
  readonly inUse: number
  /** So many senders can have a part of `bytes` each. */
  senders(bytes: number): number
}

export interface PlaceInLine {
  /** Resolves when a `tryTake` is worth trying again. */
  granted: Promise<void>
  /** For whoever does not wait any longer; nothing happens when it was granted before. */
  leave(): void
}

/**
 * @param options.budgetBytes a single part larger than this is still served, alone
 * @param options.mostBytes what small parts (an eighth of the budget) may take together when each is its sender's only one
 */
export function createPartMemory({ budgetBytes, mostBytes }: { budgetBytes: number; mostBytes: number }): PartMemory {
  const kept: SharedArrayBuffer[] = []
  let inUse = 0
  let keptBytes = 0

  const boundOf = (bytes: number, role: PartRole): number =>
    role === 'only' && bytes <= budgetBytes / 8 ? mostBytes : budgetBytes
  const fits = (bytes: number, role: PartRole): boolean => inUse === 0 || inUse + bytes <= boundOf(bytes, role)
  const lines = { only: createLine('only', fits), further: createLine('further', fits) }

  const takeKept = (bytes: number): SharedArrayBuffer | undefined => {
    const at = kept.findLastIndex((memory) => memory.byteLength === bytes)
    if (at < 0) return undefined
    keptBytes -= bytes
    return kept.splice(at, 1)[0]
  }

  /** Lets go of the oldest kept until the budget holds; parts are of few sizes, so this is rare. */
  const trim = (): void => {
    while (keptBytes > 0 && inUse + keptBytes > budgetBytes) keptBytes -= kept.shift()?.byteLength ?? 0
  }

  return {
    get inUse() {
      return inUse
    },
    senders: (bytes) => Math.max(1, Math.floor(boundOf(bytes, 'only') / bytes)),
    tryTake: (bytes, role) => {
      if (!fits(bytes, role) || !lines[role].mayPass(bytes)) return null
      const memory = takeKept(bytes)
      inUse += bytes
      trim()
      return memory ?? new SharedArrayBuffer(bytes)
    },
    wait: (bytes, role) => lines[role].enter(bytes),
    give: (memory) => {
      inUse -= memory.byteLength
      kept.push(memory)
      keptBytes += memory.byteLength
      trim()
      lines.only.wake()
      lines.further.wake()
    },
  }
}

interface Line {
  enter(bytes: number): PlaceInLine
  /** Whether somebody may take so much without overtaking those who wait. */
  mayPass(bytes: number): boolean
  wake(): void
}

function createLine(role: PartRole, fits: (bytes: number, role: PartRole) => boolean): Line {
  const waiting: { bytes: number; resolve: () => void }[] = []
  let promised = 0

  const wake = (): void => {
    const next = waiting[0]
    if (next === undefined || !fits(next.bytes + promised, role)) return
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
    enter: (bytes) => {
      let place = { bytes, resolve: (): void => undefined }
      const granted = new Promise<void>((resolve) => {
        place = { bytes, resolve }
      })
      waiting.push(place)
      wake()
      const leave = (): void => {
        const at = waiting.indexOf(place)
        if (at < 0) return
        waiting.splice(at, 1)
        wake()
      }
      return { granted, leave }
    },
    mayPass: (bytes) => waiting.length === 0 || promised >= bytes,
    wake,
  }
}
