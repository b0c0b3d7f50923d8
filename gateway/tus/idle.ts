/**
 * Lets a request live as long as its bytes keep coming, and no longer.
 *
 * A large upload outlives any limit on a whole request (`server.requestTimeout` must be 0 where uploads are served),
 * so what is limited is silence: a client that we wait for and that sends nothing.
 */
import type { IncomingMessage } from 'node:http'

/**
 * Destroys the connection after `idleMs` of silence while we wait for the client. Time in which we ourselves do not
 * read (a slow bucket) is not the client's fault and does not count.
 */
export function limitSilence(request: IncomingMessage, idleMs: number): void {
  request.setTimeout(idleMs, () => {
    const waitsForUs = request.readableLength > 0 || request.isPaused()
    if (waitsForUs || request.complete) request.socket.setTimeout(idleMs)
    else request.destroy(new Error('the client went silent'))
  })
}
