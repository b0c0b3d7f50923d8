/** Runs a batch of seals to its end in this process, beside a server or without one, and shows how far it is. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { House } from './compose.ts'
import type { Progress } from './output.ts'
import type { SealBatch, SealBatchId } from '../storage/index.ts'

/** How long a process that was killed still holds its work; see storage/jobs. */
export const TAKEN_OVER_WITHIN_MINUTES = 2

/** A server that claimed the job first does the work; then this only watches. */
export async function sealRoom(
  { storage, worker }: Pick<House, 'storage' | 'worker'>,
  id: SealBatchId,
  progress: Progress,
): Promise<SealBatch> {
  let ended = false
  const watching = watch()
  try {
    for (;;) {
      await worker.runDue()
      const batch = await storage.sealBatches.byId(id)
      if (batch.state !== 'running') return batch
      const [job] = (await storage.jobs.list({ kind: 'seal-batch', subject: id })).items
      // failed and put aside, or waiting for a later try: the operator should know why
      if (job?.state !== 'running') return batch
      await sleep(WATCH_MS)
    }
  } finally {
    ended = true
    await watching
    progress.end()
  }

  async function watch(): Promise<void> {
    while (!ended) {
      const { sealed, failed, total } = await storage.sealBatches.byId(id)
      progress.update(sealed + failed, total)
      await sleep(WATCH_MS)
    }
  }
}

const WATCH_MS = 500
