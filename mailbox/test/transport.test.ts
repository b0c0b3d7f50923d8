/** The HTTP transport tells *unreachable* (nothing left) from *unknown* (left, no whole answer), and never throws. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { httpTransport } from '../index.ts'

const SETTINGS = { connectTimeoutMs: 2_000, answerTimeoutMs: 500, maxAnswerBytes: 10_000 }

/** A TCP server that does with each connection what it is told. */
async function tcp(act: (socket: Socket) => void): Promise<{ url: string; close: () => Promise<void> }> {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    act(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
    })
  }
  return { url: `http://127.0.0.1:${port}/osci`, close }
}

const ok = (body: string, length = body.length): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`

describe('the HTTP transport', () => {
  it('carries bytes there and back, and says text/xml as OSCI wants it', async () => {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.end(Buffer.concat([Buffer.from(request.headers['content-type'] ?? ''), ...chunks]))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const exchange = await httpTransport({ ...SETTINGS, url: `http://127.0.0.1:${port}/` })(
      Buffer.from([0, 255, 13, 10]),
    )
    server.close()
    assert.ok(exchange.kind === 'answered')
    assert.deepEqual(
      exchange.body,
      Buffer.concat([Buffer.from('text/xml; charset=UTF-8'), Buffer.from([0, 255, 13, 10])]),
    )
  })

  it('calls a closed port unreachable', async () => {
    const { url, close } = await tcp(() => undefined)
    await close()
    assert.equal((await httpTransport({ ...SETTINGS, url })(Buffer.from('x'))).kind, 'unreachable')
  })

  it('calls an unknown host unreachable', async () => {
    const url = 'http://host.invalid:1/osci'
    assert.equal((await httpTransport({ ...SETTINGS, url })(Buffer.from('x'))).kind, 'unreachable')
  })

  const unknown: [string, (socket: Socket) => void][] = [
    ['a connection that is cut', (socket) => socket.once('data', () => socket.destroy())],
    ['an answer that never comes', () => undefined],
    ['an answer cut in the middle', (socket) => socket.once('data', () => socket.end(ok('half', 100)))],
    ['an answer that is no HTTP', (socket) => socket.once('data', () => socket.end('hello\r\n\r\n'))],
    [
      'a status of somebody in between',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n')),
    ],
    [
      'a redirect',
      (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n')),
    ],
    ['an answer beyond the limit', (socket) => socket.once('data', () => socket.end(ok('x'.repeat(10_001))))],
  ]
  for (const [what, act] of unknown) {
    it(`calls ${what} unknown`, async () => {
      const { url, close } = await tcp(act)
      const exchange = await httpTransport({ ...SETTINGS, url })(Buffer.from('x'.repeat(1_000)))
      await close()
      assert.equal(exchange.kind, 'unknown')
    })
  }

  it('ends when it is told to', async () => {
    const { url, close } = await tcp(() => undefined)
    const stop = new AbortController()
    const waiting = httpTransport({ ...SETTINGS, answerTimeoutMs: 60_000, url })(Buffer.from('x'), stop.signal)
    stop.abort()
    assert.notEqual((await waiting).kind, 'answered')
    await close()
  })
})
