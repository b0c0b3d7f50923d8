/**
 * The HTTP or HTTPS server under the application: limits of Node's parser, listening, and an end that is bounded.
 *
 * `requestTimeout` is off because an upload may take hours; silence is limited where bodies are read, headers have their own limit here.
 */
import { createServer as createHttp, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostOf, portOf, type Config } from './config.ts'
import { readTlsFiles } from './tls-files.ts'

export interface HttpServer {
  /** port that was taken; differs from the configured one when that is 0 */
  port: number
  /** sets who answers; before that every request is told to come back */
  answerWith: (listener: RequestListener) => void
  /** Takes nothing new, lets what runs end within `graceMs`, then cuts it. */
  stop: (graceMs: number) => Promise<void>
}

const OPTIONS: ServerOptions = {
  requestTimeout: 0,
  headersTimeout: 20_000,
  keepAliveTimeout: 15_000,
  maxHeaderSize: 32 * 1024,
  connectionsCheckingInterval: 5_000,
  // Larger socket reads cost fewer calls per uploaded GiB.
  highWaterMark: 256 * 1024,
}

/** Listens as the configuration says; throws cli/bad-config when the certificate does not fit, or the system's error (EADDRINUSE). */
export async function listen(config: Config): Promise<HttpServer> {
  let listener: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1', 'content-length': '0' }).end()
  }
  const server = createServer(config, (request, response) => {
    listener(request, response)
  })
  server.maxRequestsPerSocket = 0
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    else socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: hostOf(config.listen), port: portOf(config.listen) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    answerWith: (next) => {
      listener = next
    },
    stop: (graceMs) => stop(server, graceMs),
  }
}

function createServer(config: Config, listener: RequestListener): Server {
  if (!config.tls) return createHttp(OPTIONS, listener)
  return createHttps({ ...OPTIONS, ...readTlsFiles(config.tls), minVersion: 'TLSv1.2' }, listener)
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  // A connection that answers its last request now would stay open, idle, until its keep-alive runs out.
  const idle = setInterval(() => {
    server.closeIdleConnections()
  }, 20)
  const cut = setTimeout(() => {
    server.closeAllConnections()
  }, graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
}
