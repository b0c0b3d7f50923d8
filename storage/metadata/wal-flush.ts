/**
 * Flushing SQLite's write-ahead log beside the statements instead of inside of each COMMIT.
 *
 * With `synchronous=NORMAL` a COMMIT writes the log and does not flush it; checkpoints still do, so the file is always
 * whole (sqlite.org/pragma.html#pragma_synchronous). What makes a commit durable is the flush here, on another thread;
 * whoever committed while one ran shares the next. Nobody may be answered before `settled`. docs/decisions/0012.
 */
import { open, realpath, type FileHandle } from 'node:fs/promises'

import { unavailable } from './faults.ts'

export interface WalFlush {
  /** Something was committed. @throws StorageError `storage/database-unavailable` an earlier flush has failed */
  committed(): void
  /**
   * Resolves when all that was committed before this call is on the disk; at once when it is there already.
   *
   * @throws StorageError `storage/database-unavailable` a flush has failed: what it covered may be kept or lost
   */
  settled(): Promise<void>
  /** @throws StorageError `storage/database-unavailable` an earlier flush has failed */
  check(): void
  close(): Promise<void>
}

/** @param flush resolves when what was written before it was called is on the disk */
export function createWalFlush(flush: () => Promise<void>, close: () => Promise<void>): WalFlush {
  // What a killed program left in the log may not be on the disk either: the first look flushes it.
  let committed = 1
  let flushed = 0
  let running: Promise<void> | null = null
  let failure: unknown = null

  const flushOnce = async (): Promise<void> => {
    const upTo = committed
    try {
      await flush()
      flushed = upTo
    } catch (error) {
      // After a failed flush the system may call the same pages clean: a later success would prove nothing.
      failure = error
    } finally {
      running = null
    }
  }
  const check = (): void => {
    if (failure !== null) throw unavailable(failure)
  }

  return {
    committed: () => {
      committed++
    },
    settled: async () => {
      const mine = committed
      while (flushed < mine) {
        check()
        running ??= flushOnce()
        await running
      }
      check()
    },
    check,
    close: async () => {
      await running
      await close()
    },
  }
}

/** @param path of the database; its log lies beside the real file, and stays the same one while a connection is open */
export function walFlushOf(path: string): WalFlush {
  let opened: Promise<FileHandle> | null = null
  return createWalFlush(
    async () => {
      opened ??= realpath(path).then((real) => open(`${real}-wal`, 'r'))
      await (await opened).datasync()
    },
    async () => {
      const file = await opened?.catch(() => null)
      await file?.close()
    },
  )
}

/** For a database without a file. */
export function noFlush(): WalFlush {
  return createWalFlush(
    () => Promise.resolve(),
    () => Promise.resolve(),
  )
}
