/**
 * Two answers for whoever watches the process: it runs; it can work.
 *
 * They say nothing else, because anybody may ask.
 */
import type { Middleware } from 'koa'
import type { Storage } from '../storage/index.ts'

/** How long readiness waits for the database before it says no. */
const PING_MS = 2_000

/** Answers `/health/live` and `/health/ready`, before sessions, limits and log lines of requests. */
export function healthMiddleware(storage: Pick<Storage, 'database'>): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/health/live' && ctx.path !== '/health/ready') {
      await next()
      return
    }
    ctx.state['route'] = `GET ${ctx.path}`
    ctx.set('Cache-Control', 'no-store')
    const ready = ctx.path === '/health/live' || (await answers(storage.database))
    ctx.status = ready ? 200 : 503
    ctx.body = { status: ready ? 'ok' : 'unavailable' }
  }
}

async function answers(database: Storage['database']): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, PING_MS, false)
    timer.unref()
  })
  try {
    return await Promise.race([database.ping().then(() => true), late])
  } catch {
    // The database's own log line says why; here only the verdict counts.
    return false
  } finally {
    clearTimeout(timer)
  }
}
