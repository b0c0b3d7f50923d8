/**
 * One HTTP exchange with an intermediary: bytes there, bytes back (HTTP binding of OSCI 1.2).
 *
 * Says *unreachable* (nothing left this machine, sending again is harmless) or *unknown* (the request left and no whole
 * answer came back: the outcome must be asked about). Knows nothing of messages.
 */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

/** What became of one request. */
export type Exchange =
  | { kind: 'answered'; body: Buffer }
  /** no connection came about: the peer has seen nothing */
  | { kind: 'unreachable'; cause: unknown }
  /** bytes left, no complete usable answer came back */
  | { kind: 'unknown'; cause: unknown }

/**
 * Sends one OSCI message and waits for the answer.
 *
 * Never throws for the network: the three outcomes are values. `signal` ends the wait; an exchange ended by it is
 * `unreachable` before the connection stands and `unknown` after.
 */
export type OsciTransport = (message: Buffer, signal?: AbortSignal) => Promise<Exchange>

export interface HttpTransportSettings {
  /** where the intermediary listens, http: or https: */
  url: string
  /** longest wait for the connection */
  connectTimeoutMs: number
  /** longest wait without any byte once connected */
  answerTimeoutMs: number
  /** largest answer that is read */
  maxAnswerBytes: number
  /** PEM certificates to trust for TLS beside the built-in ones */
  certificateAuthority?: string
}

/** A transport over HTTP or HTTPS; redirects are not followed, one connection per message. */
export function httpTransport(settings: HttpTransportSettings): OsciTransport {
  const url = new URL(settings.url)
  return (message, signal) =>
    new Promise<Exchange>((resolve) => {
      let left = false
      const fail = (cause: unknown): void => {
        resolve({ kind: left ? 'unknown' : 'unreachable', cause })
      }
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const outgoing = send(url, {
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'text/xml; charset=UTF-8', 'content-length': message.length },
        ...(signal ? { signal } : {}),
        ...(settings.certificateAuthority ? { ca: settings.certificateAuthority } : {}),
      })
      const connecting = setTimeout(
        () => outgoing.destroy(new Error('no connection in time')),
        settings.connectTimeoutMs,
      )
      outgoing.on('socket', (socket) => {
        // From here on a byte may have left; a TLS socket writes nothing of ours before its handshake is over.
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
          clearTimeout(connecting)
          left = true
        })
      })
      outgoing.setTimeout(settings.answerTimeoutMs, () => outgoing.destroy(new Error('no answer in time')))
      outgoing.on('error', fail)
      outgoing.on('close', () => {
        clearTimeout(connecting)
      })
      outgoing.on('response', (response) => {
        readAnswer(response, settings.maxAnswerBytes).then((body) => {
          // OSCI answers everything with 200, faults included: another status is somebody in between.
          if (response.statusCode === 200) resolve({ kind: 'answered', body })
          else fail(new Error(`HTTP status ${response.statusCode ?? 0}`))
        }, fail)
      })
      outgoing.end(message)
    })
}

async function readAnswer(response: NodeJS.ReadableStream, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`answer exceeds ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
