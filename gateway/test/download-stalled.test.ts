import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { FileId } from '../../storage/index.ts'
import { openWebHouse, type WebHouse } from './support/web-house.ts'

/** More than the sockets of both sides take by themselves. */
const BYTES = 32 * 1024 * 1024
const IDLE_MS = 400

describe('a download', function () {
  this.timeout(30_000)
  let house: WebHouse
  let file: FileId
  let token: string
  before(async () => {
    house = await openWebHouse({ uploads: { expiresAfterMs: 3_600_000, idleMs: IDLE_MS } })
    const user = await house.person()
    const room = await house.room('SB2', [[user, 'reader']])
    file = await house.file(room.id, 'gross.bin', randomBytes(BYTES))
    token = await house.token(user)
  })
  after(() => house.close())

  const ask = async (): Promise<Socket> => {
    const socket = connect(house.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET /api/files/${file}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    return socket
  }

  it('is hung up on when nobody takes it', async () => {
    const socket = await ask()
    socket.on('error', () => undefined)
    await pause(6 * IDLE_MS)
    let taken = 0
    socket.on('data', (bytes: Buffer) => (taken += bytes.length))
    await once(socket, 'close')
    assert.ok(taken < BYTES, `${taken} bytes lay in the sockets`)
  })

  it('goes on as long as a little is taken again and again', async () => {
    const socket = await ask()
    let taken = 0
    socket.on('data', (bytes: Buffer) => {
      taken += bytes.length
      if (taken >= BYTES) return
      socket.pause()
      setTimeout(() => socket.resume(), 3)
    })
    while (taken < BYTES && !socket.destroyed) await pause(20)
    assert.ok(taken >= BYTES)
    socket.destroy()
  })
})
