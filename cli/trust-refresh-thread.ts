/**
 * Refreshes the trusted lists in a thread of its own: to read and verify a large one takes half a second, all of them
 * several, and nobody would be answered meanwhile. The thread ends with its work, and its memory with it.
 */
import { once } from 'node:events'
import type { TrustConfig } from './config-trust.ts'
import { startWorker } from '../signing/index.ts'
import type { Refreshed } from '../signing/index.ts'

export interface RefreshOrder {
  config: TrustConfig
  now: Date
}

export type RefreshResult =
  | { kind: 'refreshed'; lists: number; problems: Refreshed['problems'] }
  /** `code`: of the error */
  | { kind: 'failed'; code: string }

/**
 * @param signal once aborted, the thread is ended: what it has stored by then is whole, as after a killed process
 * @throws when the thread ends without an answer, or is ended
 */
export async function refreshInThread(workerData: RefreshOrder, signal: AbortSignal): Promise<RefreshResult> {
  signal.throwIfAborted()
  const resourceLimits = { maxOldGenerationSizeMb: THREAD_MEMORY_MB }
  const worker = startWorker(import.meta.url, 'trust-refresh', { workerData, resourceLimits })
  const lost = once(worker, 'exit').then(() => {
    throw new Error('the thread that refreshed the trusted lists has ended')
  })
  lost.catch(() => undefined) // it ends after its answer, too
  try {
    const [result] = (await Promise.race([once(worker, 'message', { signal }), lost])) as [RefreshResult]
    return result
  } finally {
    await worker.terminate()
  }
}

/** as much as a thread that validates with these lists may take */
const THREAD_MEMORY_MB = 768
