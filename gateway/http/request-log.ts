/**
 * One log line per request: id, route, status, duration.
 *
 * The route's pattern stands for the address, which may hold an invitation, a ticket or an id; query, headers and
 * bodies are never logged.
 */
import { performance } from 'node:perf_hooks'
import type { Middleware } from 'koa'
import { newId } from '../../storage/index.ts'
import type { Logger, Random } from '../../storage/index.ts'

export function requestLog(log: Logger, random: Random): Middleware {
  return async (ctx, next) => {
    const started = performance.now()
    const requestId = newId(random)
    ctx.state['requestId'] = requestId
    ctx.set('X-Request-Id', requestId)
    ctx.res.once('close', () => {
      const route: unknown = ctx.state['route']
      log.info(
        {
          requestId,
          route: typeof route === 'string' ? route : `${ctx.method} (none)`,
          status: ctx.res.statusCode,
          whole: ctx.res.writableFinished,
          milliseconds: Math.round(performance.now() - started),
        },
        'request',
      )
    })
    await next()
  }
}
