/**
 * Sealing, opening and hashing in threads of their own, so that the main thread only receives and hands over.
 *
 * A lane keeps its running digests in one thread, which is fed in order; sealing and opening go to whichever thread has
 * least to do, so that one upload is not bound to one core. A thread that dies fails what it was asked and is replaced;
 * its digests are then gone (`endDigest` gives null).
 */
import type { Worker } from 'node:worker_threads'

import { StorageError } from '../errors.ts'
import type { ChunkKind, SegmentCipher } from './chunks.ts'
import type { DigestAlgorithm } from './kept-digests.ts'
import type { SealingRequest, SealingResult } from './sealing.ts'
import { startWorker } from './start-worker.ts'

/** Shared memory is sent to a thread once and then named by a number: to send it again each time is dear. */
export type SealerQuestion =
  | { kind: 'ask'; id: number; request: SealingRequest; memory: number }
  | { kind: 'share'; memory: number; bytes: SharedArrayBuffer }
  | { kind: 'unshare'; memory: number }

export type SealerAnswer = { id: number; result: SealingResult } | { id: number; damaged: boolean; message: string }

export interface Sealer {
  /** The lane for this name; always the same one for the same name. */
  lane(name: string): Lane
  close(): Promise<void>
}

export interface Region {
  memory: SharedArrayBuffer
  /** first byte of the region */
  at: number
  /** plaintext bytes in it */
  length: number
}

export interface Lane {
  /**
   * Feeds running digests with the plaintext of a region from `feed.from` on, in the order of calls, then seals it in place;
   * returns the sealed length.
   */
  seal(
    cipher: SegmentCipher,
    run: { first: number; end: ChunkKind },
    region: Region,
    feed: { names: readonly string[]; from: number },
  ): Promise<number>
  /** SHA-256 of the first bytes of shared memory, hex. */
  sha256(memory: SharedArrayBuffer, length: number): Promise<string>
  /**
   * Opens the run of chunks in the first `length` bytes of `memory`, in place. Nobody has the memory meanwhile: it is moved
   * away, and comes back as the answer with the plaintext at its beginning. After a fault it is gone.
   *
   * @throws StorageError `storage/object-damaged`
   */
  open(
    cipher: SegmentCipher,
    run: { first: number; end: ChunkKind },
    memory: ArrayBuffer,
    length: number,
  ): Promise<ArrayBuffer>
  startDigest(name: string, algorithm: DigestAlgorithm): void
  copyDigest(name: string, to: string): void
  /** The digest in hex; null when it was never started or its thread died. */
  endDigest(name: string): Promise<string | null>
  dropDigest(name: string): void
}

/** @param options.threads threads are started when they are first needed */
export function createSealer(options: { threads: number }): Sealer {
  const threads = Array.from({ length: Math.max(1, options.threads) }, () => createThread())
  const lanes = threads.map((thread, i) => {
    // Of equally idle ones the lane's own thread comes last: its digests are bound to it, all else is not.
    const order = [...threads.slice(i + 1), ...threads.slice(0, i + 1)]
    return createLane(thread, () => order.reduce((best, next) => (next.waiting() < best.waiting() ? next : best)))
  })
  return {
    lane: (name) => {
      let sum = 0
      for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) >>> 0
      const lane = lanes[sum % lanes.length]
      if (!lane) throw new RangeError('no lane')
      return lane
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

/** @param thread keeps the digests; @param idlest seals, opens and hashes what needs no order */
function createLane(thread: Thread, idlest: () => Thread): Lane {
  const told = (request: SealingRequest): void => {
    // A thread that dies here has lost its digests; endDigest will say so.
    thread.ask(request).catch(() => undefined)
  }
  return {
    seal: async (cipher, run, { memory, at, length }, { names, from }) => {
      // Sealing overwrites the plaintext, so the digests come first.
      if (names.length > 0 && from < length) {
        await thread.ask({ kind: 'feed', names, memory, at: at + from, length: length - from })
      }
      return Number(await idlest().ask({ kind: 'seal', cipher, ...run, memory, at, length }))
    },
    sha256: async (memory, length) => {
      const digest = await idlest().ask({ kind: 'sha256', memory, length })
      if (typeof digest !== 'string') throw new TypeError('the sealing thread answered something else')
      return digest
    },
    open: async (cipher, run, moved, length) => {
      const opened = await idlest().ask({ kind: 'open', cipher, ...run, moved, length }, [moved])
      if (!(opened instanceof ArrayBuffer)) throw new TypeError('the sealing thread answered something else')
      return opened
    },
    startDigest: (name, algorithm) => {
      told({ kind: 'digest-start', name, algorithm })
    },
    copyDigest: (name, to) => {
      told({ kind: 'digest-copy', name, to })
    },
    endDigest: async (name) => {
      const digest = await thread.ask({ kind: 'digest-end', name })
      return typeof digest === 'string' ? digest : null
    },
    dropDigest: (name) => {
      told({ kind: 'digest-drop', name })
    },
  }
}

type Thread = ReturnType<typeof createThread>

/** One worker with its unanswered questions; holds the process alive only while there are some. */
function createThread() {
  const open = new Map<number, { resolve: (result: SealingResult) => void; reject: (error: Error) => void }>()
  let worker: Worker | null = null
  let last = 0
  let shared = sharedMemories()

  const start = (): Worker => {
    shared = sharedMemories()
    const started = startWorker(import.meta.url, 'sealer')
    started.on('message', (answer: SealerAnswer) => {
      const question = open.get(answer.id)
      open.delete(answer.id)
      if (open.size === 0) started.unref()
      if ('result' in answer) question?.resolve(answer.result)
      else if (answer.damaged) question?.reject(new StorageError('storage/object-damaged', answer.message))
      else question?.reject(new Error(answer.message))
    })
    const ended = (cause?: unknown): void => {
      if (worker !== started) return
      worker = null
      const questions = [...open.values()]
      open.clear()
      for (const { reject } of questions) reject(new Error('the sealing thread ended', { cause }))
    }
    started.on('error', ended)
    started.on('exit', () => {
      ended()
    })
    started.unref()
    return started
  }

  return {
    /** questions without an answer yet */
    waiting: () => open.size,
    ask: (request: SealingRequest, moved: ArrayBuffer[] = []): Promise<SealingResult> =>
      new Promise((resolve, reject) => {
        worker ??= start()
        if (open.size === 0) worker.ref()
        const memory = 'memory' in request && request.memory ? shared.nameFor(worker, request.memory) : 0
        const id = ++last
        open.set(id, { resolve, reject })
        const sent = memory === 0 ? request : { ...request, memory: null }
        worker.postMessage({ kind: 'ask', id, request: sent, memory } satisfies SealerQuestion, moved)
      }),
    close: async () => {
      const closing = worker
      worker = null
      await closing?.terminate()
    },
  }
}

/** Names of the shared memory that one thread knows; memory that is gone here is forgotten there. */
function sharedMemories() {
  const names = new WeakMap<SharedArrayBuffer, number>()
  let last = 0
  let thread: Worker | null = null
  const gone = new FinalizationRegistry<number>((memory) => {
    thread?.postMessage({ kind: 'unshare', memory } satisfies SealerQuestion)
  })
  return {
    nameFor: (worker: Worker, bytes: SharedArrayBuffer): number => {
      thread = worker
      const known = names.get(bytes)
      if (known !== undefined) return known
      const memory = ++last
      names.set(bytes, memory)
      gone.register(bytes, memory)
      worker.postMessage({ kind: 'share', memory, bytes } satisfies SealerQuestion)
      return memory
    },
  }
}
