/**
 * Flushing what is written while more arrives, so that little is left to wait for at the end of a large object.
 *
 * Few run at once in a process: each occupies a thread of the pool that also writes. What is durable is still said by
 * the flush at the end alone; but a fault met here may not be told to it again (fsync(2), "EIO"), so it is kept.
 */
const FLUSH_BYTES = 16 * 1024 * 1024
const AT_ONCE = 2

let running = 0

export interface EarlyFlush {
  /** So many bytes more were written. @throws what a flush failed with */
  wrote(bytes: number): void
  /** Resolves when none runs. @throws what one failed with */
  end(): Promise<void>
}

export function createEarlyFlush(flush: () => Promise<void>): EarlyFlush {
  let unflushed = 0
  let now: Promise<void> | null = null
  let failure: { error: unknown } | null = null

  const start = async (): Promise<void> => {
    running++
    unflushed = 0
    try {
      await flush()
    } catch (error) {
      failure ??= { error }
    } finally {
      running--
      now = null
    }
  }
  const check = (): void => {
    if (failure !== null) throw failure.error as Error
  }
  return {
    wrote: (bytes) => {
      check()
      unflushed += bytes
      if (unflushed >= FLUSH_BYTES && now === null && running < AT_ONCE) now = start()
    },
    end: async () => {
      await now
      check()
    },
  }
}
