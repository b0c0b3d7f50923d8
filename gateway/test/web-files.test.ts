import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBrowser, signIn } from './support/browser.ts'
import type { Browser } from './support/browser.ts'
import { OPERATOR, PASSWORD, openWebHouse } from './support/web-house.ts'
import type { WebHouse } from './support/web-house.ts'
import type { Room, User } from '../../storage/index.ts'

describe('files of a room', function () {
  this.timeout(30_000)
  let house: WebHouse
  let user: User
  let room: Room
  let browser: Browser
  before(async () => {
    house = await openWebHouse()
    user = await house.person()
    room = await house.room('SB2', [[user, 'manager']])
    browser = openBrowser(house.url)
    await signIn(browser, user.email, PASSWORD)
  })
  after(() => house.close())

  const csrf = async () => (await browser.get('/api/session')).json['csrf'] as string

  function multipart(
    parts: { name: string; filename?: string; type?: string; value: Buffer | string }[],
    boundary = 'grenze',
  ) {
    const chunks = parts.flatMap(({ name, filename, type, value }) => [
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n`,
      `${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
      value,
      '\r\n',
    ])
    return Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk)))
  }
  const upload = (body: Buffer, type = 'multipart/form-data; boundary=grenze') =>
    browser.send('POST', `/rooms/${room.id}/files`, body, { 'content-type': type, origin: house.url })

  it('come back byte-identical, as an attachment that is never shown', async () => {
    const bytes = randomBytes(150_000)
    const id = await house.file(room.id, '<b>Plan</b>.html', bytes)
    const reply = await browser.get(`/api/files/${id}/content`)
    assert.equal(reply.status, 200)
    assert.ok(reply.body.equals(bytes))
    assert.equal(reply.headers['content-type'], 'application/octet-stream')
    assert.equal(reply.headers['x-content-type-options'], 'nosniff')
    assert.match(String(reply.headers['content-disposition']), /^attachment; /)
    assert.match(String(reply.headers['content-security-policy']), /sandbox/)
    const digest = createHash('sha256').update(bytes).digest('base64')
    assert.equal(reply.headers['repr-digest'], `sha-256=:${digest}:`)
  })

  it('come in ranges, with If-Range, and not outside of the file', async () => {
    const bytes = randomBytes(200_000)
    const id = await house.file(room.id, 'teil.bin', bytes)
    const path = `/api/files/${id}/content`
    const part = await browser.get(path, { range: 'bytes=65530-131080' })
    assert.equal(part.status, 206)
    assert.equal(part.headers['content-range'], 'bytes 65530-131080/200000')
    assert.ok(part.body.equals(bytes.subarray(65_530, 131_081)))
    const tail = await browser.get(path, { range: 'bytes=-1' })
    assert.ok(tail.body.equals(bytes.subarray(-1)))
    const outside = await browser.get(path, { range: 'bytes=200000-' })
    assert.equal(outside.status, 416)
    assert.equal(outside.headers['content-range'], 'bytes */200000')
    assert.equal(outside.json['type'], 'urn:amtsbote:problem:gateway/range-not-satisfiable')
    const { etag } = part.headers
    assert.equal((await browser.get(path, { range: 'bytes=0-0', 'if-range': String(etag) })).status, 206)
    assert.equal((await browser.get(path, { range: 'bytes=0-0', 'if-range': '"other"' })).status, 200)
    assert.equal((await browser.get(path, { 'if-none-match': String(etag) })).status, 304)
    const head = await browser.send('HEAD', path, null)
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '200000', 0])
  })

  it('come empty when they are empty', async () => {
    const id = await house.file(room.id, 'leer.txt', '')
    const reply = await browser.get(`/api/files/${id}/content`)
    assert.deepEqual([reply.status, reply.headers['content-length'], reply.body.length], [200, '0', 0])
  })

  it('keep hostile names from the header and from the page', async () => {
    const names = [
      '"; filename="x.exe',
      'rechnung\u202Efdp.exe',
      '<img src=x onerror=alert(1)>.png',
      "'; DROP TABLE file;--.txt",
      'ä'.repeat(120),
    ]
    for (const name of names) {
      const id = await house.file(room.id, name, name)
      const reply = await browser.get(`/api/files/${id}/content`)
      assert.equal(reply.status, 200)
      assert.match(
        String(reply.headers['content-disposition']),
        /^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w.!~%#$&+^`|-]+$/,
      )
    }
    const page = await browser.get(`/rooms/${room.id}`)
    assert.doesNotMatch(page.text, /<img|\u202e/)
    assert.match(page.text, /&lt;img src=x onerror=alert\(1\)&gt;\.png/)
  })

  it('are uploaded with the plain form, streamed into storage', async () => {
    const bytes = randomBytes(120_000)
    const body = multipart([
      { name: 'csrf', value: await csrf() },
      { name: 'file', filename: 'Grüße.bin', type: 'application/octet-stream', value: bytes },
    ])
    const reply = await upload(body)
    assert.equal(reply.status, 303)
    assert.match((await browser.follow(reply)).text, /vollständig gespeichert/)
    const stored = await house.storage.files.byName(room.id, 'Grüße.bin')
    assert.equal(stored?.current.size, 120_000)
    assert.equal(stored.current.sha256, createHash('sha256').update(bytes).digest('hex'))
  })

  it('are cut off, never completed, when what is stored was altered', async () => {
    const id = await house.file(room.id, 'beschaedigt.bin', randomBytes(1_000_000))
    const objects = join(house.folder, 'objects')
    const entries = await readdir(objects, { recursive: true, withFileTypes: true })
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    const path = paths.find((candidate) => statSync(candidate).size > 1_000_000)
    assert.ok(path)
    const bytes = await readFile(path)
    bytes.writeUInt8(bytes.readUInt8(900_000) ^ 1, 900_000)
    await writeFile(path, bytes)
    await assert.rejects(browser.get(`/api/files/${id}/content`), { code: 'ECONNRESET' })
    assert.match(house.log.join('\n'), /"code":"storage\/object-damaged"/)
    assert.equal((await browser.get('/health/live')).status, 200)
  })

  it('become a new version when the name is there already', async () => {
    for (const value of ['eins', 'zwei!']) {
      assert.equal(
        (
          await upload(
            multipart([
              { name: 'csrf', value: await csrf() },
              { name: 'file', filename: 'v.txt', value },
            ]),
          )
        ).status,
        303,
      )
    }
    const file = await house.storage.files.byName(room.id, 'v.txt')
    assert.equal(file?.current.number, 2)
    assert.equal((await browser.get(`/files/${file.id}/content?version=1`)).text, 'eins')
    assert.equal((await browser.get(`/files/${file.id}/content`)).text, 'zwei!')
    assert.equal((await browser.get(`/files/${file.id}/content?version=3`)).status, 404)
    assert.equal((await browser.get(`/files/${file.id}/content?version=1&version=2`)).status, 400)
  })

  it('are refused by the form without its token, before a byte is stored', async () => {
    const before = await house.storage.database.kysely.selectFrom('content').select('id').execute()
    const bodies = [
      multipart([{ name: 'file', filename: 'a.txt', value: 'x' }]),
      multipart([
        { name: 'csrf', value: 'wrong' },
        { name: 'file', filename: 'a.txt', value: 'x' },
      ]),
      multipart([
        { name: 'file', filename: 'a.txt', value: 'x' },
        { name: 'csrf', value: await csrf() },
      ]),
    ]
    for (const body of bodies) assert.equal((await upload(body)).status, 403)
    const after = await house.storage.database.kysely.selectFrom('content').select('id').execute()
    assert.equal(after.length, before.length)
  })

  it('larger than the form allows are sent to the resumable upload, and leave nothing behind', async () => {
    const token = await csrf()
    const declared = await upload(
      multipart([
        { name: 'csrf', value: token },
        { name: 'file', filename: 'g.bin', value: randomBytes(230_000) },
      ]),
    )
    assert.equal(declared.status, 413)
    assert.match(declared.text, /amtsbote upload/)
    const just = await upload(
      multipart([
        { name: 'csrf', value: token },
        { name: 'file', filename: 'g.bin', value: randomBytes(200_001) },
      ]),
    )
    assert.equal(just.status, 413)
    assert.equal(await house.storage.files.byName(room.id, 'g.bin'), null)
    const fits = await upload(
      multipart([
        { name: 'csrf', value: token },
        { name: 'file', filename: 'g.bin', value: randomBytes(200_000) },
      ]),
    )
    assert.equal(fits.status, 303)
  })

  it('with broken multipart bodies are refused, and the process stays up', async () => {
    const token = await csrf()
    const whole = multipart([
      { name: 'csrf', value: token },
      { name: 'file', filename: 'b.txt', value: 'x'.repeat(1000) },
    ])
    const bad: [Buffer, string, number][] = [
      [whole.subarray(0, whole.length - 30), 'multipart/form-data; boundary=grenze', 400],
      [Buffer.from('no parts at all'), 'multipart/form-data; boundary=grenze', 400],
      [whole, 'multipart/form-data', 415],
      [whole, 'text/plain', 415],
      [whole, 'multipart/form-data; boundary=other', 400],
      [Buffer.alloc(0), 'multipart/form-data; boundary=grenze', 400],
      [
        multipart([
          { name: 'csrf', value: token },
          { name: 'file', filename: '../../etc/passwd\u0000', value: 'x' },
        ]),
        'multipart/form-data; boundary=grenze',
        400,
      ],
      [
        multipart([
          { name: 'csrf', value: token },
          ...Array.from({ length: 20 }, (_, n) => ({ name: `f${n}`, value: 'x' })),
        ]),
        'multipart/form-data; boundary=grenze',
        400,
      ],
      [
        multipart([
          { name: 'csrf', value: token },
          { name: 'file', filename: 'a.txt', value: 'x' },
          { name: 'file', filename: 'b.txt', value: 'y' },
        ]),
        'multipart/form-data; boundary=grenze',
        400,
      ],
    ]
    for (const [index, [body, type, status]] of bad.entries())
      assert.equal((await upload(body, type)).status, status, `case ${index}`)
    assert.equal(
      (
        await upload(
          multipart([
            { name: 'csrf', value: token },
            { name: 'file', filename: '', value: '' },
          ]),
        )
      ).status,
      422,
    )
    assert.equal((await browser.get('/health/live')).status, 200)
  })

  it('are erased only with a tick, and are then gone for everybody', async () => {
    const id = await house.file(room.id, 'weg.txt', 'weg')
    await browser.get(`/files/${id}`)
    assert.match((await browser.submit(`/files/${id}/erase`)).text, /Bitte bestätigen Sie das Löschen/)
    assert.match(
      (await browser.follow(await browser.submit(`/files/${id}/erase`, { confirm: 'yes' }))).text,
      /Die Datei ist gelöscht/,
    )
    assert.equal((await browser.get(`/files/${id}`)).status, 404)
    assert.equal((await browser.get(`/api/files/${id}/content`)).status, 404)
  })

  it('are listed page by page', async () => {
    const many = await house.room('SB2', [[user, 'reader']])
    for (let n = 0; n < 7; n += 1) await house.file(many.id, `akte-${n}.txt`, 'x')
    const names: string[] = []
    let after = ''
    do {
      const page = await browser.get(`/api/rooms/${many.id}/files?limit=3${after}`)
      names.push(...(page.json['items'] as { name: string }[]).map(({ name }) => name))
      const next = page.json['next'] as string | null
      after = next === null ? '' : `&after=${encodeURIComponent(next)}`
    } while (after !== '')
    assert.deepEqual(
      names,
      Array.from({ length: 7 }, (_, n) => `akte-${n}.txt`),
    )
    for (const limit of ['0', '501', '-1', '1e2', 'x', ''])
      assert.equal((await browser.get(`/api/rooms/${many.id}/files?limit=${limit}`)).status, 400, limit)
  })

  it('do not exist for who is no member, whatever is asked', async () => {
    const stranger = openBrowser(house.url)
    const other = await house.person()
    await signIn(stranger, other.email, PASSWORD)
    const id = await house.file(room.id, 'geheim.txt', 'geheim')
    for (const path of [
      `/rooms/${room.id}`,
      `/files/${id}`,
      `/files/${id}/content`,
      `/api/rooms/${room.id}`,
      `/api/rooms/${room.id}/files`,
      `/api/files/${id}`,
      `/api/files/${id}/content`,
    ]) {
      const reply = await stranger.get(path)
      assert.equal(reply.status, 404, path)
      assert.doesNotMatch(reply.text, /geheim|Bauakte/)
    }
    assert.equal((await stranger.get(`/api/files/${id.replace(/^./, 'x')}`)).status, 404)
    assert.equal((await stranger.get('/api/files/..%2f..%2fsecret')).status, 404)
  })

  it('of others and files that never were are the same answer, word for word', async () => {
    const stranger = { authorization: `Bearer ${await house.token(await house.person())}` }
    const id = await house.file(room.id, 'geheim.pdf', 'geheim')
    const never = `${id.slice(0, -12)}000000000000`
    const order = { roomId: room.id, items: [{ fileId: id, version: 1 }], wishes: {} }
    const batch = await house.storage.sealBatches.create(order, OPERATOR)
    const neverBatch = `${batch.slice(0, -12)}000000000000`
    const answer = async (method: string, path: string) => {
      const { status, json } = await openBrowser(house.url).send(method, path, null, stranger)
      return { ...json, status, instance: null }
    }
    for (const [method, path] of [
      ['GET', '/api/files/:id'],
      ['GET', '/api/files/:id/content'],
      ['GET', '/api/files/:id/signatures'],
      ['DELETE', '/api/files/:id'],
      ['POST', '/api/files/:id/seal'],
    ] as const) {
      const theirs = await answer(method, path.replace(':id', id))
      assert.equal(theirs.status, 404, path)
      assert.deepEqual(theirs, await answer(method, path.replace(':id', never)), path)
    }
    for (const [method, path] of [
      ['GET', '/api/seal-batches/:id'],
      ['POST', '/api/seal-batches/:id/cancel'],
    ] as const) {
      const theirs = await answer(method, path.replace(':id', batch))
      assert.equal(theirs.status, 404, path)
      assert.deepEqual(theirs, await answer(method, path.replace(':id', neverBatch)), path)
    }
  })

  it('can only be read by readers', async () => {
    const reader = await house.person()
    const reading = await house.room('SB2', [[reader, 'reader']])
    const id = await house.file(reading.id, 'a.pdf', 'x')
    const bearer = { authorization: `Bearer ${await house.token(reader)}` }
    const outside = openBrowser(house.url)
    assert.equal((await outside.get(`/api/files/${id}/content`, bearer)).status, 200)
    const erase = await outside.send('DELETE', `/api/files/${id}`, null, bearer)
    assert.deepEqual([erase.status, erase.json['reason']], [403, 'role-too-low'])
    assert.equal((await outside.json('POST', `/api/files/${id}/seal`, undefined, bearer)).status, 403)
  })

  it('are sealed only where a key is set up', async () => {
    const id = await house.file(room.id, 's.pdf', '%PDF-1.7')
    const bearer = { authorization: `Bearer ${await house.token(user)}` }
    const reply = await openBrowser(house.url).send('POST', `/api/files/${id}/seal`, null, bearer)
    assert.equal(reply.json['type'], 'urn:amtsbote:problem:gateway/not-configured')
  })
})
