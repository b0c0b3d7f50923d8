/**
 * The embedded intermediary behind `POST /osci`. Bytes in, bytes out: who may say what there is decided by the
 * signatures inside, not by sessions, so this endpoint reads no cookie and no token.
 */
import type { Context, Middleware } from 'koa'
import { GatewayError } from './errors.ts'
import { readBody } from './http/body.ts'
import type { BodyMemory } from './http/body.ts'

/** Answers one OSCI request; refusals are OSCI messages too. */
export type AnswerOsci = (request: Buffer) => Promise<{ status: number; contentType: string; body: Buffer }>

const PATH = '/osci'
/** Requests are held in memory while they are checked, so few at a time. */
const AT_ONCE = 4

/** @param maxBytes largest request; more is answered with 413 */
export function osciMiddleware(answer: AnswerOsci, maxBytes: number): Middleware {
  // What arrives slowly takes no place from others, only its bytes: whoever opens a connection and waits blocks nobody.
  const memory: BodyMemory = { budget: AT_ONCE * maxBytes, held: 0 }
  let active = 0

  async function reply(ctx: Context, body: Buffer): Promise<void> {
    if (active >= AT_ONCE) throw new GatewayError('gateway/busy', { retryAfterSeconds: 1 })
    active += 1
    try {
      const reply = await answer(body)
      ctx.status = reply.status
      ctx.set('Content-Type', reply.contentType)
      ctx.body = reply.body
    } finally {
      active -= 1
    }
  }

  return async (ctx, next) => {
    if (ctx.path !== PATH) {
      await next()
      return
    }
    ctx.state['route'] = `${ctx.method} ${PATH}`
    ctx.state['face'] = 'api'
    if (ctx.method !== 'POST') throw new GatewayError('gateway/method-not-allowed')
    const body = await readBody(ctx.req, { limit: maxBytes, memory })
    try {
      await reply(ctx, body)
    } finally {
      memory.held -= body.length
    }
  }
}
