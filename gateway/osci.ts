/**
 * The embedded intermediary behind `POST /osci`. Bytes in, bytes out: who may say what there is decided by the
 * signatures inside, not by sessions, so this endpoint reads no cookie and no token.
 */
import type { Middleware } from 'koa'
import { GatewayError } from './errors.ts'
import { readBody } from './http/input.ts'

/** Answers one OSCI request; refusals are OSCI messages too. */
export type AnswerOsci = (request: Buffer) => Promise<{ status: number; contentType: string; body: Buffer }>

const PATH = '/osci'
/** Requests are held in memory while they are checked, so few at a time. */
const AT_ONCE = 4

/** @param maxBytes largest request; more is answered with 413 */
export function osciMiddleware(answer: AnswerOsci, maxBytes: number): Middleware {
  let active = 0
  return async (ctx, next) => {
    if (ctx.path !== PATH) {
      await next()
      return
    }
    ctx.state['route'] = `${ctx.method} ${PATH}`
    ctx.state['face'] = 'api'
    if (ctx.method !== 'POST') throw new GatewayError('gateway/method-not-allowed')
    if (active >= AT_ONCE) throw new GatewayError('gateway/busy', { retryAfterSeconds: 1 })
    active += 1
    try {
      const reply = await answer(await readBody(ctx.req, maxBytes))
      ctx.status = reply.status
      ctx.set('Content-Type', reply.contentType)
      ctx.body = reply.body
    } finally {
      active -= 1
    }
  }
}
