/**
 * Adapter: wake-ups through BullMQ on Redis, for several processes on one database.
 *
 * Redis holds job ids and times only, and may lose them. Commands of the producer fail at once while Redis is away; the
 * consumer's connection waits for its return.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'

import type { World } from '../world.ts'
import { codeOf } from './fault-code.ts'
import type { JobQueue } from './queue.ts'

export interface BullmqConfig {
  /** redis://, rediss:// or the path of a socket; may hold a password and is never logged */
  readonly url: string
  /** sets this installation's keys apart from others in the same Redis */
  readonly prefix: string
}

const QUEUE_NAME = 'wake'
/** How long a Redis that is there may take to let go. */
const STOP_MS = 3_000
type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>
const CONNECTION: ConnectionOptions = {
  connectTimeout: 5_000,
  retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 6), 5_000),
}

export function bullmqQueue(config: BullmqConfig, { clock, log }: Pick<World, 'clock' | 'log'>): JobQueue {
  const connections: Redis[] = []
  const complain = createComplaint(log)
  const producer = connect({ ...CONNECTION, enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2_000 })
  const queue = new Queue<{ jobId: string }>(QUEUE_NAME, {
    connection: producer,
    prefix: config.prefix,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    streams: { events: { maxLen: 100 } },
  })
  queue.on('error', complain)
  let consumer: Redis | null = null
  let worker: Worker | null = null
  let isStopped = false

  function connect(options: ConnectionOptions): Redis {
    const redis = new Redis(config.url, options)
    redis.on('error', complain)
    connections.push(redis)
    // BullMQ makes its blocking connection out of this one; it must be ended too when Redis is gone
    const duplicate = (override?: ConnectionOptions): Redis => connect({ ...options, ...override })
    return Object.assign(redis, { duplicate })
  }

  return {
    wake(jobId, at) {
      const delay = Math.max(0, at.getTime() - clock().getTime())
      if (isStopped || Number.isNaN(delay)) return
      if (producer.status !== 'ready') {
        complain(new Error('redis is away'))
        return
      }
      queue.add('look', { jobId }, { delay }).catch(complain)
    },
    start(onWake) {
      const connection = connect({ ...CONNECTION, maxRetriesPerRequest: null })
      consumer ??= connection
      // only now: a BullMQ worker that never saw its server cannot be closed
      connection.once('ready', () => {
        if (isStopped) return
        const options = { connection, prefix: config.prefix, concurrency: 1 }
        // one wake-up at a time: `onWake` lasts until this process has a free place
        worker ??= new Worker(QUEUE_NAME, onWake, options)
        worker.on('error', complain)
      })
      return Promise.resolve()
    },
    async stop() {
      isStopped = true
      const isThere = consumer?.status === 'ready' && producer.status === 'ready'
      const closing = Promise.all([worker?.close(!isThere), queue.close()]).catch(complain)
      await Promise.race([closing, sleep(isThere ? STOP_MS : 100, undefined, { ref: false })])
      for (const redis of connections) redis.disconnect()
    },
  }
}

/** Logs the first failure of a row of failures, and one line a minute while they go on. */
function createComplaint(log: World['log']): (error: unknown) => void {
  let quietUntil = 0
  return (error) => {
    if (performance.now() < quietUntil) return
    quietUntil = performance.now() + 60_000
    log.warn({ code: codeOf(error) }, 'redis does not take or bring wake-ups; jobs are looked for once a minute')
  }
}
