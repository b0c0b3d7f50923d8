/**
 * Threads that put small objects: opening, writing, flushing and closing are one message there and back, where Node's own
 * pool of threads comes back to the event loop after each. While one waits for the disk, the others write.
 */
import type { Worker } from 'node:worker_threads'

import { startWorker } from '../cipher/start-worker.ts'

const THREADS = 4

export interface PutQuestion {
  id: number
  path: string
  /** descriptor of the folder; descriptors belong to the process, not to a thread */
  folder: number
  bytes: Uint8Array
}

/** The code of what the disk said, such as ENOSPC; null = done. */
export interface PutAnswer {
  id: number
  code: string | null
}

export interface PutThreads {
  /** Rejects with an error that has the disk's `code`. */
  put(path: string, folder: number, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

export function createPutThreads(): PutThreads {
  const threads = Array.from({ length: THREADS }, createThread)
  return {
    put: (path, folder, bytes) => {
      const idlest = threads.reduce((best, next) => (next.waiting() < best.waiting() ? next : best))
      return idlest.put({ path, folder, bytes: new Uint8Array(bytes) })
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

/** One thread, started when it is first needed; holds the process alive only while it has work. */
function createThread() {
  const open = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  let worker: Worker | null = null
  let last = 0

  const start = (): Worker => {
    const started = startWorker(import.meta.url, 'put')
    started.on('message', ({ id, code }: PutAnswer) => {
      const question = open.get(id)
      open.delete(id)
      if (open.size === 0) started.unref()
      if (code === null) question?.resolve()
      else question?.reject(Object.assign(new Error(`the disk says ${code}`), { code }))
    })
    const ended = (cause?: unknown): void => {
      if (worker !== started) return
      worker = null
      for (const { reject } of open.values()) reject(new Error('the writing thread ended', { cause }))
      open.clear()
    }
    started.on('error', ended)
    started.on('exit', () => {
      ended()
    })
    started.unref()
    return started
  }

  return {
    waiting: () => open.size,
    put: (order: Omit<PutQuestion, 'id'> & { bytes: Uint8Array<ArrayBuffer> }): Promise<void> =>
      new Promise((resolve, reject) => {
        worker ??= start()
        if (open.size === 0) worker.ref()
        const id = ++last
        open.set(id, { resolve, reject })
        worker.postMessage({ ...order, id } satisfies PutQuestion, [order.bytes.buffer])
      }),
    close: async () => {
      const closing = worker
      worker = null
      await closing?.terminate()
    },
  }
}
