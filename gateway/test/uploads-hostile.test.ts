import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseUploadChecksum } from '../tus/checksum.ts'
import { parseUploadConcat } from '../tus/concatenation.ts'
import { GatewayError } from '../errors.ts'
import { checkFileName } from '../tus/file-name.ts'
import { metadataText, parseUploadMetadata } from '../tus/upload-metadata.ts'
import type { TusCaller } from './support/tus.ts'
import { OCTETS, UPLOADS, metadata, randomBytes, sha256, tusCaller } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'
import type { Reply } from './support/wire.ts'
import { Wire, call, requestHead } from './support/wire.ts'

const badInput = { name: 'GatewayError', code: 'gateway/bad-input' }

describe('Upload-Metadata', () => {
  it('is read as the protocol writes it', () => {
    const parsed = parseUploadMetadata('filename d29ybGQucGRm,is_confidential,empty ,x AA==')
    assert.equal(metadataText(parsed, 'filename'), 'world.pdf')
    assert.deepEqual([...parsed.keys()], ['filename', 'is_confidential', 'empty', 'x'])
    assert.equal(parsed.get('is_confidential'), null)
    assert.deepEqual(parsed.get('x'), Buffer.from([0]))
  })

  const broken = {
    'a repeated key': 'a YQ==,a Yg==',
    'an empty key': 'a YQ==,, b',
    'a key that is not ASCII': 'ä YQ==',
    'two values': 'a YQ== Yg==',
    'a value that is not base64': 'a Y*==',
    'base64 of a wrong length': 'a YQ=',
    base64url: 'a __8=',
    'a control character': 'a\tb YQ==',
    'more than 8 KiB': `a ${'A'.repeat(8192)}`,
    'more than 32 keys': Array.from({ length: 33 }, (_, index) => `k${index}`).join(','),
  }
  for (const [what, header] of Object.entries(broken)) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => parseUploadMetadata(header), badInput)
    })
  }

  it('is refused when a text that is asked for is not UTF-8', () => {
    const parsed = parseUploadMetadata('filename /w==')
    assert.throws(() => metadataText(parsed, 'filename'), badInput)
  })

  it('gives back any bytes under any keys', () => {
    const key = fc.string({
      unit: fc.constantFrom('a', 'b', 'X', 'Z', '0', '9', '-', '_', '.', '~', '!', '@', ':', '/'),
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(fc.dictionary(key, fc.uint8Array({ maxLength: 40 }), { maxKeys: 20 }), (pairs) => {
        const entries = Object.entries(pairs).map(([name, bytes]) => [name, Buffer.from(bytes)] as const)
        fc.pre(entries.length > 0)
        const parsed = parseUploadMetadata(metadata(Object.fromEntries(entries)))
        for (const [name, bytes] of entries) assert.deepEqual(parsed.get(name) ?? Buffer.alloc(0), bytes)
      }),
    )
  })

  it('throws nothing but its own fault, whatever it is given', () => {
    const parsers = [
      parseUploadMetadata,
      parseUploadChecksum,
      checkFileName,
      (text: string) => parseUploadConcat(text, UPLOADS),
    ]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.string().map((s) => `final;${s}`),
        ),
        (text) => {
          for (const parse of parsers) {
            try {
              parse(text)
            } catch (error) {
              assert.ok(error instanceof GatewayError, String(error))
            }
          }
        },
      ),
    )
  })
})

