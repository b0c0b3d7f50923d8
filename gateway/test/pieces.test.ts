import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely } from 'node:tls'
import { makeTrialIdentity } from '../../signing/index.ts'
import { sendPieces } from '../http/pieces.ts'

const MIB = 1024 * 1024
/** One byte, more than a socket takes at once, and what lies between, again and again. */
const SIZES = [1, 3 * MIB, 70_000, 1, 1, 5 * MIB, 16_384, 200, 8 * MIB, 1]
const BYTES = SIZES.reduce((sum, size) => sum + size, 0)

describe('lent pieces', function () {
  this.timeout(30_000)
  let server: Server | null = null
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  const listen = async (made: Server, listener: RequestListener): Promise<number> => {
    server = made.on('request', listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** Pieces that all lie in the same memory, which is written over each time the next one is asked for. */
  const source = () => {
    const memory = Buffer.alloc(8 * MIB)
    const hash = createHash('sha256')
    const state = { asked: 0, ended: false, sha256: '' }
    async function* pieces() {
      try {
        for (const size of SIZES) {
          state.asked++
          await Promise.resolve()
          const piece = memory.fill(randomBytes(4096)).subarray(0, size)
          hash.update(piece)
          yield piece
        }
        memory.fill(0)
        state.sha256 = hash.digest('hex')
      } finally {
        state.ended = true
      }
    }
    return { state, pieces: pieces() }
  }

  /** Takes the body with a pause now and then. */
  const takeSlowly = async (socket: Socket): Promise<string> => {
    const hash = createHash('sha256')
    let head = true
    let taken = 0
    for await (const received of socket as AsyncIterable<Buffer>) {
      const body = head ? received.subarray(received.indexOf('\r\n\r\n') + 4) : received
      head = false
      hash.update(body)
      taken += body.length
      if (taken % 7 === 0) await pause(2)
      if (taken >= BYTES) break
    }
    return hash.digest('hex')
  }

  const answerWith =
    (pieces: AsyncIterable<Uint8Array>): RequestListener =>
    (_request, response) => {
      response.setHeader('Content-Length', BYTES)
      sendPieces(pieces, response).catch(() => response.destroy())
    }

  it('arrive as they were lent, though their memory is used again', async () => {
    const { state, pieces } = source()
    const port = await listen(createServer(), answerWith(pieces))
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(await takeSlowly(socket), state.sha256)
  })

  it('arrive as they were lent over TLS, too', async () => {
    const passphrase = 'a passphrase of tests'
    const identity = await makeTrialIdentity({
      ...{ commonName: 'localhost', organisation: 'Test', usage: 'osci-signature', passphrase },
      now: new Date(),
      random: randomBytes,
    })
    const { state, pieces } = source()
    const port = await listen(createSecureServer({ pfx: identity.pkcs12, passphrase }), answerWith(pieces))
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(await takeSlowly(socket), state.sha256)
  })

  it('are not asked for while nobody takes them, and let go when the client goes away', async () => {
    const { state, pieces } = source()
    const failed = new Promise<unknown>((resolve) => {
      void listen(createServer(), (_request, response) => {
        sendPieces(pieces, response).catch(resolve)
      }).then((port) => {
        const socket = connect(port, '127.0.0.1')
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        socket.pause()
        setTimeout(() => socket.destroy(), 200)
      })
    })
    assert.equal(((await failed) as NodeJS.ErrnoException).code, 'ECONNRESET')
    assert.ok(state.asked < SIZES.length)
    assert.ok(state.ended)
  })

  it('of an answer that waits behind another one are not asked for, and given up when their connection ends', async () => {
    const [first, second] = [source(), source()]
    const waiting = [first, second]
    const failed: Promise<unknown>[] = []
    const port = await listen(createServer(), (_request, response) => {
      const { pieces } = waiting.shift() ?? assert.fail('a third request')
      failed.push(assert.rejects(sendPieces(pieces, response), { code: 'ECONNRESET' }))
    })
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n')
    while (failed.length < 2) await pause(5)
    await pause(100)
    socket.destroy()
    await Promise.all(failed)
    assert.ok(first.state.asked > 0 && first.state.ended)
    assert.equal(second.state.asked, 0)
  })

  it('of answers on one connection come one after the other', async () => {
    const [first, second] = [source(), source()]
    const waiting = [first, second]
    const port = await listen(createServer(), (request, response) => {
      const { pieces } = waiting.shift() ?? assert.fail('a third request')
      answerWith(pieces)(request, response)
    })
    const socket = connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const all = await buffer(socket)
    const one = all.indexOf('\r\n\r\n') + 4
    const two = all.indexOf('\r\n\r\n', one + BYTES) + 4
    for (const [at, { state }] of [[one, first] as const, [two, second] as const]) {
      const body = all.subarray(at, at + BYTES)
      assert.equal(createHash('sha256').update(body).digest('hex'), state.sha256)
    }
  })

  it('that fail leave an answer that is not ended', async () => {
    async function* failing() {
      await Promise.resolve()
      yield randomBytes(10)
      throw new Error('damaged')
    }
    const outcome = new Promise<string>((resolve) => {
      void listen(createServer(), (_request, response) => {
        response.setHeader('Content-Length', 10)
        sendPieces(failing(), response).catch((error: unknown) => {
          resolve(`${String(error)}, ${response.writableEnded ? 'ended' : 'not ended'}`)
        })
      }).then((port) => connect(port, '127.0.0.1').write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))
    })
    assert.equal(await outcome, 'Error: damaged, not ended')
  })
})
