import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { base32 } from '../auth/totp.ts'
import { openBrowser, signIn } from './support/browser.ts'
import type { Browser, Reply } from './support/browser.ts'
import { OPERATOR, PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import { invitationPath } from '../index.ts'

const NEW_PASSWORD = 'Ein Satz mit fünf Wörtern'

describe('an invitation', function () {
  this.timeout(30_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse()
  })
  after(() => house.close())

  async function invite(withCode: boolean, audience: 'staff' | 'external' = 'external') {
    const user = await house.storage.users.create(
      { email: `gast${Math.random().toString(36).slice(2)}@example.org`, name: 'Gisela Gast', audience },
      OPERATOR,
    )
    const expiresAt = new Date(house.now().getTime() + 7 * 86_400_000)
    const made = await house.storage.invitations.create(
      { userId: user.id, purpose: 'join', withCode, expiresAt },
      OPERATOR,
    )
    return { user, path: invitationPath(made.token), token: made.token, code: made.code ?? '' }
  }

  const secretOn = (page: Reply) => /class="ab-code">([A-Z2-7 ]+)</.exec(page.text)?.[1]?.replaceAll(' ', '') ?? ''

  async function enter(browser: Browser, path: string, code: string): Promise<Reply> {
    await browser.get(path)
    return browser.submit(`${path}/code`, { invitationCode: code })
  }

  it('with link and code sets up password and app, and opens a confidential room at once', async () => {
    const { user, path, code } = await invite(true)
    const room = await house.room('SB3', [[user, 'contributor']])
    const browser = openBrowser(house.url)
    const page = await enter(browser, path, code)
    assert.match(page.text, /Gisela Gast/)
    assert.match(page.text, /<svg/)
    const filled = { password: NEW_PASSWORD, repeat: NEW_PASSWORD, code: await house.code(secretOn(page)) }
    const rooms = await browser.follow(await browser.submit(path, filled))
    assert.match(rooms.text, new RegExp(room.name))
    assert.equal((await browser.get(`/rooms/${room.id}`)).status, 200)
    // What the key of the app followed from is forgotten by the browser.
    assert.deepEqual([...browser.cookies.keys()], ['amtsbote'])
    assert.equal((await browser.get(path)).status, 410)
  })

  it('shows nothing about the person before the code, and nothing can be set up without it', async () => {
    const { user, path, token } = await invite(true)
    const browser = openBrowser(house.url)
    assert.doesNotMatch((await browser.get(path)).text, /Gisela|<svg|password/)
    const { csrf } = Object.fromEntries(
      [...(await browser.get(path)).text.matchAll(/name="(csrf)" value="([^"]+)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    ) as { csrf: string }
    const form = new URLSearchParams({ csrf, password: NEW_PASSWORD, repeat: NEW_PASSWORD, code: '123456' }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: house.url }
    const skipped = await browser.send('POST', path, form, headers)
    assert.equal(skipped.status, 403)
    assert.doesNotMatch(skipped.text, /Gisela/)
    // With the right code of an app of their own, so that nothing but the invitation's code is missing.
    const visit = 'A'.repeat(43)
    const key = await house.storage.keyRing.hmacKey(house.storage.database.kysely, 'totp-enrolment')
    const secret = base32(createHmac('sha256', key).update(`${token}\n${visit}`).digest().subarray(0, 20))
    for (const invitationCode of [undefined, '00000000']) {
      const order = { token, visit, password: NEW_PASSWORD, code: await house.code(secret), invitationCode }
      const api = await browser.json('POST', '/api/invitations/accept', order)
      assert.deepEqual([api.status, api.json['reason']], [403, 'invitation'])
    }
    assert.equal((await house.storage.users.byId(user.id)).hasPassword, false)
  })

  it('is void after five wrong codes, even for the right one', async () => {
    const { path, code } = await invite(true)
    const wrong = code === '00000000' ? '11111111' : '00000000'
    const browser = openBrowser(house.url)
    const statuses: number[] = []
    for (let tries = 0; tries < 5; tries += 1)
      statuses.push((await enter(browser, path, wrong).catch(() => ({ status: 410 }))).status)
    assert.deepEqual(statuses.slice(0, 4), [403, 403, 403, 403])
    assert.equal((await browser.get(path)).status, 410)
  })

  it('does not let a second person with the link go on from the first one who knew the code', async () => {
    const { path, code } = await invite(true)
    await enter(openBrowser(house.url), path, code)
    const second = await openBrowser(house.url).get(path)
    assert.match(second.text, /Achtstelliger Code/)
  })

  it('keeps the key of the app over mistakes, and gives another browser another key', async () => {
    const { path, code } = await invite(true)
    const browser = openBrowser(house.url)
    const first = secretOn(await enter(browser, path, code))
    const again = await browser.submit(path, { password: 'kurz', repeat: 'kurz', code: '000000' })
    assert.equal(again.status, 422)
    assert.equal(secretOn(again), first)
    assert.match(again.text, /Mindestens 12 Zeichen|mindestens 12 Zeichen/)
    assert.notEqual(secretOn(await enter(openBrowser(house.url), path, code)), first)
    assert.match(first, /^[A-Z2-7]{32}$/)
  })

  it('names what is wrong with password or code and can still be used afterwards', async () => {
    const { user, path, code } = await invite(true)
    const browser = openBrowser(house.url)
    const secret = secretOn(await enter(browser, path, code))
    const mistakes: [Record<string, string>, RegExp][] = [
      [{ password: NEW_PASSWORD, repeat: `${NEW_PASSWORD}x`, code: '000000' }, /verschieden/],
      [{ password: 'aaaaaaaaaaaaaaaa', repeat: 'aaaaaaaaaaaaaaaa', code: '000000' }, /wenigen verschiedenen/],
      [{ password: NEW_PASSWORD, repeat: NEW_PASSWORD, code: 'abcdef' }, /Code passt nicht/],
    ]
    for (const [fields, message] of mistakes) {
      const reply = await browser.submit(path, fields)
      assert.equal(reply.status, 422)
      assert.match(reply.text, message)
    }
    const good = { password: NEW_PASSWORD, repeat: NEW_PASSWORD, code: await house.code(secret) }
    assert.equal((await browser.submit(path, good)).status, 303)
    assert.equal((await house.storage.users.byId(user.id)).state, 'active')
  })

  it('is redeemed once, also when two browsers send the form at the same moment', async () => {
    const { path, code } = await invite(true)
    const browsers = [openBrowser(house.url), openBrowser(house.url)]
    const sent = await Promise.all(
      browsers.map(async (browser) => {
        const secret = secretOn(await enter(browser, path, code))
        return { browser, code: await house.code(secret) }
      }),
    )
    const replies = await Promise.all(
      sent.map(({ browser, code: totp }) =>
        browser.submit(path, { password: NEW_PASSWORD, repeat: NEW_PASSWORD, code: totp }),
      ),
    )
    assert.deepEqual(replies.map(({ status }) => status).sort(), [303, 410])
  })

  it('without a code sets up a password only, and confidential rooms stay shut', async () => {
    const { user, path } = await invite(false)
    const open = await house.room('SB2', [[user, 'reader']])
    const shut = await house.room('SB3', [[user, 'reader']])
    const browser = openBrowser(house.url)
    assert.doesNotMatch((await browser.get(path)).text, /<svg/)
    assert.equal((await browser.submit(path, { password: NEW_PASSWORD, repeat: NEW_PASSWORD })).status, 303)
    assert.equal((await browser.get(`/rooms/${open.id}`)).status, 200)
    const refused = await browser.follow(await browser.get(`/rooms/${shut.id}`))
    assert.match(refused.text, /noch kein zweiter Nachweis/)
  })

  it('is not used up by looking at it', async () => {
    const { path } = await invite(false)
    for (let looks = 0; looks < 5; looks += 1) assert.equal((await openBrowser(house.url).get(path)).status, 200)
  })

  it('is gone after its time, when withdrawn, and when it never was', async () => {
    const { user, path } = await invite(false)
    assert.equal((await openBrowser(house.url).get(invitationPath('A'.repeat(43)))).status, 410)
    assert.equal((await openBrowser(house.url).get('/invitation/..%2f..%2fetc')).status, 410)
    await house.storage.invitations.revokeAll({ userId: user.id }, OPERATOR)
    assert.equal((await openBrowser(house.url).get(path)).status, 410)
    const second = await invite(false)
    house.advance(8 * 86_400_000)
    assert.equal((await openBrowser(house.url).get(second.path)).status, 410)
  })

  it('makes the first administrator, with a second factor', async () => {
    const expiresAt = new Date(house.now().getTime() + 86_400_000)
    const order = { userId: null, purpose: 'first-admin', withCode: false, expiresAt } as const
    const path = invitationPath((await house.storage.invitations.create(order, OPERATOR)).token)
    const browser = openBrowser(house.url)
    const secret = secretOn(await browser.get(path))
    const nobody = await browser.submit(path, {
      name: ' ',
      email: 'x',
      password: NEW_PASSWORD,
      repeat: NEW_PASSWORD,
      code: await house.code(secret),
    })
    assert.equal(nobody.status, 422)
    const filled = { name: 'Vera Verwaltung', email: 'vera@example.org', password: NEW_PASSWORD, repeat: NEW_PASSWORD }
    assert.equal((await browser.submit(path, { ...filled, code: await house.code(secret) })).status, 303)
    const admin = await house.storage.users.byEmail('vera@example.org')
    assert.deepEqual([admin?.admin, admin?.hasTotp, admin?.state], [true, true, 'active'])
    house.advance(60_000)
    const later = openBrowser(house.url)
    const page = await signIn(later, 'vera@example.org', NEW_PASSWORD, await house.code(secret))
    assert.match(page.text, /Meine Räume/)
  })

  it('can be redeemed by a program', async () => {
    const { user, token, code } = await invite(true)
    const browser = openBrowser(house.url)
    const look = await browser.json('POST', '/api/invitations/look', { token, invitationCode: code })
    const totp = look.json['totp'] as { secret: string; uri: string }
    assert.ok(totp.uri.includes(totp.secret))
    const accepted = await browser.json('POST', '/api/invitations/accept', {
      ...{ token, invitationCode: code, visit: look.json['visit'], password: NEW_PASSWORD },
      code: await house.code(totp.secret),
    })
    assert.equal(accepted.status, 200)
    assert.deepEqual(Object.keys(accepted.json['factors'] as object).sort(), ['password', 'totp'])
    assert.equal((accepted.json['user'] as { id: string }).id, user.id)
    assert.equal((await browser.get('/api/rooms')).status, 200)
  })

  it('ends the sessions that the account had before', async () => {
    const user = await house.person()
    const before = openBrowser(house.url)
    await signIn(before, user.email, PASSWORD)
    const expiresAt = new Date(house.now().getTime() + 86_400_000)
    const order = { userId: user.id, purpose: 'join', withCode: false, expiresAt } as const
    const path = invitationPath((await house.storage.invitations.create(order, OPERATOR)).token)
    const browser = openBrowser(house.url)
    await browser.get(path)
    assert.equal((await browser.submit(path, { password: NEW_PASSWORD, repeat: NEW_PASSWORD })).status, 303)
    assert.equal((await before.get('/api/session')).status, 401)
  })
})
