/** Asks a Redis whether it is there, for `amtsbote doctor`. */
import { Redis } from 'ioredis'

const PATIENCE_MS = 5_000

/**
 * @param url may hold a password; it is in no error
 * @returns the server's version. Rejects when there is no answer, or none without another password
 */
export async function probeRedis(url: string): Promise<string> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    retryStrategy: () => null,
  })
  // What went wrong is told by the command below.
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'
  } finally {
    redis.disconnect()
  }
}
