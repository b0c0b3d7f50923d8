import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { GatewayError } from '../errors.ts'
import { readBody } from '../http/body.ts'
import type { Pace } from '../http/body.ts'
import { openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { Wire, call, requestHead } from './support/wire.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

describe('bodies of strangers', function () {
  this.timeout(60_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse({
      osci: () => Promise.resolve({ status: 200, contentType: 'text/plain', body: Buffer.from('osci') }),
    })
  })
  after(() => house.close())

  const begin = async (path: string, headers: [string, string][], first: string): Promise<Wire> => {
    const wire = await Wire.open(house.port)
    wire.send(requestHead({ method: 'POST', path, headers }))
    wire.send(first)
    return wire
  }
  const osci = (body: string) =>
    call(house.port, { method: 'POST', path: '/osci', headers: [['Content-Length', String(body.length)]], body })

  it('in very many pieces take no more memory than their bytes do', async () => {
    const pieces = '1\r\nx\r\n'.repeat(60_000)
    const held = () => {
      collectGarbage()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = held()
    const wires: Wire[] = []
    for (let n = 0; n < 5; n += 1) {
      const type: [string, string] = ['Content-Type', 'application/x-www-form-urlencoded']
      const wire = await begin('/login', [type, ['Transfer-Encoding', 'chunked']], pieces)
      wires.push(wire)
      // Another request on the same server is answered once these pieces were read.
      while (wire.socket.writableLength > 0) await call(house.port, { method: 'GET', path: '/health/live' })
    }
    await call(house.port, { method: 'GET', path: '/login' })
    const grown = held() - before
    for (const wire of wires) wire.cut()
    assert.ok(grown < 10_000_000, `${grown} bytes for 300,000 that were sent`)
  })

  it('arrive as they were sent, whatever the pieces', async () => {
    const body = Buffer.alloc(9_000, 'abcdefg')
    for (const size of [1, 3, 4_096, 4_097, 9_000]) {
      let sent = ''
      for (let at = 0; at < body.length; at += size) {
        const piece = body.subarray(at, at + size)
        sent += `${piece.length.toString(16)}\r\n${piece.toString()}\r\n`
      }
      const received = await receive(`${sent}0\r\n\r\n`)
      assert.ok(body.equals(received as Buffer), `pieces of ${size}`)
    }
  })

  it('that dribble are refused, and those that keep the pace are not', async () => {
    const pace = { graceMs: 50, bytesPerSecond: 100_000 }
    const slow = await receive('1\r\nx\r\n', pace)
    assert.ok(slow instanceof GatewayError && slow.code === 'gateway/bad-input')
    assert.equal(slow.facts['reason'], 'too-slow')
    const quick = await receive(`4000\r\n${'y'.repeat(0x4000)}\r\n0\r\n\r\n`, pace)
    assert.equal((quick as Buffer).length, 0x4000)
  })

  it('that wait at /osci keep nobody else out', async () => {
    const wires: Wire[] = []
    for (let n = 0; n < 8; n += 1) wires.push(await begin('/osci', [['Content-Length', '1000']], 'x'))
    assert.equal((await osci('x')).status, 200)
    for (const wire of wires) wire.cut()
  })

  it('at /osci fill no more memory than four of the largest', async () => {
    const wires: Wire[] = []
    for (let n = 0; n < 4; n += 1) {
      wires.push(await begin('/osci', [['Content-Length', '100000']], 'x'.repeat(99_000)))
    }
    let status = 200
    for (let n = 0; n < 200 && status === 200; n += 1) ({ status } = await osci('x'.repeat(9_000)))
    assert.equal(status, 503)
    for (const wire of wires) wire.cut()
    for (let n = 0; n < 200 && status === 503; n += 1) ({ status } = await osci('x'.repeat(9_000)))
    assert.equal(status, 200)
  })
})

/** One chunked body, read by a server of its own: what was read, or why not. */
async function receive(chunks: string, pace?: Pace): Promise<unknown> {
  let told: (outcome: unknown) => void = () => undefined
  const outcome = new Promise((resolve) => (told = resolve))
  const server = createServer((request, response) => {
    readBody(request, { limit: 100_000, ...(pace && { pace }) })
      .then(told, told)
      .finally(() => response.end())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const wire = await Wire.open((server.address() as AddressInfo).port)
  wire.send(requestHead({ method: 'POST', path: '/', headers: [['Transfer-Encoding', 'chunked']] }))
  wire.send(chunks)
  try {
    return await outcome
  } finally {
    wire.cut()
    server.closeAllConnections()
    server.close()
  }
}
