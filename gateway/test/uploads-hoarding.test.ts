import assert from 'node:assert/strict'
import { openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { Wire, call, requestHead } from './support/wire.ts'
import type { Room } from '../../storage/index.ts'

const MANY = 70

describe('one person with many uploads that dribble', function () {
  this.timeout(20_000) // shorter than the silence after which a connection is cut
  let house: WebHouse
  let room: Room
  let atOnce = 0
  const token: Record<string, string> = {}
  before(async () => {
    // parts as large as those of S3: memory for 32
    house = await openWebHouse({ wrap: (objects) => ({ ...objects, chunksInPart: () => 128 }) })
    const [eve, anna] = [await house.person({ audience: 'external' }), await house.person()]
    atOnce = house.storage.uploads.bodiesAtOnce / 8
    room = await house.room('SB2', [
      [eve, 'contributor'],
      [anna, 'contributor'],
    ])
    token['eve'] = await house.token(eve)
    token['anna'] = await house.token(anna)
  })
  after(() => house.close())

  const base64 = (text: string) => Buffer.from(text).toString('base64')
  let number = 0
  async function begin(who: string, size: number): Promise<string> {
    number += 1
    const { status, headers } = await call(house.port, {
      method: 'POST',
      path: '/api/uploads',
      headers: [
        ['Authorization', `Bearer ${token[who] ?? ''}`],
        ['Tus-Resumable', '1.0.0'],
        ['Upload-Length', String(size)],
        ['Upload-Metadata', `room ${base64(room.id)},filename ${base64(`${String(number)}.bin`)}`],
      ],
    })
    assert.equal(status, 201)
    return headers['location'] ?? ''
  }
  const patchHeaders = (size: number): [string, string][] => [
    ['Tus-Resumable', '1.0.0'],
    ['Upload-Offset', '0'],
    ['Content-Type', 'application/offset+octet-stream'],
    ['Content-Length', String(size)],
  ]
  async function dribble(path: string): Promise<Wire> {
    const wire = await Wire.open(house.port)
    wire.send(requestHead({ method: 'PATCH', path, headers: patchHeaders(1000) }))
    wire.send('x')
    return wire
  }
  const whole = (path: string, size: number) =>
    call(house.port, { method: 'PATCH', path, headers: patchHeaders(size), body: Buffer.alloc(size) })

  it('keeps nobody else from sending', async () => {
    const wires: Wire[] = []
    for (let n = 0; n < MANY; n += 1) wires.push(await dribble(await begin('eve', 1000)))
    const address = await begin('anna', 3_000_000)
    assert.equal((await whole(address, 3_000_000)).status, 204)
    for (const wire of wires) wire.cut()
  })

  it('are not the many slow lines of many people, who hold nobody up either', async () => {
    const wires: Wire[] = []
    for (let person = 0; person < 10; person += 1) {
      const user = await house.person({ audience: 'external' })
      await house.storage.rooms.addMember(room.id, user.id, 'contributor', { kind: 'operator', name: 'test' })
      token[user.id] = await house.token(user)
      for (let n = 0; n < 3; n += 1) wires.push(await dribble(await begin(user.id, 1000)))
    }
    const address = await begin('anna', 30_000_000)
    assert.equal((await whole(address, 30_000_000)).status, 204)
    for (const wire of wires) wire.cut()
  })

  it('waits for a turn, and gets it when one of the others ends', async () => {
    const wires: Wire[] = []
    for (let n = 0; n < atOnce; n += 1) wires.push(await dribble(await begin('eve', 1000)))
    const next = whole(await begin('eve', 2_000_000), 2_000_000)
    wires[0]?.send('x'.repeat(999))
    assert.equal((await wires[0]?.reply())?.status, 204)
    assert.equal((await next).status, 204)
    for (const wire of wires) wire.cut()
  })

  it('goes on with an upload whose former request hangs, though all turns are taken', async () => {
    const addresses: string[] = []
    for (let n = 0; n < atOnce; n += 1) addresses.push(await begin('eve', 1000))
    const wires = await Promise.all(addresses.map(dribble))
    const [path = ''] = addresses
    const tus: [string, string] = ['Tus-Resumable', '1.0.0']
    const { headers } = await call(house.port, { method: 'HEAD', path, headers: [tus] })
    const rest = 1000 - Number(headers['upload-offset'])
    const again = patchHeaders(rest).map(([name, value]): [string, string] => [
      name,
      name === 'Upload-Offset' ? String(1000 - rest) : value,
    ])
    const reply = await call(house.port, { method: 'PATCH', path, headers: again, body: Buffer.alloc(rest) })
    assert.equal(reply.status, 204)
    for (const wire of wires) wire.cut()
  })

  it('in forms keeps nobody else from sending either', async () => {
    const wires: Wire[] = []
    for (let n = 0; n < MANY; n += 1) {
      const wire = await Wire.open(house.port)
      const body = [
        '--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nX\r\n',
        `--b\r\nContent-Disposition: form-data; name="file"; filename="f${n}"\r\n\r\nx${'y'.repeat(2000)}`,
      ].join('')
      const csrf = (await house.storage.sessions.withUser(token['eve'] ?? '', house.now()))?.session.csrf ?? ''
      wire.send(
        requestHead({
          method: 'POST',
          path: `/rooms/${room.id}/files`,
          headers: [
            ['Authorization', `Bearer ${token['eve'] ?? ''}`],
            ['Content-Type', 'multipart/form-data; boundary=b'],
            ['Content-Length', '100000'],
          ],
        }),
      )
      wire.send(body.replace('\r\nX\r\n', `\r\n${csrf}\r\n`))
      wires.push(wire)
    }
    assert.equal((await whole(await begin('anna', 3_000_000), 3_000_000)).status, 204)
    for (const wire of wires) wire.cut()
  })
})
