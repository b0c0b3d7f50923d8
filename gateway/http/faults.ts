/**
 * Where every fault ends: logged once, answered as a problem document or as a page.
 *
 * An answer that has begun cannot be taken back; its connection is cut, so that the client sees it is not whole.
 */
import type { Context, Middleware } from 'koa'
import type { Logger } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import { problemDocument, problemOf } from './problem.ts'
import type { Problem } from './problem.ts'
import { wordingOf } from '../web/text.ts'

/** Renders a fault for a person; sets body and type, or redirects. */
export type FaultPage = (ctx: Context, problem: Problem, requestId: string) => Promise<void>

/** Catches what the handlers throw. `page` renders for people; programs get `application/problem+json`. */
export function renderFaults(log: Logger, page: FaultPage): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined && ctx.respond !== false)
        throw new GatewayError('gateway/not-found')
    } catch (error) {
      const problem = problemOf(error)
      note(log, ctx, problem, error)
      if (ctx.res.headersSent || ctx.respond === false) ctx.res.destroy()
      else await answer(ctx, problem, page)
    }
  }
}

async function answer(ctx: Context, problem: Problem, page: FaultPage): Promise<void> {
  const requestId = String(ctx.state['requestId'])
  ctx.remove('Content-Length')
  ctx.remove('Content-Disposition')
  if (problem.retryAfterSeconds !== null) ctx.set('Retry-After', String(problem.retryAfterSeconds))
  if (problem.status === 416) ctx.set('Content-Range', `bytes */${String(problem.facts['size'] ?? 0)}`)
  // What is left of a body that nobody read would be taken for the next request.
  if (!ctx.req.complete) ctx.set('Connection', 'close')
  if (wantsPage(ctx)) {
    await page(ctx, problem, requestId)
    return
  }
  // RFC 9110 §15.5.2: a 401 names the scheme that would help
  if (problem.status === 401) ctx.set('WWW-Authenticate', 'Bearer realm="amtsbote"')
  ctx.status = problem.status
  ctx.body = JSON.stringify(problemDocument(problem, requestId, wordingOf(ctx).language))
  ctx.type = 'application/problem+json; charset=utf-8'
}

function wantsPage(ctx: Context): boolean {
  const face: unknown = ctx.state['face']
  if (face === 'page' || face === 'api') return face === 'page'
  return !ctx.path.startsWith('/api/') && ctx.accepts('json', 'html') === 'html'
}

/** Expected refusals are worth a line without detail, surprises one with everything that helps to find them. */
function note(log: Logger, ctx: Context, problem: Problem, error: unknown): void {
  const fields = { requestId: String(ctx.state['requestId']), code: problem.code, status: problem.status }
  if (problem.status < 500) log.info(fields, 'request refused')
  else if (isHangUp(error)) log.info(fields, 'client went away')
  else log.error({ ...fields, causes: causesOf(error) }, 'request failed')
}

const HANG_UPS = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED'])

function isHangUp(error: unknown): boolean {
  return error instanceof Error && 'code' in error && HANG_UPS.has(String(error.code))
}

/** Names, codes and stacks along the chain of causes. */
export function causesOf(error: unknown): string[] {
  const causes: string[] = []
  for (let at = error; at instanceof Error && causes.length < 5; at = at.cause) causes.push(at.stack ?? at.name)
  return causes.length === 0 ? [typeof error] : causes
}
