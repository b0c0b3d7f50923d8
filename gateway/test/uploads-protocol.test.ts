import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { crc32c } from './support/crc32c.ts'
import type { TusCaller } from './support/tus.ts'
import { OCTETS, UPLOADS, metadata, randomBytes, sha256, tusCaller } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'
import { Wire, call, requestHead } from './support/wire.ts'

/** Every MUST of tus 1.0.0 and of the extensions that we name, asked over plain sockets. */
describe('tus 1.0.0', function () {
  this.timeout(20_000)
  let house: UploadHouse
  let tus: TusCaller
  before(async () => {
    house = await openUploadHouse()
    tus = tusCaller(
      () => house.port,
      () => house.standing(),
    )
  })
  after(() => house.close())

  describe('core protocol', () => {
    it('tells versions, extensions, limits and checksums to OPTIONS, which needs no version', async () => {
      const reply = await call(house.port, { method: 'OPTIONS', path: UPLOADS })
      assert.equal(reply.status, 204)
      assert.equal(reply.headers['tus-version'], '1.0.0')
      assert.equal(reply.headers['tus-resumable'], '1.0.0')
      assert.equal(reply.headers['tus-max-size'], String(house.maxSizeBytes))
      assert.deepEqual(reply.headers['tus-extension']?.split(','), [
        'creation',
        'creation-with-upload',
        'creation-defer-length',
        'expiration',
        'termination',
        'checksum',
        'concatenation',
      ])
      assert.deepEqual(reply.headers['tus-checksum-algorithm']?.split(','), ['sha1', 'sha256', 'crc32c'])
    })

    it('allows no other origin anything', async () => {
      for (const method of ['OPTIONS', 'POST']) {
        const headers = [['Origin', 'https://evil.example'] as const, ['Tus-Resumable', '1.0.0'] as const]
        const reply = await call(house.port, { method, path: UPLOADS, headers })
        const names = Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'))
        assert.deepEqual(names, [])
      }
    })

    for (const version of [undefined, '0.2.2', '1.0.1', '1.0.0, 1.0.0', '']) {
      it(`refuses version ${version ?? '(none)'} with 412 and the version it speaks, and does nothing`, async () => {
        const address = await tus.create(5)
        const headers = version === undefined ? [] : [['Tus-Resumable', version] as const]
        const more = [
          ['Content-Type', OCTETS] as const,
          ['Upload-Offset', '0'] as const,
          ['Content-Length', '5'] as const,
        ]
        const replies = [
          await call(house.port, { method: 'PATCH', path: address, headers: [...headers, ...more], body: 'hello' }),
          await call(house.port, { method: 'HEAD', path: address, headers }),
          await call(house.port, { method: 'DELETE', path: address, headers }),
          await call(house.port, { method: 'POST', path: UPLOADS, headers: [...headers, ['Upload-Length', '5']] }),
        ]
        for (const reply of replies) {
          assert.equal(reply.status, 412)
          assert.equal(reply.headers['tus-version'], '1.0.0')
        }
        assert.equal((await tus.head(address)).headers['upload-offset'], '0')
      })
    }

    it('says its version in every answer, refusals included', async () => {
      const address = await tus.create(5)
      const replies = [
        await tus.head(address),
        await tus.patch(address, 3, Buffer.from('x')),
        await tus.head(`${UPLOADS}/${'A'.repeat(43)}`),
        await tus.post({ 'Upload-Length': '-1' }),
        await call(house.port, { method: 'GET', path: address }),
      ]
      for (const reply of replies) assert.equal(reply.headers['tus-resumable'], '1.0.0')
    })

    it('obeys X-HTTP-Method-Override and ignores the method itself', async () => {
      const address = await tus.create(5)
      const override = (method: string, actual: string, more: [string, string][] = [], body?: string) =>
        call(house.port, {
          method: actual,
          path: address,
          headers: [['Tus-Resumable', '1.0.0'], ['X-HTTP-Method-Override', method], ...more],
          ...(body !== undefined && { body }),
        })
      const sent: [string, string][] = [
        ['Content-Type', OCTETS],
        ['Upload-Offset', '0'],
        ['Content-Length', '3'],
      ]
      assert.equal((await override('PATCH', 'POST', sent, 'abc')).headers['upload-offset'], '3')
      assert.equal((await override('HEAD', 'GET')).headers['upload-offset'], '3')
      assert.equal((await override('GET', 'HEAD')).status, 405)
      assert.equal((await override('DELETE', 'POST', [['Content-Length', '0']])).status, 204)
      assert.equal((await tus.head(address)).status, 404)
    })

    it('answers HEAD with offset and length, also at the very beginning, and lets nobody cache it', async () => {
      const reply = await tus.head(await tus.create(7))
      assert.equal(reply.status, 200)
      assert.equal(reply.headers['upload-offset'], '0')
      assert.equal(reply.headers['upload-length'], '7')
      assert.equal(reply.headers['cache-control'], 'no-store')
    })

    it('answers HEAD of what does not exist without an offset', async () => {
      for (const ticket of ['A'.repeat(43), 'short', '..%2F..%2Fetc%2Fpasswd', `${'A'.repeat(43)}%00`]) {
        const reply = await tus.head(`${UPLOADS}/${ticket}`)
        assert.equal(reply.status, 404)
        assert.equal(reply.headers['upload-offset'], undefined)
      }
    })

    it('appends at the offset and says how far it is', async () => {
      const bytes = randomBytes(300_000)
      const address = await tus.create(bytes.length)
      const first = await tus.patch(address, 0, bytes.subarray(0, 100_001))
      assert.equal(first.status, 204)
      assert.equal(first.headers['upload-offset'], '100001')
      assert.equal((await tus.head(address)).headers['upload-offset'], '100001')
      const second = await tus.patch(address, 100_001, bytes.subarray(100_001))
      assert.equal(second.headers['upload-offset'], '300000')
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('takes an empty PATCH', async () => {
      const address = await tus.create(5)
      assert.equal((await tus.patch(address, 0, Buffer.alloc(0))).headers['upload-offset'], '0')
    })

    it('refuses another offset than its own with 409 and changes nothing', async () => {
      const address = await tus.create(5)
      await tus.patch(address, 0, Buffer.from('ab'))
      for (const offset of [0, 1, 3, 5, 6, 2 ** 53 - 1]) {
        assert.equal((await tus.patch(address, offset, Buffer.from('xyz'))).status, 409)
      }
      assert.equal((await tus.head(address)).headers['upload-offset'], '2')
    })

    it('refuses a PATCH of another type with 415', async () => {
      const address = await tus.create(5)
      for (const type of ['text/plain', 'application/octet-stream', `${OCTETS}; charset=utf-8`]) {
        assert.equal((await tus.patch(address, 0, Buffer.from('hello'), { 'Content-Type': type })).status, 415)
      }
      const bare = [
        ['Tus-Resumable', '1.0.0'] as const,
        ['Upload-Offset', '0'] as const,
        ['Content-Length', '5'] as const,
      ]
      const reply = await call(house.port, { method: 'PATCH', path: address, headers: bare, body: 'hello' })
      assert.equal(reply.status, 415)
      assert.equal((await tus.head(address)).headers['upload-offset'], '0')
    })

    it('refuses a PATCH without an offset', async () => {
      const address = await tus.create(5)
      const headers = [
        ['Tus-Resumable', '1.0.0'] as const,
        ['Content-Type', OCTETS] as const,
        ['Content-Length', '5'] as const,
      ]
      const reply = await call(house.port, { method: 'PATCH', path: address, headers, body: 'hello' })
      assert.equal(reply.status, 400)
    })

    it('refuses more bytes than were announced', async () => {
      const address = await tus.create(5)
      assert.equal((await tus.patch(address, 0, Buffer.from('hello!'))).status, 413)
      assert.equal((await tus.head(address)).headers['upload-offset'], '0')
    })

    it('lets a finished upload be asked about and answers a repeated last PATCH', async () => {
      const address = await tus.create(5)
      await tus.patch(address, 0, Buffer.from('hello'))
      const head = await tus.head(address)
      assert.equal(head.headers['upload-offset'], '5')
      assert.equal(head.headers['upload-length'], '5')
      assert.equal((await tus.patch(address, 5, Buffer.alloc(0))).headers['upload-offset'], '5')
      assert.equal((await tus.patch(address, 0, Buffer.from('hello'))).status, 409)
    })

    it('serves no file and no other method', async () => {
      const address = await tus.create(5)
      await tus.patch(address, 0, Buffer.from('hello'))
      for (const method of ['GET', 'PUT', 'TRACE', 'MKCOL']) {
        const reply = await call(house.port, { method, path: address, headers: [['Tus-Resumable', '1.0.0']] })
        assert.equal(reply.status, 405)
        assert.match(reply.headers['allow'] ?? '', /PATCH/)
      }
      assert.equal((await tus.patch(UPLOADS, 0, Buffer.from('x'))).status, 405)
    })
  })

  describe('creation', () => {
    it('answers 201 with the address of the upload, whatever Host the client names', async () => {
      const forwarded = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher', Forwarded: 'host=evil' }
      const plain = await tus.post({ 'Upload-Length': '5', ...forwarded, Host: 'evil.example' })
      assert.equal(plain.status, 201)
      assert.match(plain.headers['location'] ?? '', /^\/api\/uploads\/[A-Za-z0-9_-]{43}$/)
    })

    it('needs exactly one of Upload-Length and Upload-Defer-Length', async () => {
      assert.equal((await tus.post({})).status, 400)
      assert.equal((await tus.post({ 'Upload-Length': '5', 'Upload-Defer-Length': '1' })).status, 400)
    })

    it('refuses what is larger than the largest upload', async () => {
      assert.equal((await tus.post({ 'Upload-Length': String(house.maxSizeBytes + 1) })).status, 413)
    })

    it('makes an empty file of an upload of no bytes', async () => {
      const address = await tus.create(0)
      assert.equal((await tus.head(address)).headers['upload-offset'], '0')
      assert.equal((await house.read()).length, 0)
    })

    it('hands metadata back exactly as given', async () => {
      const given = `${house.standing()['Upload-Metadata'] ?? ''},is_confidential,binary ${Buffer.from([255, 0, 254]).toString('base64')}`
      const reply = await tus.head(await tus.create(5, { 'Upload-Metadata': given }))
      assert.equal(reply.headers['upload-metadata'], given)
    })

    it('creates two uploads of two POSTs', async () => {
      assert.notEqual(await tus.create(5), await tus.create(5))
    })
  })

  describe('creation-with-upload', () => {
    for (const [size, words] of [
      [5, 'a small file'],
      [200_000, 'a file of some chunks'],
      [9_000_001, 'a file of two parts'],
    ] as const) {
      it(`takes ${words} whole in the POST`, async () => {
        const bytes = randomBytes(size)
        const reply = await tus.post({ 'Upload-Length': String(size), 'Content-Type': OCTETS }, bytes)
        assert.equal(reply.status, 201)
        assert.equal(reply.headers['upload-offset'], String(size))
        assert.equal((await tus.head(reply.headers['location'] ?? '')).headers['upload-offset'], String(size))
        assert.equal(sha256(await house.read()), sha256(bytes))
      })
    }

    it('takes the first bytes in the POST and the rest later', async () => {
      const bytes = randomBytes(100)
      const reply = await tus.post({ 'Upload-Length': '100', 'Content-Type': OCTETS }, bytes.subarray(0, 40))
      assert.equal(reply.headers['upload-offset'], '40')
      await tus.patch(reply.headers['location'] ?? '', 40, bytes.subarray(40))
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('refuses a body of another type and a body that is longer than announced', async () => {
      const before = await house.countUploads()
      const length = { 'Upload-Length': '5' }
      assert.equal((await tus.post({ ...length, 'Content-Type': 'text/plain' }, Buffer.from('hello'))).status, 415)
      assert.equal((await tus.post({ ...length, 'Content-Type': OCTETS }, Buffer.from('hello!'))).status, 413)
      assert.equal(await house.countUploads(), before)
    })
  })

  describe('creation-defer-length', () => {
    it('says that the length is unknown until a PATCH names it', async () => {
      const address = await tus.create(null)
      assert.equal((await tus.head(address)).headers['upload-defer-length'], '1')
      await tus.patch(address, 0, Buffer.from('hel'))
      const still = await tus.head(address)
      assert.equal(still.headers['upload-defer-length'], '1')
      assert.equal(still.headers['upload-length'], undefined)
      await tus.patch(address, 3, Buffer.from('l'), { 'Upload-Length': '5' })
      const known = await tus.head(address)
      assert.equal(known.headers['upload-length'], '5')
      assert.equal(known.headers['upload-defer-length'], undefined)
      await tus.patch(address, 4, Buffer.from('o'))
      assert.equal((await house.read()).toString(), 'hello')
    })

    it('is completed by an empty PATCH that names the length', async () => {
      const address = await tus.create(null)
      await tus.patch(address, 0, Buffer.from('hello'))
      const reply = await tus.patch(address, 5, Buffer.alloc(0), { 'Upload-Length': '5' })
      assert.equal(reply.status, 204)
      assert.equal((await house.read()).toString(), 'hello')
    })

    it('lets the length be repeated, never changed', async () => {
      const address = await tus.create(null)
      await tus.patch(address, 0, Buffer.from('ab'), { 'Upload-Length': '9' })
      assert.equal((await tus.patch(address, 2, Buffer.from('c'), { 'Upload-Length': '9' })).status, 204)
      assert.equal((await tus.patch(address, 3, Buffer.from('d'), { 'Upload-Length': '8' })).status, 400)
      assert.equal((await tus.head(address)).headers['upload-offset'], '3')
    })

    it('refuses a length below what has arrived, above the largest, and another value than 1', async () => {
      const address = await tus.create(null)
      await tus.patch(address, 0, Buffer.from('hello'))
      assert.equal((await tus.patch(address, 5, Buffer.alloc(0), { 'Upload-Length': '4' })).status, 400)
      const tooLong = { 'Upload-Length': String(house.maxSizeBytes + 1) }
      assert.equal((await tus.patch(address, 5, Buffer.alloc(0), tooLong)).status, 413)
      assert.equal((await tus.post({ 'Upload-Defer-Length': '0' })).status, 400)
      assert.equal((await tus.head(address)).headers['upload-offset'], '5')
    })

    it('refuses a deferred upload that outgrows the largest', async () => {
      const small = await openUploadHouse({ maxSizeBytes: 1000 })
      try {
        const caller = tusCaller(
          () => small.port,
          () => small.standing(),
        )
        const address = await caller.create(null)
        await caller.patch(address, 0, randomBytes(900))
        assert.equal((await caller.patch(address, 900, randomBytes(101))).status, 413)
        assert.equal((await caller.head(address)).headers['upload-offset'], '900')
        assert.equal((await caller.patch(address, 900, randomBytes(100))).status, 204)
      } finally {
        await small.close()
      }
    })
  })

  describe('expiration', () => {
    it('names the moment as an HTTP date while the upload is unfinished, counted from the last byte', async () => {
      const created = await tus.post({ 'Upload-Length': '5' })
      const address = created.headers['location'] ?? ''
      const expected = (): string => new Date(house.now().getTime() + house.expiresAfterMs).toUTCString()
      assert.equal(created.headers['upload-expires'], expected())
      house.advance(60_000)
      const patched = await tus.patch(address, 0, Buffer.from('hell'))
      assert.equal(patched.headers['upload-expires'], expected())
      const finished = await tus.patch(address, 4, Buffer.from('o'))
      assert.equal(finished.headers['upload-expires'], undefined)
    })

    it('ends an upload that rests too long, and not one that moves', async () => {
      const [resting, moving] = [await tus.create(9), await tus.create(9)]
      house.advance(house.expiresAfterMs - 1000)
      assert.equal((await tus.patch(moving, 0, Buffer.from('a'))).status, 204)
      house.advance(2000)
      assert.equal((await tus.head(resting)).status, 404)
      assert.equal((await tus.patch(resting, 0, Buffer.from('a'))).status, 404)
      assert.equal((await tus.head(moving)).headers['upload-offset'], '1')
    })
  })

  describe('checksum', () => {
    const body = Buffer.from('hello world')
    const digests = {
      sha1: createHash('sha1').update(body).digest('base64'),
      sha256: createHash('sha256').update(body).digest('base64'),
      crc32c: crc32c(body).toString('base64'),
    }
    for (const [algorithm, digest] of Object.entries(digests)) {
      it(`keeps bytes whose ${algorithm} agrees and drops those whose does not`, async () => {
        const address = await tus.create(22)
        const wrong = await tus.patch(address, 0, Buffer.from('hello_world'), {
          'Upload-Checksum': `${algorithm} ${digest}`,
        })
        assert.equal(wrong.status, 460)
        assert.equal((await tus.head(address)).headers['upload-offset'], '0')
        const right = await tus.patch(address, 0, body, { 'Upload-Checksum': `${algorithm} ${digest}` })
        assert.equal(right.headers['upload-offset'], '11')
        const again = await tus.patch(address, 11, Buffer.from('hello_world'), {
          'Upload-Checksum': `${algorithm} ${digest}`,
        })
        assert.equal(again.status, 460)
        assert.equal((await tus.head(address)).headers['upload-offset'], '11')
        await tus.patch(address, 11, body)
        assert.equal((await house.read()).toString(), 'hello worldhello world')
      })
    }

    it('drops a whole large request, finished parts included', async () => {
      const bytes = randomBytes(20 * 1024 * 1024)
      const address = await tus.create(bytes.length)
      await tus.patch(address, 0, bytes.subarray(0, 100))
      const checksum = { 'Upload-Checksum': `sha1 ${createHash('sha1').update('another').digest('base64')}` }
      assert.equal((await tus.patch(address, 100, bytes.subarray(100), checksum)).status, 460)
      assert.equal((await tus.head(address)).headers['upload-offset'], '100')
      assert.equal((await tus.patch(address, 100, bytes.subarray(100))).status, 204)
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('refuses algorithms that it does not name and digests that are none', async () => {
      const address = await tus.create(22)
      for (const value of [
        'md5 XUFAKrxLKna5cZ2REBfFkg==',
        'sha1',
        'sha1 abc',
        'sha1 ****',
        `sha256 ${digests.sha1}`,
        `sha1  ${digests.sha1}`,
        '',
      ]) {
        assert.equal((await tus.patch(address, 0, body, { 'Upload-Checksum': value })).status, 400, value)
      }
      assert.equal((await tus.head(address)).headers['upload-offset'], '0')
    })

    it('is checked on a POST with a body, too, which then leaves nothing behind', async () => {
      const before = await house.countUploads()
      const headers = { 'Upload-Length': '11', 'Content-Type': OCTETS }
      const wrong = await tus.post(
        { ...headers, 'Upload-Checksum': `sha1 ${digests.sha1}` },
        Buffer.from('hello_world'),
      )
      assert.equal(wrong.status, 460)
      assert.equal(await house.countUploads(), before)
      const right = await tus.post({ ...headers, 'Upload-Checksum': `sha1 ${digests.sha1}` }, body)
      assert.equal(right.status, 201)
      assert.equal((await house.read()).toString(), 'hello world')
    })
  })

  describe('termination', () => {
    it('ends an upload for good', async () => {
      const address = await tus.create(5)
      await tus.patch(address, 0, Buffer.from('hel'))
      assert.equal((await tus.delete(address)).status, 204)
      assert.equal((await tus.head(address)).status, 404)
      assert.equal((await tus.patch(address, 3, Buffer.from('lo'))).status, 404)
      assert.equal((await tus.delete(address)).status, 404)
    })

    it('ends the ticket of a finished upload, and leaves the file to those who may erase it', async () => {
      const address = await tus.create(5)
      await tus.patch(address, 0, Buffer.from('hello'))
      assert.equal((await tus.delete(address)).status, 204)
      assert.equal((await tus.head(address)).status, 404)
      assert.equal((await house.read()).toString(), 'hello')
    })
  })

  describe('concatenation', () => {
    const partial = async (bytes: Buffer, declared = bytes.length): Promise<string> => {
      const address = await tus.create(declared, { 'Upload-Concat': 'partial' })
      if (bytes.length > 0) await tus.patch(address, 0, bytes)
      return address
    }

    it('joins partial uploads in the order named', async () => {
      const bytes = [randomBytes(70_000), randomBytes(9_000_000), randomBytes(1)]
      const [first, second, third] = [
        await partial(bytes[0] ?? Buffer.alloc(0)),
        await partial(bytes[1] ?? Buffer.alloc(0)),
        await partial(bytes[2] ?? Buffer.alloc(0)),
      ]
      const value = `final;${first} http://localhost:1${second} ${third}`
      const reply = await tus.post({ 'Upload-Concat': value })
      assert.equal(reply.status, 201)
      const head = await tus.head(reply.headers['location'] ?? '')
      assert.equal(head.headers['upload-concat'], value)
      assert.equal(head.headers['upload-length'], '9070001')
      assert.equal(head.headers['upload-offset'], '9070001')
      assert.equal(sha256(await house.read()), sha256(Buffer.concat(bytes)))
    })

    it('shows what a partial upload is', async () => {
      const head = await tus.head(await partial(Buffer.from('abc'), 5))
      assert.equal(head.headers['upload-concat'], 'partial')
      assert.equal(head.headers['upload-offset'], '3')
      assert.equal(head.headers['upload-length'], '5')
    })

    it('makes no file of a partial upload alone', async () => {
      const before = await house.countFiles()
      await partial(Buffer.from('abc'))
      assert.equal(await house.countFiles(), before)
    })

    it('refuses PATCH on a final upload', async () => {
      const final = (await tus.post({ 'Upload-Concat': `final;${await partial(Buffer.from('abc'))}` })).headers[
        'location'
      ]
      assert.equal((await tus.patch(final ?? '', 3, Buffer.from('d'))).status, 403)
      assert.equal((await house.read()).toString(), 'abc')
    })

    it('refuses a length on a final upload, and a header that is neither partial nor final', async () => {
      const address = await partial(Buffer.from('abc'))
      assert.equal((await tus.post({ 'Upload-Concat': `final;${address}`, 'Upload-Length': '3' })).status, 400)
      for (const value of [
        'final',
        'final;',
        'FINAL;x',
        'partial;x',
        'final;/etc/passwd',
        `final;${address} ${address}`,
        '',
      ]) {
        assert.equal((await tus.post({ 'Upload-Concat': value })).status, 400, value)
      }
    })

    it('joins only finished partial uploads, each once', async () => {
      const unfinished = await partial(Buffer.from('abc'), 5)
      assert.equal((await tus.post({ 'Upload-Concat': `final;${unfinished}` })).status, 409)
      const whole = await tus.create(3)
      await tus.patch(whole, 0, Buffer.from('abc'))
      assert.equal((await tus.post({ 'Upload-Concat': `final;${whole}` })).status, 409)
      const used = await partial(Buffer.from('abc'))
      assert.equal((await tus.post({ 'Upload-Concat': `final;${used}` })).status, 201)
      const again = await tus.post({ 'Upload-Concat': `final;${used}` })
      assert.ok([404, 409].includes(again.status), String(again.status))
    })

    it('joins nothing of another person or another room', async () => {
      const address = await partial(Buffer.from('abc'))
      const stranger = await house.anotherPerson()
      assert.equal(
        (await tus.post({ 'Upload-Concat': `final;${address}`, Authorization: `Bearer ${stranger}` })).status,
        404,
      )
      const room = await house.anotherRoom()
      const elsewhere = metadata({ room, filename: 'x.bin' })
      assert.equal((await tus.post({ 'Upload-Concat': `final;${address}`, 'Upload-Metadata': elsewhere })).status, 404)
    })
  })

  describe('one writer at a time', () => {
    it('lets a newer request take over from one that stalls, and keeps what had arrived', async () => {
      const bytes = randomBytes(100_000)
      const address = await tus.create(bytes.length)
      const stalled = await Wire.open(house.port)
      stalled.send(
        requestHead({
          method: 'PATCH',
          path: address,
          headers: [
            ['Tus-Resumable', '1.0.0'],
            ['Content-Type', OCTETS],
            ['Upload-Offset', '0'],
            ['Content-Length', '100000'],
          ],
        }),
      )
      stalled.send(bytes.subarray(0, 60_000))
      await house.untilWriting()
      const offset = Number((await tus.head(address)).headers['upload-offset'])
      assert.ok(offset >= 0 && offset <= 60_000)
      assert.equal((await stalled.reply()).status, 400)
      stalled.cut()
      assert.equal((await tus.patch(address, offset, bytes.subarray(offset))).status, 204)
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('answers 423 to who gets no lock', async () => {
      const address = await tus.create(5)
      const letGo = await house.holdStubbornly(address)
      try {
        const reply = await tus.patch(address, 0, Buffer.from('hello'))
        assert.equal(reply.status, 423)
      } finally {
        await letGo()
      }
      assert.equal((await tus.patch(address, 0, Buffer.from('hello'))).status, 204)
    }).timeout(15_000)

    it('lets exactly one of twenty parallel PATCHes at one offset through', async () => {
      const address = await tus.create(100_000)
      const bodies = Array.from({ length: 20 }, () => randomBytes(100_000))
      const replies = await Promise.all(bodies.map((body) => tus.patch(address, 0, body)))
      const winners = replies.flatMap((reply, index) => (reply.status === 204 ? [index] : []))
      assert.equal(winners.length, 1, replies.map(({ status }) => status).join(' '))
      for (const { status } of replies) assert.ok([204, 400, 409, 423].includes(status), String(status))
      assert.equal(sha256(await house.read()), sha256(bodies[winners[0] ?? 0] ?? Buffer.alloc(0)))
    }).timeout(20_000)
  })
})
