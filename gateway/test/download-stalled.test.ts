import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FileId } from '../../storage/index.ts'
import { openWebHouse, type WebHouse } from './support/web-house.ts'

const MIB = 1024 * 1024
/** More than the sockets of both sides take by themselves. */
const BYTES = 32 * MIB
const IDLE_MS = 400
const STALLED = 20

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Memory of all buffers that are still in use. It is given back in the background; the second round waits for that. */
function bytesInBuffers(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

describe('a download', function () {
  this.timeout(30_000)
  let house: WebHouse
  let file: FileId
  let token: string

  const openHouse = (idleMs: number) => async (): Promise<void> => {
    house = await openWebHouse({ uploads: { expiresAfterMs: 3_600_000, idleMs } })
    const user = await house.person()
    const room = await house.room('SB2', [[user, 'reader']])
    file = await house.file(room.id, 'gross.bin', randomBytes(BYTES))
    token = await house.token(user)
  }
  const ask = async (): Promise<Socket> => {
    const socket = connect(house.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET /api/files/${file}/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    return socket
  }

  describe('that is slow', () => {
    before(openHouse(IDLE_MS))
    after(() => house.close())

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

  describe('that stands still', () => {
    before(openHouse(600_000))
    after(() => house.close())

    it('takes a few MiB of memory, and gives them back when the client is gone', async () => {
      const before = bytesInBuffers()
      const sockets = await Promise.all(Array.from({ length: STALLED }, ask))
      const grown: number[] = []
      // It ends when nothing more comes: what is sent lies in the sockets, and what is read ahead in memory.
      const still = () => {
        const last = grown.slice(-5)
        return Math.min(...last) > STALLED * MIB && Math.max(...last) - Math.min(...last) < MIB / 8
      }
      while (grown.length < 5 || !still()) {
        await pause(50)
        grown.push(bytesInBuffers() - before)
      }
      const most = Math.max(...grown) / STALLED / MIB
      assert.ok(most < 6, `${most} MiB for each`)
      for (const socket of sockets) socket.destroy()
      while (bytesInBuffers() - before > 2 * MIB) await pause(50)
    })
  })
})
