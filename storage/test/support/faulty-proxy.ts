/** A proxy before an S3 server that answers, delays or cuts requests as it is told. */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export type Fault =
  /** the server is not asked */
  | { kind: 'answer'; status: number }
  /** the server is not asked, the connection ends */
  | { kind: 'cut' }
  /** the server does what it was asked, its answer is lost */
  | { kind: 'lose-answer' }
  /** after a while the connection ends; the server is not asked */
  | { kind: 'cut-late'; ms: number }

export interface FaultyProxy {
  endpoint: string
  /** asked for each request; null = pass it on */
  decide: (request: { method: string; url: string; clientPort: number | undefined }) => Fault | null
  /** stops listening and ends all connections: the server is away */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export async function faultyProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target)
  let server: Server
  const proxy: FaultyProxy = {
    endpoint: '',
    decide: () => null,
    goAway: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    comeBack: () => listen(Number(new URL(proxy.endpoint).port)),
  }

  const handle = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const clientPort = incoming.socket.remotePort
    const fault = proxy.decide({ method: incoming.method ?? '', url: incoming.url ?? '', clientPort })
    incoming.on('error', () => undefined)
    if (fault?.kind === 'cut' || fault?.kind === 'cut-late') {
      if (fault.kind === 'cut-late') await pause(fault.ms)
      incoming.socket.destroy()
      return
    }
    if (fault?.kind === 'answer') {
      incoming.resume()
      incoming.on('end', () => answer.writeHead(fault.status).end())
      return
    }
    const { method, url, headers } = incoming
    const outgoing = request({ hostname, port, method, path: url, headers }, (result) => {
      if (fault?.kind === 'lose-answer') {
        result.resume()
        result.on('end', () => incoming.socket.destroy())
        return
      }
      answer.writeHead(result.statusCode ?? 500, result.headers)
      result.pipe(answer)
    })
    outgoing.on('error', () => incoming.socket.destroy())
    outgoing.on('continue', () => {
      answer.writeContinue()
    })
    incoming.pipe(outgoing)
  }

  const listen = async (at: number): Promise<void> => {
    server = createServer((incoming, answer) => void handle(incoming, answer))
    server.on('checkContinue', (incoming: IncomingMessage, answer: ServerResponse) => {
      answer.writeContinue()
      void handle(incoming, answer)
    })
    server.unref()
    await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
    proxy.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  await listen(0)
  return proxy
}
