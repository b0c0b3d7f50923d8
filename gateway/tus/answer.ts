/**
 * Sends an answer, also to a client that is still in the middle of sending its body.
 *
 * A server that refuses an upload and closes at once resets the connection, and the client sees a broken pipe instead
 * of the reason. So the answer goes out whole, what still arrives is thrown away within bounds, then we hang up.
 */
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import type { Context } from 'koa'

export interface Answer {
  status: number
  headers: Record<string, string>
  /** null = no body */
  body: string | null
}

/** How much of a refused body is thrown away before we hang up. */
export const LINGER_BYTES = 4 * 1024 * 1024
export const LINGER_MS = 2_000

/** Sends `answer`; resolves when the connection is done with it. */
export async function sendAnswer(ctx: Context, answer: Answer): Promise<void> {
  if (ctx.req.socket.destroyed) {
    ctx.respond = false // the client is gone
    return
  }
  ctx.set(answer.headers)
  ctx.status = answer.status
  if (answer.status === CHECKSUM_MISMATCH) ctx.message = 'Checksum Mismatch'
  if (ctx.req.complete) ctx.body = answer.body
  else await sendAndLinger(ctx, answer)
}

/** tus checksum extension; no registered status, so Node has no words for it. */
const CHECKSUM_MISMATCH = 460

async function sendAndLinger(ctx: Context, { body }: Answer): Promise<void> {
  ctx.respond = false
  ctx.set('Connection', 'close')
  ctx.set('Content-Length', String(body === null ? 0 : Buffer.byteLength(body)))
  if (body === null || ctx.method === 'HEAD') ctx.res.flushHeaders()
  else ctx.res.write(body)
  await discard(ctx.req)
  ctx.res.end()
}

function discard(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    const stop = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(stop, LINGER_MS)
    finished(request, stop)
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length
      if (seen > LINGER_BYTES) stop()
    })
    request.resume()
  })
}
