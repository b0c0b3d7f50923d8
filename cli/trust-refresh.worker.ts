/** The inner side of trust-refresh-thread.ts: one refresh, one answer. */
import { parentPort, workerData } from 'node:worker_threads'
import { trustOf } from './compose.ts'
import { CliError } from './errors.ts'
import type { RefreshOrder, RefreshResult } from './trust-refresh-thread.ts'
import { SigningError } from '../signing/index.ts'

const { config, now } = workerData as RefreshOrder

async function refresh(): Promise<RefreshResult> {
  try {
    const { problems, snapshot } = await trustOf({ trust: config }, { clock: () => now }).refresh()
    return { kind: 'refreshed', lists: snapshot.lists.length, problems }
  } catch (error) {
    // classes are lost between threads; what the job tells of an error is its code
    if (error instanceof SigningError || error instanceof CliError) return { kind: 'failed', code: error.code }
    throw error
  }
}

parentPort?.postMessage(await refresh())
