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
const LINGER_BYTES = 4 * 1024 * 1024
const LINGER_MS = 2_000

/** Sends `answer`, past Koa, which would add a type and a status of its own to an empty one. */
export async function sendAnswer(ctx: Context, { status, headers, body }: Answer): Promise<void> {
  const { req, res } = ctx
  ctx.respond = false
  if (req.socket.destroyed) return // the client is gone
  res.statusCode = status
  if (status === CHECKSUM_MISMATCH) res.statusMessage = 'Checksum Mismatch'
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  // RFC 9110 §8.6: no Content-Length in a 204
  if (status !== 204) res.setHeader('Content-Length', body === null ? 0 : Buffer.byteLength(body))
  if (req.complete) {
    res.end(body ?? undefined)
    return
  }
  res.setHeader('Connection', 'close')
  if (body === null) res.flushHeaders()
  else res.write(body)
  await discard(req)
  res.end()
}

/** tus checksum extension; no registered status, so Node has no words for it. */
const CHECKSUM_MISMATCH = 460

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
