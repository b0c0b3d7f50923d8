/** Validation threads for tests; see validation.worker.ts for what they do. */
import type { Http, HttpRequest } from '../../http.ts'
import { createValidationThreads, startWorker } from '../../index.ts'
import type { ValidationThreads } from '../../index.ts'

export interface TestThreads extends ValidationThreads {
  /** lets documents that say `wait` go on */
  letGo: () => void
}

export interface TestThreadOptions {
  http?: Http
  /** what a thread asks the network for, for a signature that it cannot decide */
  ask?: HttpRequest
  thinkingMs?: number
  networkMs?: number
  threads?: number
  memoryMb?: number
}

export function startTestThreads(options: TestThreadOptions = {}): TestThreads {
  const { http = () => Promise.reject(new Error('no network')), ask, threads = 1, memoryMb = 256 } = options
  const flag = new SharedArrayBuffer(4)
  const workerData = { flag, ask }
  const resourceLimits = { maxOldGenerationSizeMb: memoryMb }
  const pool = createValidationThreads({
    start: () => startWorker(import.meta.url, 'validation', { workerData, resourceLimits }),
    http,
    threads,
    limits: { thinkingMs: options.thinkingMs ?? 60_000, networkMs: options.networkMs ?? 60_000 },
  })
  return {
    ...pool,
    letGo: () => {
      Atomics.store(new Int32Array(flag), 0, 1)
      Atomics.notify(new Int32Array(flag), 0)
    },
  }
}
