import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { openBrowser } from './support/browser.ts'
import { PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'

describe('hostile requests', function () {
  this.timeout(30_000)
  let house: WebHouse
  before(async () => {
    house = await openWebHouse({
      osci: () => Promise.resolve({ status: 200, contentType: 'text/plain', body: Buffer.from('osci') }),
    })
  })
  after(() => house.close())

  /** Writes bytes as they are and collects what comes until the server closes. */
  function raw(text: string | Buffer): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(house.port, '127.0.0.1', () => socket.write(text))
      const chunks: Buffer[] = []
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('error', () => undefined)
      socket.on('close', () => {
        resolve(Buffer.concat(chunks).toString())
      })
    })
  }
  const statusOf = (answer: string) => Number(answer.split(' ')[1] ?? 0)
  const post = (path: string, headers: string[], body = '') =>
    raw(
      [
        'POST ' + path + ' HTTP/1.1',
        'Host: x',
        'Connection: close',
        `Content-Length: ${Buffer.byteLength(body)}`,
        ...headers,
        '',
        body,
      ].join('\r\n'),
    )

  afterEach(async () => {
    assert.equal((await openBrowser(house.url).get('/health/live')).status, 200)
  })

  it('with headers that are too large are refused', async () => {
    assert.equal(statusOf(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`)), 431)
  })

  it('with a request line that is nonsense are refused', async () => {
    for (const line of [
      'GET\r\n\r\n',
      '\u0000\u0001\u0002\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: -1\r\n\r\n',
    ]) {
      assert.equal(statusOf(await raw(line)), 400)
    }
  })

  it('with two lengths, or length and chunks, are refused as smuggling', async () => {
    const head = 'POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    assert.equal(statusOf(await raw(`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x`)), 400)
    assert.equal(statusOf(await raw(`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)), 400)
  })

  it('with bodies that are no JSON of the right shape get a problem document, never a 500', async () => {
    const type = 'Content-Type: application/json'
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '{"email":1,"password":2}',
      '{"email":"a"}',
      '{"email":"a","password":"b","extra":1}',
      '{"__proto__":{"email":"a","password":"b"}}',
      `{"email":"${'a'.repeat(300)}","password":"b"}`,
      '['.repeat(50_000),
      '{"a":'.repeat(10_000),
      `"${'\\'.repeat(1001)}"`,
    ]
    for (const body of bodies) {
      const answer = await post('/api/login', [type], body)
      assert.equal(statusOf(answer), 400, body.slice(0, 60))
      assert.match(answer, /application\/problem\+json/)
      assert.match(answer, /urn:amtsbote:problem:gateway\/bad-input/)
      assert.match(answer, /"instance":"urn:uuid:[0-9a-f-]{36}"/)
    }
  })

  it('with bytes that are no UTF-8, or too many of them, are refused', async () => {
    const invalid = Buffer.concat([
      Buffer.from(
        'POST /api/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"',
      ),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"'),
    ])
    assert.equal(statusOf(await raw(invalid)), 400)
    assert.equal(statusOf(await post('/api/login', ['Content-Type: application/json'], `"${'a'.repeat(70_000)}"`)), 413)
    const chunked = `POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`4000\r\n${'a'.repeat(0x4000)}\r\n`.repeat(5)}0\r\n\r\n`
    assert.equal(statusOf(await raw(chunked)), 413)
  })

  it('with another content type are refused', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json5',
      '',
    ]) {
      assert.equal(
        statusOf(await post('/api/login', [`Content-Type: ${type}`], '{"email":"a@b","password":"x"}')),
        415,
        type,
      )
    }
  })

  it('with repeated form fields are refused', async () => {
    const browser = openBrowser(house.url)
    const { text } = await browser.get('/login')
    const csrf = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
    const body = `csrf=${csrf}&email=a&email=b&password=x`
    const reply = await browser.send('POST', '/login', body, {
      'content-type': 'application/x-www-form-urlencoded',
      origin: house.url,
    })
    assert.equal(reply.status, 400)
  })

  it('from pages of other sites are refused on every way of saying so', async () => {
    const type = 'Content-Type: application/json'
    const body = '{"email":"a@b","password":"x"}'
    for (const header of [
      'Origin: https://evil.example',
      'Origin: null',
      `Origin: http://127.0.0.1:${house.port}.evil.example`,
      `Origin: https://127.0.0.1:${house.port}`,
      'Sec-Fetch-Site: cross-site',
      'Sec-Fetch-Site: same-site',
    ]) {
      const answer = await post('/api/login', [type, header], body)
      assert.equal(statusOf(answer), 403, header)
      assert.match(answer, /foreign-origin/)
    }
    assert.equal(statusOf(await post('/api/login', [type, `Origin: ${house.url}`], body)), 401)
    const osci = await post('/osci', ['Origin: https://evil.example'], 'x')
    assert.equal(statusOf(osci), 403)
  })

  it('with addresses that cannot be decoded, traverse, or are too long find nothing', async () => {
    for (const path of [
      '/%',
      '/rooms/%E0%A4%A',
      '/assets/..%2f..%2fpackage.json',
      '/assets/../../package.json',
      '//rooms',
      `/rooms/${'a'.repeat(5000)}`,
      '/rooms/00000000-0000-0000-0000-00000000000g',
    ]) {
      const status = statusOf(await raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))
      assert.ok([303, 400, 404].includes(status), `${path} ${status}`)
    }
  })

  it('with a method that is not offered learn which are', async () => {
    const answer = await raw('PUT /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    assert.equal(statusOf(answer), 405)
    assert.match(answer, /Allow: GET, POST/)
    assert.equal(statusOf(await raw('TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')), 405)
  })

  it('with strange credentials are simply not signed in', async () => {
    const headers = [
      'Authorization: Basic YTpi',
      'Authorization: Bearer',
      `Authorization: Bearer ${'a'.repeat(3000)}`,
      "Authorization: Bearer ' OR 1=1 --aaaaaaaaaaaaaaaaa",
      'Cookie: amtsbote=',
      `Cookie: amtsbote=${'A'.repeat(43)}`,
      'Cookie: amtsbote=%00%00',
      'Cookie: =;;;=;',
    ]
    for (const header of headers) {
      const answer = await raw(`GET /api/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n\r\n`)
      assert.equal(statusOf(answer), 401, header)
      assert.match(answer, /WWW-Authenticate: Bearer/)
    }
  })

  it('larger than an OSCI message may be are refused before they are read', async () => {
    assert.equal(statusOf(await post('/osci', [], 'x')), 200)
    assert.equal(statusOf(await post('/osci', [], 'x'.repeat(100_001))), 413)
    assert.equal(statusOf(await raw('GET /osci HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')), 405)
  })

  it('leave no secret, name or address of a person in the log', async () => {
    const user = await house.person({ email: 'geheime.adresse@example.org', name: 'Geheimer Name', totp: true })
    const room = await house.room('SB2', [[user, 'manager']])
    const id = await house.file(room.id, 'geheimer-dateiname.pdf', 'geheimer inhalt')
    const token = await house.token(user)
    const bearer = { authorization: `Bearer ${token}` }
    const browser = openBrowser(house.url)
    await browser.json('POST', '/api/login', { email: user.email, password: PASSWORD })
    await browser.json('POST', '/api/login', { email: user.email, password: 'falsches-kennwort' })
    await browser.get(`/invitation/${'T'.repeat(43)}?geheim=1`)
    await openBrowser(house.url).get(`/api/files/${id}/content?version=1`, bearer)
    await openBrowser(house.url).get(`/api/rooms/${room.id}/files?after=geheimer-dateiname`, bearer)
    await openBrowser(house.url).json('POST', '/api/step-up', { code: '424242' }, bearer)
    const log = house.log.join('\n')
    assert.match(log, /"route":"GET \/api\/files\/:id\/content"/)
    for (const secret of [
      /geheim/i,
      /falsches/,
      new RegExp(token),
      /T{43}/,
      /424242/,
      new RegExp(PASSWORD),
      new RegExp(id),
    ])
      assert.doesNotMatch(log, secret)
    for (const value of browser.cookies.values()) assert.ok(!log.includes(value))
  })

  it('that stop in the middle of their body are hung up on', async () => {
    const impatient = await openWebHouse({ uploads: { expiresAfterMs: 60_000, idleMs: 100 } })
    try {
      for (const [path, type] of [
        ['/api/login', 'application/json'],
        ['/osci', 'multipart/related'],
      ]) {
        const closed = new Promise<void>((resolve) => {
          const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{"a`
          const socket = connect(impatient.port, '127.0.0.1', () => socket.write(head))
          socket.on('error', () => undefined)
          socket.on('close', () => {
            resolve()
          })
          socket.resume()
        })
        await closed
      }
      assert.equal((await openBrowser(impatient.url).get('/health/live')).status, 200)
      assert.doesNotMatch(impatient.log.join('\n'), /request failed/)
    } finally {
      await impatient.close()
    }
  })

  it('too many from one address are slowed down, with the time to wait', async () => {
    const strict = await openWebHouse({ limits: { credentialsPerMinute: 3, requestsPerMinute: 8 } })
    try {
      const statuses: number[] = []
      for (let n = 0; n < 5; n += 1) {
        statuses.push(
          (await openBrowser(strict.url).json('POST', '/api/login', { email: `x${n}@y.example`, password: 'x' }))
            .status,
        )
      }
      assert.deepEqual(statuses, [401, 401, 401, 429, 429])
      for (let n = 0; n < 5; n += 1) await openBrowser(strict.url).get('/login')
      const reply = await openBrowser(strict.url).get('/login', { 'x-forwarded-for': '198.51.100.1' })
      assert.equal(reply.status, 429)
      assert.ok(Number(reply.headers['retry-after']) >= 1)
      assert.equal((await openBrowser(strict.url).get('/health/live')).status, 200)
    } finally {
      await strict.close()
    }
  })
})
