/** A TCP proxy that lets so many bytes of one side through and then holds the line, until it is told to let go. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface HoldingProxy {
  origin: string
  /** bytes let through so far */
  passed: () => number
  /** from now on everything passes */
  letGo: () => void
  close: () => Promise<void>
}

export async function startHoldingProxy(
  target: number,
  holdAfter: number,
  side: 'requests' | 'answers' = 'requests',
): Promise<HoldingProxy> {
  let passed = 0
  let holds = true
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    const [from, to] = side === 'requests' ? [client, upstream] : [upstream, client]
    from.on('data', (chunk) => {
      if (holds && passed >= holdAfter) return
      passed += chunk.length
      if (!to.write(chunk)) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    to.pipe(from)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: () => passed,
    letGo: () => {
      holds = false
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
      })
    },
  }
}
