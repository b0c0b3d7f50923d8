import assert from 'node:assert/strict'
import { openBrowser } from './support/browser.ts'
import type { Browser } from './support/browser.ts'
import { OPERATOR, PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { Wire, call, requestHead } from './support/wire.ts'
import type { Room, User } from '../../storage/index.ts'

describe('who has lost a right', function () {
  this.timeout(30_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse()
  })
  after(() => house.close())

  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const signedIn = async (user: User): Promise<Browser> => {
    const browser = openBrowser(house.url)
    const { json } = await browser.json('POST', '/api/login', { email: user.email, password: PASSWORD })
    assert.equal(typeof json['csrf'], 'string')
    return browser
  }
  const csrfOf = async (browser: Browser) => String((await browser.get('/api/session')).json['csrf'])
  const filesOf = async (room: Room) => (await house.storage.files.list(room.id)).items.map(({ name }) => name)

  /** Begins an upload of five bytes. @returns its address */
  async function begin(browser: Browser, room: Room): Promise<string> {
    const reply = await browser.send('POST', '/api/uploads', null, {
      'x-csrf-token': await csrfOf(browser),
      'tus-resumable': '1.0.0',
      'upload-length': '5',
      'upload-metadata': `room ${base64(room.id)},filename ${base64('spät.txt')}`,
    })
    assert.equal(reply.status, 201)
    return String(reply.headers.location)
  }
  const append = (path: string) =>
    call(house.port, {
      method: 'PATCH',
      path,
      headers: [
        ['Tus-Resumable', '1.0.0'],
        ['Upload-Offset', '0'],
        ['Content-Type', 'application/offset+octet-stream'],
        ['Content-Length', '5'],
      ],
      body: 'hallo',
    })

  const losses: [string, (user: User, room: Room) => Promise<void>][] = [
    ['the membership', (user, room) => house.storage.rooms.removeMember(room.id, user.id, OPERATOR)],
    ['the role', (user, room) => house.storage.rooms.addMember(room.id, user.id, 'reader', OPERATOR)],
    ['the account', (user) => house.storage.users.disable(user.id, OPERATOR)],
  ]
  for (const [what, lose] of losses) {
    it(`(${what}) leaves no file with a ticket from before`, async () => {
      const user = await house.person({ audience: 'external' })
      const room = await house.room('SB2', [[user, 'contributor']])
      const address = await begin(await signedIn(user), room)
      await lose(user, room)
      assert.equal((await append(address)).status, 410)
      assert.deepEqual(await filesOf(room), [])
    })

    it(`(${what}) leaves no file with a form that was on its way`, async () => {
      const user = await house.person({ audience: 'external' })
      const room = await house.room('SB2', [[user, 'contributor']])
      const browser = await signedIn(user)
      const body = [
        `--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n${await csrfOf(browser)}\r\n`,
        '--b\r\nContent-Disposition: form-data; name="file"; filename="form.txt"\r\n\r\nhallo\r\n--b--\r\n',
      ].join('')
      const headers: [string, string][] = [
        ['Cookie', [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')],
        ['Content-Type', 'multipart/form-data; boundary=b'],
        ['Content-Length', String(body.length)],
      ]
      const wire = await Wire.open(house.port)
      wire.send(requestHead({ method: 'POST', path: `/rooms/${room.id}/files`, headers }))
      wire.send(body.slice(0, -20))
      // What was sent before has been admitted once this is answered.
      for (let n = 0; n < 5; n += 1) await browser.get(`/api/rooms/${room.id}`)
      await lose(user, room)
      wire.send(body.slice(-20))
      const { status } = await wire.reply()
      wire.cut()
      assert.ok(status === 403 || status === 404, String(status))
      assert.deepEqual(await filesOf(room), [])
    })
  }

  it('still finishes an upload when only the session is over', async () => {
    const user = await house.person({ audience: 'external' })
    const room = await house.room('SB2', [[user, 'contributor']])
    const address = await begin(await signedIn(user), room)
    await house.storage.sessions.endAll(user.id, OPERATOR)
    assert.equal((await append(address)).status, 204)
    assert.deepEqual(await filesOf(room), ['spät.txt'])
  })

  it('with the second factor taken back is out of the sessions that had shown it, and only out of those', async () => {
    const user = await house.person({ totp: true })
    const room = await house.room('SB3', [[user, 'reader']])
    const [phone, office] = [await signedIn(user), await signedIn(user)]
    const stepUp = { code: await house.code() }
    assert.equal(
      (await phone.json('POST', '/api/step-up', stepUp, { 'x-csrf-token': await csrfOf(phone) })).status,
      200,
    )
    assert.equal((await phone.get(`/api/rooms/${room.id}/files`)).status, 200)
    await house.storage.users.removeTotp(user.id, OPERATOR)
    assert.equal((await phone.get(`/api/rooms/${room.id}/files`)).status, 401)
    assert.equal((await office.get('/api/session')).status, 200)
  })
})
