import assert from 'node:assert/strict'
import { openBrowser, signIn } from './support/browser.ts'
import type { Browser } from './support/browser.ts'
import { PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import type { Route } from '../http/route.ts'
import type { FileId, Room, User } from '../../storage/index.ts'

/** Walks over the route table, so that a route added later is held to the same. */
describe('every route', function () {
  this.timeout(30_000)
  let house: WebHouse
  let user: User
  let room: Room
  let file: FileId
  before(async () => {
    house = await openWebHouse()
    user = await house.person({ totp: true, admin: true })
    room = await house.room('SB3', [[user, 'manager']])
    file = await house.file(room.id, 'vertraulich.pdf', 'streng vertraulicher inhalt')
  })
  after(() => house.close())

  const SOMETHING = '00000000-0000-4000-8000-000000000000'
  const addressOf = ({ path }: Route) => {
    const id = path.includes('/files/:id') ? file : path.includes('/sessions/:id') ? SOMETHING : room.id
    return path.replace(':id', id).replace(':token', 'A'.repeat(43))
  }
  const bodyOf = ({ body }: Route): [string | null, Record<string, string>] => {
    if (body === 'form')
      return ['confirm=yes&email=a&code=123456', { 'content-type': 'application/x-www-form-urlencoded' }]
    if (body === 'json') return ['{"code":"123456"}', { 'content-type': 'application/json' }]
    if (body === 'files') {
      const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--x--\r\n'
      return [part, { 'content-type': 'multipart/form-data; boundary=x' }]
    }
    return [null, {}]
  }
  const call = (browser: Browser, route: Route, headers: Record<string, string> = {}) => {
    const [body, own] = bodyOf(route)
    return browser.send(route.method, addressOf(route), body, { ...own, ...headers })
  }
  const nameOf = ({ method, path }: Route) => `${method} ${path}`
  async function signedIn(): Promise<Browser> {
    const browser = openBrowser(house.url)
    house.advance(60_000)
    await signIn(browser, user.email, PASSWORD, await house.code())
    return browser
  }
  /** Everything in the database but the time at which a session was last seen. */
  async function everything(): Promise<string> {
    const { kysely } = house.storage.database
    const tables = [
      'user_account',
      'invitation',
      'room',
      'room_member',
      'file',
      'file_version',
      'content',
      'upload',
      'job',
      'audit_entry',
      'lockout',
    ] as const
    const rows = await Promise.all(tables.map((table) => kysely.selectFrom(table).selectAll().execute()))
    const sessions = await kysely
      .selectFrom('session')
      .select(['id', 'token_hash', 'factors', 'csrf', 'expires_at'])
      .execute()
    return JSON.stringify([rows, sessions])
  }

  it('stands in the table once', () => {
    const names = house.routes.map(nameOf)
    assert.ok(names.length > 25)
    assert.equal(new Set(names).size, names.length)
  })

  it('that changes something refuses a signed-in browser without its token, and a page of another site', async () => {
    const browser = await signedIn()
    const changing = house.routes.filter(({ method }) => method !== 'GET')
    assert.ok(changing.length > 10)
    const before = await everything()
    for (const route of changing) {
      const bare = await call(browser, route, { origin: house.url })
      assert.equal(bare.status, 403, nameOf(route))
      const wrong = await call(browser, route, { origin: house.url, 'x-csrf-token': 'A'.repeat(43) })
      assert.equal(wrong.status, 403, nameOf(route))
      const foreign = await call(browser, route, { origin: 'https://evil.example' })
      assert.equal(foreign.status, 403, nameOf(route))
    }
    assert.equal(await everything(), before)
  })

  it('that only looks changes nothing, whoever looks', async () => {
    const browser = await signedIn()
    const before = await everything()
    for (const route of house.routes.filter(({ method }) => method === 'GET')) {
      for (const method of ['GET', 'HEAD']) {
        const reply = await browser.send(method, addressOf(route), null)
        assert.ok(reply.status < 500, nameOf(route))
        await openBrowser(house.url).send(method, addressOf(route), null)
      }
    }
    assert.equal(await everything(), before)
  })

  it('shows nothing of a confidential room with the password alone', async () => {
    const browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    const token = await house.token(user)
    const csrf = (await browser.get('/api/session')).json['csrf'] as string
    for (const route of house.routes.filter(({ path }) => !path.includes('logout') && !path.includes('login'))) {
      const replies = [
        await call(browser, route, { 'x-csrf-token': csrf, origin: house.url }),
        await call(openBrowser(house.url), route, { authorization: `Bearer ${token}` }),
        await call(openBrowser(house.url), route),
      ]
      for (const reply of replies)
        assert.doesNotMatch(reply.text, /streng vertraulicher|vertraulich\.pdf/, nameOf(route))
    }
    assert.equal((await house.storage.files.byId(file)).state, 'present')
    const open = await signedIn()
    assert.match((await open.get(`/api/files/${file}/content`)).text, /streng vertraulicher inhalt/)
  })

  it('for members sends strangers to the login page, programs a 401', async () => {
    for (const route of house.routes.filter(({ who }) => who === 'members')) {
      const reply = await call(openBrowser(house.url), route)
      if (route.face === 'api') {
        assert.equal(reply.status, 401, nameOf(route))
        assert.match(String(reply.headers['www-authenticate']), /^Bearer/)
      } else {
        assert.equal(reply.status, 303, nameOf(route))
        assert.match(String(reply.headers.location), /^\/login/)
      }
    }
  })

  it('answers with the security headers, whatever the outcome', async () => {
    const browser = await signedIn()
    for (const route of house.routes.filter(({ method }) => method === 'GET')) {
      for (const reply of [await call(browser, route), await call(openBrowser(house.url), route)]) {
        const policy = String(reply.headers['content-security-policy'])
        assert.match(policy, /default-src 'none'/, nameOf(route))
        assert.doesNotMatch(policy, /unsafe|script-src/, nameOf(route))
        assert.match(policy, /frame-ancestors 'none'/, nameOf(route))
        assert.equal(reply.headers['x-content-type-options'], 'nosniff')
        assert.equal(reply.headers['referrer-policy'], 'same-origin')
        assert.equal(reply.headers['cross-origin-opener-policy'], 'same-origin')
        assert.equal(reply.headers['cache-control'], 'no-store')
        assert.match(String(reply.headers['x-request-id']), /^[0-9a-f-]{36}$/)
        assert.equal(reply.headers['strict-transport-security'], undefined)
        assert.doesNotMatch(reply.text, /<script|javascript:| style="| on[a-z]+="/, nameOf(route))
      }
    }
  })

  it('that is interrupted by the second factor goes on by itself with what was entered', async () => {
    const browser = await signedIn()
    const path = `/files/${await house.file(room.id, 'spaeter.txt', 'x')}`
    await browser.get(path)
    house.advance(31 * 60_000)
    // The session of this level rests at most 15 minutes, so it is kept awake as a reader would.
    assert.equal((await browser.get('/account')).status, 303)
    const again = openBrowser(house.url)
    await signIn(again, user.email, PASSWORD, await house.code())
    await again.get(path)
    for (let minutes = 0; minutes < 32; minutes += 8) {
      house.advance(8 * 60_000)
      await again.get('/account')
    }
    const form = await (async () => {
      const asked = await again.get(path)
      assert.equal(asked.headers.location, `/step-up?next=${encodeURIComponent(path)}`)
      const csrf = (await again.get('/api/session')).json['csrf'] as string
      const body = new URLSearchParams({ csrf, confirm: 'yes' }).toString()
      return again.send('POST', `${path}/erase`, body, {
        'content-type': 'application/x-www-form-urlencoded',
        origin: house.url,
      })
    })()
    assert.equal(form.status, 403)
    assert.match(form.text, /name="resume" value="\/files\/[0-9a-f-]+\/erase"/)
    const done = await again.follow(await again.submit('/step-up', { code: await house.code() }))
    assert.match(done.text, /Die Datei ist gelöscht/)
  })
})

describe('health', function () {
  this.timeout(30_000)
  it('says that it lives, and whether it can work', async () => {
    const house = await openWebHouse()
    const browser = openBrowser(house.url)
    assert.deepEqual((await browser.get('/health/live')).json, { status: 'ok' })
    assert.equal((await browser.get('/health/ready')).status, 200)
    await house.storage.database.close()
    assert.equal((await browser.get('/health/live')).status, 200)
    assert.equal((await browser.get('/health/ready')).status, 503)
    const page = await browser.get('/rooms', { cookie: `amtsbote=${'A'.repeat(43)}` })
    assert.ok(page.status >= 500, String(page.status))
    assert.match(page.text, /Vorgangsnummer/)
    await house.close()
  })
})
