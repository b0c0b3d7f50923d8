/**
 * Threads that put small objects: sealing, opening, writing, flushing and closing are one message there and back, where
 * Node's own pool of threads comes back to the event loop after each. While one waits for the disk, the others work.
 */
import type { Worker } from 'node:worker_threads'

import type { SegmentCipher } from '../cipher/chunks.ts'
import { startWorker } from '../cipher/start-worker.ts'

const THREADS = 4

export interface PutQuestion {
  id: number
  path: string
  /** descriptor of the folder; descriptors belong to the process, not to a thread */
  folder: number
  bytes: Uint8Array
  /** what to seal the bytes with first; null = they are sealed */
  cipher: SegmentCipher | null
}

/** `code`: what the disk said, such as ENOSPC; null = done. `sha256`: of the plaintext, hex, where it was sealed there. */
export interface PutAnswer {
  id: number
  code: string | null
  sha256: string
  /** of the question's bytes: it goes back */
  memory: ArrayBuffer
}

export interface PutThreads {
  /** Rejects with an error that has the disk's `code`. */
  put(path: string, folder: number, bytes: Uint8Array): Promise<void>
  /** Seals as one whole segment, then as `put`. @returns SHA-256 of the plaintext, hex */
  sealAndPut(path: string, folder: number, content: { plain: Uint8Array; cipher: SegmentCipher }): Promise<string>
  close(): Promise<void>
}

export function createPutThreads(): PutThreads {
  const memory = travellingMemory()
  const threads = Array.from({ length: THREADS }, () => createThread(memory.give))
  const ask = (order: Omit<PutQuestion, 'id'>): Promise<string> => {
    const idlest = threads.reduce((best, next) => (next.waiting() < best.waiting() ? next : best))
    const bytes = new Uint8Array(memory.take(order.bytes.length), 0, order.bytes.length)
    bytes.set(order.bytes)
    return idlest.put({ ...order, bytes })
  }
  return {
    put: async (path, folder, bytes) => {
      await ask({ path, folder, bytes, cipher: null })
    },
    sealAndPut: (path, folder, { plain, cipher }) => ask({ path, folder, bytes: plain, cipher }),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

/**
 * Memory that goes to a thread with its bytes and comes back with the answer. A thread that only dropped it would keep
 * tens of MB, because its own garbage collector has little else to do.
 */
function travellingMemory() {
  const kept: ArrayBuffer[] = []
  let keptBytes = 0
  return {
    take: (bytes: number): ArrayBuffer => {
      const size = Math.max(LEAST_MEMORY_BYTES, 2 ** Math.ceil(Math.log2(bytes)))
      const at = kept.findLastIndex(({ byteLength }) => byteLength === size)
      if (at < 0) return new ArrayBuffer(size)
      keptBytes -= size
      return kept.splice(at, 1)[0] ?? new ArrayBuffer(size)
    },
    give: (memory: ArrayBuffer): void => {
      kept.push(memory)
      keptBytes += memory.byteLength
      while (keptBytes > MOST_KEPT_BYTES) keptBytes -= kept.shift()?.byteLength ?? 0
    },
  }
}

/** In powers of two, so that files of all sizes share it. */
const LEAST_MEMORY_BYTES = 4096
const MOST_KEPT_BYTES = 4 * 1024 * 1024

/**
 * One thread, started when it is first needed; holds the process alive only while it has work.
 *
 * @param give takes the memory back that travelled with a question
 */
function createThread(give: (memory: ArrayBuffer) => void) {
  const open = new Map<number, { resolve: (sha256: string) => void; reject: (error: Error) => void }>()
  let worker: Worker | null = null
  let last = 0

  const start = (): Worker => {
    const started = startWorker(import.meta.url, 'put')
    started.on('message', ({ id, code, sha256, memory }: PutAnswer) => {
      give(memory)
      const question = open.get(id)
      open.delete(id)
      if (open.size === 0) started.unref()
      if (code === null) question?.resolve(sha256)
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
    put: (order: Omit<PutQuestion, 'id'> & { bytes: Uint8Array<ArrayBuffer> }): Promise<string> =>
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
