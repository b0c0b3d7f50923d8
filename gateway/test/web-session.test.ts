import assert from 'node:assert/strict'
import { openBrowser, signIn } from './support/browser.ts'
import { OPERATOR, PASSWORD, SECRET, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'

describe('signing in', function () {
  this.timeout(30_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse()
  })
  after(() => house.close())

  it('opens the rooms after the password, under a new cookie that scripts cannot read', async () => {
    const user = await house.person()
    await house.room('SB2', [[user, 'reader']])
    const browser = openBrowser(house.url)
    await browser.get('/login')
    const reply = await browser.submit('/login', { email: user.email.toUpperCase(), password: PASSWORD })
    assert.equal(reply.status, 303)
    const cookie = [reply.headers['set-cookie']].flat().find((line) => line?.startsWith('amtsbote='))
    assert.match(String(cookie), /^amtsbote=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
    assert.match((await browser.follow(reply)).text, /Bauakte/)
  })

  it('answers the same to a wrong password and to an unknown address, also when there were too many tries', async () => {
    const user = await house.person({ email: 'bekannt@example.org' })
    const transcripts: string[][] = []
    for (const email of [user.email, 'unbekannt@example.org']) {
      const transcript: string[] = []
      for (let tries = 0; tries < 7; tries += 1) {
        const browser = openBrowser(house.url)
        await browser.get('/login')
        const reply = await browser.submit('/login', { email, password: 'etwas ganz anderes' })
        transcript.push(`${reply.status} ${/role="alert"><p>([^<]*)/.exec(reply.text)?.[1] ?? ''}`)
      }
      transcripts.push(transcript)
    }
    assert.deepEqual(transcripts[0], transcripts[1])
    assert.ok(transcripts[0]?.at(-1)?.startsWith('429'), String(transcripts[0]?.at(-1)))
  })

  it('lets parallel guesses not exceed the limit', async () => {
    const user = await house.person()
    const guesses = Array.from({ length: 40 }, () =>
      openBrowser(house.url).json('POST', '/api/login', { email: user.email, password: 'falsch geraten' }),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 401).length, 5)
    assert.equal(statuses.filter((status) => status === 429).length, 35)
    const right = await openBrowser(house.url).json('POST', '/api/login', { email: user.email, password: PASSWORD })
    assert.equal(right.status, 429)
    assert.ok(Number(right.headers['retry-after']) > 0)
    house.advance(31_000)
    assert.equal(
      (await openBrowser(house.url).json('POST', '/api/login', { email: user.email, password: PASSWORD })).status,
      200,
    )
  })

  it('shows the page that was asked for once signed in', async () => {
    const user = await house.person()
    const room = await house.room('SB2', [[user, 'reader']])
    const browser = openBrowser(house.url)
    const login = await browser.follow(await browser.get(`/rooms/${room.id}`))
    assert.match(login.text, /Passwort/)
    const page = await browser.follow(await browser.submit('/login', { email: user.email, password: PASSWORD }))
    assert.match(page.text, new RegExp(`<h1>${room.name}</h1>`))
  })

  it('asks for the code before a confidential room, then shows that room, under a new token', async () => {
    const user = await house.person({ totp: true })
    const room = await house.room('SB3', [[user, 'reader']])
    const browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    const before = browser.cookies.get('amtsbote')
    const asked = await browser.follow(await browser.get(`/rooms/${room.id}`))
    assert.match(asked.text, /Sechsstelliger Code/)
    house.advance(30_000)
    const page = await browser.follow(await browser.submit('/step-up', { code: await house.code() }))
    assert.match(page.text, new RegExp(`<h1>${room.name}</h1>`))
    assert.notEqual(browser.cookies.get('amtsbote'), before)
    const old = await openBrowser(house.url).get('/api/session', { cookie: `amtsbote=${before}` })
    assert.equal(old.status, 401)
  })

  it('takes each code once, also when two requests bring it at the same moment', async () => {
    const user = await house.person({ totp: true })
    const token = await house.token(user)
    house.advance(30_000)
    const code = await house.code()
    const bearer = { authorization: `Bearer ${token}` }
    const attempts = Array.from({ length: 4 }, () =>
      openBrowser(house.url).json('POST', '/api/step-up', { code }, bearer),
    )
    const replies = await Promise.all(attempts)
    assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 403, 403, 403])
    for (const reply of replies.filter(({ status }) => status === 403)) assert.equal(reply.json['reason'], 'reused')
  })

  it('says that a clock is wrong, and still refuses the code', async () => {
    const user = await house.person({ totp: true })
    const bearer = { authorization: `Bearer ${await house.token(user)}` }
    const { generate } = await import('otplib')
    const code = await generate({
      secret: SECRET,
      epoch: Math.floor(house.now().getTime() / 1000) + 120,
      digits: 6,
      period: 30,
    })
    const reply = await openBrowser(house.url).json('POST', '/api/step-up', { code }, bearer)
    assert.equal(reply.status, 403)
    assert.equal(reply.json['reason'], 'clock')
  })

  it('asks again when the code has become too old', async () => {
    const user = await house.person({ totp: true })
    const room = await house.room('SB3', [[user, 'reader']])
    const bearer = { authorization: `Bearer ${await house.token(user)}` }
    const browser = openBrowser(house.url)
    house.advance(30_000)
    assert.equal((await browser.json('POST', '/api/step-up', { code: await house.code() }, bearer)).status, 200)
    assert.equal((await browser.get(`/api/rooms/${room.id}/files`, bearer)).status, 200)
    house.advance(31 * 60_000)
    const reply = await browser.get(`/api/rooms/${room.id}/files`, bearer)
    assert.equal(reply.status, 403)
    assert.equal(reply.json['type'], 'urn:amtsbote:problem:gateway/step-up-required')
    assert.deepEqual(reply.json['factors'], ['totp'])
  })

  it('ends a session that rested too long, and one that is too old', async () => {
    const user = await house.person()
    const browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    house.advance(59 * 60_000)
    assert.equal((await browser.get('/api/session')).status, 200)
    house.advance(61 * 60_000)
    assert.equal((await browser.get('/api/session')).status, 401)
    await signIn(browser, user.email, PASSWORD)
    for (let hours = 0; hours < 11.5; hours += 0.5) {
      house.advance(30 * 60_000)
      assert.equal((await browser.get('/api/session')).status, 200, `after ${hours + 0.5} hours`)
    }
    house.advance(30 * 60_000)
    assert.equal((await browser.get('/api/session')).status, 401)
  })

  it('knows nobody after signing out, after disabling, and after the device was signed out elsewhere', async () => {
    const user = await house.person()
    const [one, two, three] = [openBrowser(house.url), openBrowser(house.url), openBrowser(house.url)]
    for (const browser of [one, two, three]) await signIn(browser, user.email, PASSWORD)
    const kept = one.cookies.get('amtsbote')
    await one.get('/rooms')
    assert.match((await one.follow(await one.submit('/logout'))).text, /Sie sind abgemeldet/)
    assert.equal((await one.get('/api/session', { cookie: `amtsbote=${kept}` })).status, 401)
    const list = (await two.get('/api/account/sessions')).json['items'] as { id: string; current: boolean }[]
    const other = list.find((session) => !session.current)
    await two.get('/account')
    assert.match(
      (await two.follow(await two.submit(`/account/sessions/${other?.id}/end`))).text,
      /Das Gerät ist abgemeldet/,
    )
    assert.equal((await three.get('/api/session')).status, 401)
    await house.storage.users.disable(user.id, OPERATOR)
    assert.equal((await two.get('/api/session')).status, 401)
  })

  it('does not end the sessions of others', async () => {
    const [anna, berta] = [await house.person(), await house.person()]
    const [one, two] = [openBrowser(house.url), openBrowser(house.url)]
    await signIn(one, anna.email, PASSWORD)
    await signIn(two, berta.email, PASSWORD)
    const session = (await house.storage.sessions.list(berta.id))[0]
    const csrf = (await one.get('/api/session')).json['csrf'] as string
    const reply = await one.send('DELETE', `/api/account/sessions/${session?.id}`, null, { 'x-csrf-token': csrf })
    assert.equal(reply.status, 404)
    assert.equal((await two.get('/api/session')).status, 200)
  })

  it('takes a cookie only as a browser session and a bearer token only as a token', async () => {
    const user = await house.person()
    const browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
    const cookie = browser.cookies.get('amtsbote')
    const token = await house.token(user)
    const other = openBrowser(house.url)
    assert.equal((await other.get('/api/session', { authorization: `Bearer ${cookie}` })).status, 401)
    assert.equal((await other.get('/api/session', { cookie: `amtsbote=${token}` })).status, 401)
    assert.equal((await other.get('/api/session', { cookie: `amtsbote=${cookie}; amtsbote=${cookie}` })).status, 401)
    assert.equal((await other.get('/api/session', { authorization: `Bearer ${token}` })).status, 200)
  })

  it('speaks the language that was chosen with the switch', async () => {
    const browser = openBrowser(house.url)
    assert.match(
      (await browser.get('/login', { 'accept-language': 'en-US,en;q=0.9,de;q=0.8' })).text,
      /<html lang="en">/,
    )
    assert.match((await browser.get('/login', { 'accept-language': 'fr' })).text, /<html lang="de">/)
    const reply = await browser.follow(await browser.submit('/language', { language: 'en' }))
    assert.match(reply.text, /<h1>Sign in<\/h1>/)
  })
})

describe('a site under https', function () {
  this.timeout(30_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse({ https: true })
  })
  after(() => house.close())

  it('marks every cookie Secure and __Host-, and sends HSTS also with errors', async () => {
    const user = await house.person()
    const replies = [
      await openBrowser(house.url).get('/login'),
      await openBrowser(house.url).json(
        'POST',
        '/api/login',
        { email: user.email, password: PASSWORD },
        { origin: 'https://austausch.example' },
      ),
      await openBrowser(house.url).get('/nothing'),
      await openBrowser(house.url).json('POST', '/api/login', 'x'),
    ]
    assert.equal(replies[1]?.status, 200)
    for (const reply of replies) {
      assert.match(String(reply.headers['strict-transport-security']), /max-age=63072000; includeSubDomains/)
      for (const cookie of reply.headers['set-cookie'] ?? []) {
        assert.match(cookie, /^__Host-[a-z-]+=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
      }
    }
  })

  it('takes its name from the configuration, whatever the Host header says', async () => {
    const reply = await openBrowser(house.url).get('/rooms', {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
    })
    assert.equal(reply.status, 303)
    assert.equal(reply.headers.location, '/login?next=%2Frooms')
    assert.doesNotMatch(JSON.stringify(reply.headers), /evil/)
  })
})
