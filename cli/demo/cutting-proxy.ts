/** A TCP proxy on loopback that destroys the sockets of the connection that has carried so many bytes: a broken line, for real. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface CuttingProxy {
  /** origin to use instead of the server's */
  origin: string
  /** connections destroyed so far */
  cuts: () => number
  close: () => Promise<void>
}

/**
 * @param target port of the server on 127.0.0.1
 * @param cutAfter bytes from the client, counted over all connections, at which the connection that brings them is destroyed; ascending
 */
export async function startCuttingProxy(target: number, cutAfter: readonly number[]): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  const marks = [...cutAfter]
  let carried = 0
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    const both = [client, upstream]
    const end = (): void => {
      for (const socket of both) socket.destroy()
    }
    for (const socket of both) {
      open.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        open.delete(socket)
        end()
      })
    }
    client.on('data', (chunk) => {
      carried += chunk.length
      const mark = marks[0]
      if (mark === undefined || carried < mark) return
      marks.shift()
      cuts += 1
      end()
    })
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    cuts: () => cuts,
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
    },
  }
}