describe('bad input to the upload endpoint', function () {
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

  describe('headers', () => {
    const numbers = [
      '-1',
      '+5',
      '5.0',
      '1e3',
      '1e+21',
      '0x10',
      '05',
      '5,5',
      'five',
      '∞',
      '9007199254740993',
      '99999999999999999999',
      'NaN',
      '',
    ]
    for (const header of ['Upload-Length', 'Upload-Offset']) {
      it(`${header} is a plain decimal or refused`, async () => {
        const address = await tus.create(5)
        for (const value of numbers) {
          const bytes = Buffer.from(value).toString('latin1')
          const reply =
            header === 'Upload-Length'
              ? await tus.post({ 'Upload-Length': bytes })
              : await tus.patch(address, 0, Buffer.from('x'), { 'Upload-Offset': bytes })
          assert.equal(reply.status, 400, `${value} was answered with ${reply.status}`)
          assert.match(reply.headers['content-type'] ?? '', /^application\/problem\+json/)
        }
        assert.equal((await tus.head(address)).headers['upload-offset'], '0')
      })
    }

    const repeated: [string, string, string][] = [
      ['Upload-Offset', '0', '0'],
      ['Upload-Offset', '0', '3'],
      ['Upload-Checksum', 'sha1 YQ==', 'sha1 YQ=='],
      ['Content-Type', OCTETS, OCTETS],
      ['Tus-Resumable', '1.0.0', '1.0.0'],
      ['X-HTTP-Method-Override', 'PATCH', 'DELETE'],
    ]
    for (const [name, one, other] of repeated) {
      it(`a repeated ${name} is refused and changes nothing`, async () => {
        const address = await tus.create(5)
        const given: [string, string][] = [
          ['Tus-Resumable', '1.0.0'],
          ['Content-Type', OCTETS],
          ['Upload-Offset', '0'],
          ['Content-Length', '5'],
        ]
        const headers = [...given.filter(([given]) => given !== name), [name, one], [name, other]] as [string, string][]
        const reply = await call(house.port, { method: 'PATCH', path: address, headers, body: 'hello' })
        assert.ok([400, 405, 412].includes(reply.status), String(reply.status))
        assert.equal((await tus.head(address)).headers['upload-offset'], '0')
      })
    }

    it('two lengths of the body are refused by the parser and reach nobody', async () => {
      const address = await tus.create(9)
      const headers: [string, string][] = [
        ['Tus-Resumable', '1.0.0'],
        ['Content-Type', OCTETS],
        ['Upload-Offset', '0'],
      ]
      const both: [string, string][][] = [
        [...headers, ['Content-Length', '5'], ['Content-Length', '6']],
        [...headers, ['Content-Length', '5'], ['Transfer-Encoding', 'chunked']],
        [...headers, ['Content-Length', '-5']],
        [...headers, ['Content-Length', '5x']],
      ]
      for (const list of both) {
        const reply = await call(house.port, { method: 'PATCH', path: address, headers: list, body: 'hello!' })
        assert.equal(reply.status, 400)
      }
      assert.equal((await tus.head(address)).headers['upload-offset'], '0')
    })

    it('headers above the limit of the server are refused, and it goes on serving', async () => {
      const reply = await tus.post({ 'Upload-Length': '5', 'X-Filler': 'x'.repeat(20_000) })
      assert.equal(reply.status, 431)
      const large = metadata({ room: house.room, filename: 'a', filler: 'x'.repeat(7000) })
      assert.equal((await tus.post({ 'Upload-Length': '5', 'Upload-Metadata': large })).status, 400)
      assert.equal((await tus.post({ 'Upload-Length': '5' })).status, 201)
    })

    it('a request that is no HTTP hurts only itself', async () => {
      for (const bytes of [
        '\0\0\0\0\r\n\r\n',
        'PATCH\r\n\r\n',
        'POST /api/uploads HTTP/9.9\r\n\r\n',
        `POST ${UPLOADS} HTTP/1.1\r\nA`,
      ]) {
        const wire = await Wire.open(house.port)
        wire.send(bytes)
        wire.socket.end()
        await wire.reply().catch(() => undefined)
        wire.cut()
      }
      assert.equal((await tus.post({ 'Upload-Length': '5' })).status, 201)
    })
  })

  describe('who may create', () => {
    it('nobody without a session or a token', async () => {
      const { 'Upload-Metadata': given = '' } = house.standing()
      const headers = { 'Upload-Length': '5', 'Upload-Metadata': given }
      for (const authorization of [undefined, 'Bearer wrong', 'Basic eDp5', `Bearer ${'A'.repeat(43)}`]) {
        const all = Object.entries({
          'Tus-Resumable': '1.0.0',
          ...headers,
          ...(authorization && { Authorization: authorization }),
        })
        const reply = await call(house.port, {
          method: 'POST',
          path: UPLOADS,
          headers: [...all, ['Content-Length', '0']],
        })
        assert.equal(reply.status, 401)
        assert.match(reply.headers['www-authenticate'] ?? '', /^Bearer/)
      }
    })

    it('nobody who is no member, and the room is as if it were not there', async () => {
      const stranger = { Authorization: `Bearer ${await house.anotherPerson()}` }
      const reply = await tus.post({ 'Upload-Length': '5', ...stranger })
      const nowhere = metadata({ room: '00000000-0000-4000-8000-000000000000', filename: 'x' })
      const absent = await tus.post({ 'Upload-Length': '5', 'Upload-Metadata': nowhere })
      assert.equal(reply.status, 404)
      assert.equal(absent.status, 404)
      assert.equal(reply.body, absent.body)
    })

    it('nobody in a confidential room without the second factor, who is told what is missing', async () => {
      const room = await house.anotherRoom('SB3')
      const reply = await tus.post({ 'Upload-Length': '5', 'Upload-Metadata': metadata({ room, filename: 'x' }) })
      assert.equal(reply.status, 403)
      assert.match(reply.headers['content-type'] ?? '', /^application\/problem\+json/)
      const problem = JSON.parse(reply.body) as { type: string; factors: string[] }
      assert.equal(problem.type, 'urn:amtsbote:problem:gateway/step-up-required')
      assert.deepEqual(problem.factors, ['totp'])
    })

    it('nobody in a room that is closed, nor a reader', async () => {
      const closed = await house.anotherRoom()
      await house.closeRoom(closed)
      const inClosed = { 'Upload-Length': '5', 'Upload-Metadata': metadata({ room: closed, filename: 'x' }) }
      assert.equal((await tus.post(inClosed)).status, 403)
      const asReader = { 'Upload-Length': '5', Authorization: `Bearer ${await house.anotherPerson('reader')}` }
      assert.equal((await tus.post(asReader)).status, 403)
    })

    it('who leaves out the room or the file name is told so', async () => {
      for (const given of [
        {},
        { room: house.room },
        { filename: 'x' },
        { room: 'x', filename: 'x' },
        { room: null, filename: 'x' },
      ]) {
        const reply = await tus.post({ 'Upload-Length': '5', 'Upload-Metadata': metadata(given) })
        assert.ok([400, 404].includes(reply.status), `${JSON.stringify(given)}: ${reply.status}`)
      }
    })

    it('a ticket outlives the session that made it', async () => {
      const person = await house.anotherPerson('contributor')
      const address = await tus.create(5, { Authorization: `Bearer ${person}` })
      await house.endSessions(person)
      assert.equal((await tus.post({ 'Upload-Length': '5', Authorization: `Bearer ${person}` })).status, 401)
      assert.equal((await tus.patch(address, 0, Buffer.from('hello'))).status, 204)
    })
  })

  describe('file names', () => {
    const refused: Record<string, string> = {
      'path traversal': '../../etc/passwd',
      'an absolute path': '/etc/passwd',
      'a Windows path': '..\\..\\boot.ini',
      'dot dot': '..',
      NUL: 'rechnung.pdf\0.exe',
      'a line break': 'a\r\nSet-Cookie: x',
      nothing: '',
      'only spaces': '   ',
      '256 bytes in NFC': 'ä'.repeat(128),
      '256 bytes in NFC, given in NFD': 'ä'.normalize('NFD').repeat(128),
      'an escape': 'a\u001b[31mb',
    }
    for (const [what, name] of Object.entries(refused)) {
      it(`with ${what} are refused`, async () => {
        const before = await house.countUploads()
        const given = metadata({ room: house.room, filename: name })
        const reply = await tus.post({ 'Upload-Length': '5', 'Upload-Metadata': given })
        assert.equal(reply.status, 400)
        assert.ok(!reply.body.includes('passwd'), 'a problem never repeats the name')
        assert.equal(await house.countUploads(), before)
      })
    }

    const kept: Record<string, string> = {
      'right-to-left override': 'rechnung\u202Efdp.exe',
      '254 bytes of umlauts in NFC': 'ä'.repeat(127),
      '254 bytes of umlauts after NFC, given in NFD': 'ö'.normalize('NFD').repeat(127),
      'quotes and a percent sign': `"a" 'b' %2e%2e .pdf`,
      'a device name of Windows': 'CON.txt',
      'an emoji': '📎 Anlage.pdf',
    }
    for (const [what, name] of Object.entries(kept)) {
      it(`with ${what} are kept as given`, async () => {
        const given = metadata({ room: house.room, filename: name })
        const address = await tus.create(5, { 'Upload-Metadata': given })
        await tus.patch(address, 0, Buffer.from('hello'))
        assert.equal((await house.newestFile()).name, name)
      })
    }

    it('are found in NFC and in NFD alike, whichever was given', async () => {
      for (const [given, asked] of [
        ['NFC', 'NFD'],
        ['NFD', 'NFC'],
      ] as const) {
        const name = `Prüfbericht Ämter ${given}.pdf`
        const address = await tus.create(5, {
          'Upload-Metadata': metadata({ room: house.room, filename: name.normalize(given) }),
        })
        await tus.patch(address, 0, Buffer.from('hello'))
        const file = await house.storage.files.byName(house.room, name.normalize(asked))
        assert.equal(file?.name, name.normalize(given))
      }
    })
  })

  describe('bodies', () => {
    const patchHead = (address: string, more: [string, string][]): string =>
      requestHead({
        method: 'PATCH',
        path: address,
        headers: [['Tus-Resumable', '1.0.0'], ['Content-Type', OCTETS], ['Upload-Offset', '0'], ...more],
      })

    it('in chunks are taken', async () => {
      const bytes = randomBytes(150_000)
      const address = await tus.create(bytes.length)
      const wire = await Wire.open(house.port)
      wire.send(patchHead(address, [['Transfer-Encoding', 'chunked']]))
      for (let offset = 0; offset < bytes.length; offset += 1000) {
        const chunk = bytes.subarray(offset, offset + 1000)
        wire.send(`${chunk.length.toString(16)}\r\n`)
        wire.send(chunk)
        wire.send('\r\n')
      }
      wire.send('0\r\n\r\n')
      assert.equal((await wire.reply()).headers['upload-offset'], '150000')
      wire.cut()
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('in chunks that outgrow the announced length are refused', async () => {
      const address = await tus.create(10)
      const wire = await Wire.open(house.port)
      wire.send(patchHead(address, [['Transfer-Encoding', 'chunked']]))
      wire.send('b\r\nhello world\r\n0\r\n\r\n')
      assert.equal((await wire.reply()).status, 413)
      wire.cut()
      assert.ok(Number((await tus.head(address)).headers['upload-offset']) <= 10)
      assert.equal((await tus.head(address)).headers['upload-length'], '10')
    })

    it('that break in a chunk keep what arrived and acknowledge no more', async () => {
      const address = await tus.create(100)
      const wire = await Wire.open(house.port)
      wire.send(patchHead(address, [['Transfer-Encoding', 'chunked']]))
      wire.send('5\r\nhello\r\nzz\r\n')
      await wire.reply().catch(() => undefined)
      wire.cut()
      await house.untilNobodyWrites()
      assert.ok(Number((await tus.head(address)).headers['upload-offset']) <= 5)
    })

    it('wait for the server when they are asked to (Expect: 100-continue)', async () => {
      const address = await tus.create(5)
      const wire = await Wire.open(house.port)
      wire.send(
        patchHead(address, [
          ['Expect', '100-continue'],
          ['Content-Length', '5'],
        ]),
      )
      await wire.continued()
      wire.send('hello')
      assert.equal((await wire.reply()).status, 204)
      wire.cut()
    })

    it('that are refused get the reason, even when the client is still sending', async () => {
      const wire = await Wire.open(house.port)
      wire.send(patchHead(`${UPLOADS}/${'A'.repeat(43)}`, [['Content-Length', '50000000']]))
      wire.send(randomBytes(300_000))
      const reply: Reply = await wire.reply()
      assert.equal(reply.status, 404)
      assert.equal(reply.headers['connection'], 'close')
      wire.cut()
    })

    it('that are cut three times arrive whole in the end', async () => {
      const bytes = randomBytes(20_000_000)
      const address = await tus.create(bytes.length)
      let offset = 0
      for (const until of [5_000_000, 8_388_608 + 65_536, 19_999_999]) {
        const wire = await Wire.open(house.port)
        const left = bytes.length - offset
        wire.send(
          requestHead({
            method: 'PATCH',
            path: address,
            headers: [
              ['Tus-Resumable', '1.0.0'],
              ['Content-Type', OCTETS],
              ['Upload-Offset', String(offset)],
              ['Content-Length', String(left)],
            ],
          }),
        )
        await new Promise((sent) => wire.socket.write(bytes.subarray(offset, until), sent))
        wire.cut()
        await house.untilNobodyWrites()
        const reached = Number((await tus.head(address)).headers['upload-offset'])
        assert.ok(reached >= offset && reached <= until, `${reached} after ${until}`)
        offset = reached
      }
      assert.equal((await tus.patch(address, offset, bytes.subarray(offset))).status, 204)
      assert.equal(sha256(await house.read()), sha256(bytes))
    })

    it('of a client that falls silent are hung up on, and what arrived stays', async () => {
      const quick = await openUploadHouse({ idleMs: 200 })
      try {
        const caller = tusCaller(
          () => quick.port,
          () => quick.standing(),
        )
        const address = await caller.create(100)
        const wire = await Wire.open(quick.port)
        wire.send(patchHead(address, [['Content-Length', '100']]))
        wire.send('hello')
        await assert.rejects(wire.reply(), /hung up/)
        await quick.untilNobodyWrites()
        assert.equal((await caller.head(address)).headers['upload-offset'], '5')
      } finally {
        await quick.close()
      }
    })
  })

  describe('PATCH against DELETE', () => {
    it('ends without the upload and without a file, whoever came first', async () => {
      for (let round = 0; round < 5; round++) {
        const before = await house.countFiles()
        const address = await tus.create(200_000)
        const [patch, gone] = await Promise.all([tus.patch(address, 0, randomBytes(200_000)), tus.delete(address)])
        assert.ok([204, 400, 404, 409, 410, 423].includes(patch.status), String(patch.status))
        assert.equal(gone.status, 204)
        assert.equal((await tus.head(address)).status, 404)
        assert.equal(await house.countFiles(), before + (patch.status === 204 ? 1 : 0))
      }
    })
  })
})
