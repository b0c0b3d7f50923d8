/**
 * A worker process of its own for tests: works jobs of kind `erase` from the database and queue that its arguments name,
 * and says on its output which it has begun. Ends on SIGTERM as `serve` does.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { bullmqQueue } from '../../jobs/bullmq-queue.ts'
import { createClaims } from '../../jobs/claims.ts'
import { inProcessQueue } from '../../jobs/in-process-queue.ts'
import { createWorker } from '../../jobs/worker.ts'
import { openDatabase } from '../../metadata/database.ts'
import type { DatabaseConfig } from '../../metadata/database.ts'
import { memoryLog } from './job-desk.ts'

export interface JobProcessConfig {
  database: DatabaseConfig
  redis: { url: string; prefix: string } | null
  leaseMs: number
  sweepMs: number
  concurrency: number
  /** how long a job takes */
  workMs: number
}

const config = JSON.parse(process.argv[2] ?? '') as JobProcessConfig
const { leaseMs, sweepMs, concurrency } = config
const world = { clock: () => new Date(), log: memoryLog() }
const database = await openDatabase(config.database, world.log)
const queue = config.redis === null ? inProcessQueue(world) : bullmqQueue(config.redis, world)
const worker = createWorker({
  ...{ ...world, queue, claims: createClaims(database, world), options: { leaseMs, sweepMs, concurrency } },
  handlers: {
    erase: async (job) => {
      process.stdout.write(`${job.subject} ${job.attempts}\n`)
      await sleep(config.workMs)
      return { kind: 'done' }
    },
  },
})
process.once('SIGTERM', () => {
  void worker.stop().then(() => database.close())
})
await worker.start()
process.stdout.write('ready\n')
// the worker's own timers do not keep a process alive, as a server would
const alive = setInterval(() => undefined, 60_000)
process.once('SIGTERM', () => {
  clearInterval(alive)
})
