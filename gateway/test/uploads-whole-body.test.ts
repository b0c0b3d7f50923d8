import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { randomUUID } from 'node:crypto'
import type { Storage } from '../../storage/index.ts'
import { OCTETS, UPLOADS, metadata, randomBytes } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'
import type { ServedUploads } from './support/upload-stores.ts'
import { serveUploads } from './support/upload-stores.ts'
import { requestHead } from './support/wire.ts'

type Fields = Record<string, string | null>

/** A request by what differs from a good one; null takes a header away. */
interface Case {
  headers?: Fields
  body?: Buffer
  path?: string
  method?: string
  /** lines added as they are */
  raw?: string
}

const MAX_SIZE = 3 * 1024 * 1024
const SHA1_OF_HELLO = 'sha1 qvTGHdzF6KLavt4PO0gs2a6pQ00='
const HELLO = Buffer.from('hello')

/** The same requests to two servers over one storage: one takes small bodies past the library, the other takes none. */
describe('a small body past the library', function () {
  this.timeout(30_000)
  let house: UploadHouse
  let long: ServedUploads
  let another: { room: string; closed: string; reader: string }

  before(async () => {
    house = await openUploadHouse({ maxSizeBytes: MAX_SIZE })
    const storage: Storage = { ...house.storage, uploads: { ...house.storage.uploads, wholeBytes: -1 } }
    long = await serveUploads({ ...house.opened, storage }, { maxSizeBytes: MAX_SIZE })
    const [room, closed] = [await house.anotherRoom('SB4'), await house.anotherRoom()]
    await house.closeRoom(closed)
    another = { room, closed, reader: await house.anotherPerson('reader') }
  })
  after(async () => {
    await long.close()
    await house.close()
  })

  const named = (pairs: Record<string, string | Buffer | null>) => metadata({ room: house.room, ...pairs })
  const cases: Record<string, () => Case> = {
    'a body of one byte': () => ({ body: Buffer.from('x') }),
    'a body of 64 KiB': () => ({ body: randomBytes(65_536) }),
    'a body of 1 MiB': () => ({ body: randomBytes(1_048_576) }),
    'a body above 1 MiB': () => ({ body: randomBytes(1_048_577) }),
    'no body, with a type': () => ({ body: Buffer.alloc(0) }),
    'no body, without a type': () => ({ body: Buffer.alloc(0), headers: { 'Content-Type': null } }),
    'a partial': () => ({ headers: { 'Upload-Concat': 'partial' } }),
    'a partial without a name': () => ({ headers: { 'Upload-Concat': 'partial', 'Upload-Metadata': named({}) } }),
    'a media type': () => ({
      headers: { 'Upload-Metadata': named({ filename: 'a.pdf', filetype: 'Application/PDF' }) },
    }),
    'a media type that is none': () => ({ headers: { 'Upload-Metadata': named({ filename: 'a', filetype: '<b>' }) } }),
    'a name beyond ASCII, and keys of their own': () => ({
      headers: {
        'Upload-Metadata': named({ filename: 'Ärger über 世界.txt', other: Buffer.from([0, 255]), flag: null }),
      },
    }),
    'an address with a slash at its end': () => ({ path: `${UPLOADS}/` }),
    'a query': () => ({ path: `${UPLOADS}?room=none` }),
    'POST said by the override': () => ({ method: 'PUT', headers: { 'X-HTTP-Method-Override': 'POST' } }),
    'an offset that a POST does not need': () => ({ headers: { 'Upload-Offset': '7' } }),
    'an expectation of 100': () => ({ headers: { Expect: '100-continue' } }),
    'a right checksum': () => ({ headers: { 'Upload-Checksum': SHA1_OF_HELLO } }),
    'a wrong checksum': () => ({ headers: { 'Upload-Checksum': SHA1_OF_HELLO }, body: Buffer.from('hallo') }),
    'an unknown checksum': () => ({ headers: { 'Upload-Checksum': 'md5 XUFAKrxLKna5cZ2REBfFkg==' } }),
    'a length that is deferred': () => ({ headers: { 'Upload-Length': null, 'Upload-Defer-Length': '1' } }),
    'two kinds of length': () => ({ headers: { 'Upload-Defer-Length': '1' } }),
    'no length': () => ({ headers: { 'Upload-Length': null } }),
    'more declared than sent': () => ({ headers: { 'Upload-Length': '9' } }),
    'less declared than sent': () => ({ headers: { 'Upload-Length': '3' } }),
    'a length in chunks': () => ({
      headers: { 'Content-Length': null, 'Transfer-Encoding': 'chunked' },
      body: Buffer.from('5\r\nhello\r\n0\r\n\r\n'),
    }),
    'a length that is no decimal': () => ({ headers: { 'Upload-Length': '5e0' } }),
    'a length with a plus': () => ({ headers: { 'Upload-Length': '+5' } }),
    'a repeated length': () => ({ raw: 'Upload-Length: 5\r\n' }),
    'repeated metadata': () => ({ raw: 'Upload-Metadata: x eA==\r\n' }),
    'a length above the limit': () => ({ headers: { 'Upload-Length': String(MAX_SIZE + 1) } }),
    'another type': () => ({ headers: { 'Content-Type': 'text/plain' } }),
    'the type with a parameter': () => ({ headers: { 'Content-Type': `${OCTETS}; charset=utf-8` } }),
    'no type': () => ({ headers: { 'Content-Type': null } }),
    'no version': () => ({ headers: { 'Tus-Resumable': null } }),
    'another version': () => ({ headers: { 'Tus-Resumable': '0.2.2' } }),
    'nobody signed in': () => ({ headers: { Authorization: null } }),
    'a token of nobody': () => ({ headers: { Authorization: `Bearer ${'A'.repeat(43)}` } }),
    'somebody who may only read': () => ({ headers: { Authorization: `Bearer ${another.reader}` } }),
    'a room that asks for more': () => ({
      headers: { 'Upload-Metadata': metadata({ room: another.room, filename: 'a' }) },
    }),
    'a closed room': () => ({ headers: { 'Upload-Metadata': metadata({ room: another.closed, filename: 'a' }) } }),
    'a room that does not exist': () => ({
      headers: { 'Upload-Metadata': metadata({ room: randomUUID(), filename: 'a' }) },
    }),
    'a room that is no id': () => ({ headers: { 'Upload-Metadata': metadata({ room: '../x', filename: 'a' }) } }),
    'no room': () => ({ headers: { 'Upload-Metadata': metadata({ filename: 'a' }) } }),
    'no metadata': () => ({ headers: { 'Upload-Metadata': null } }),
    'no name': () => ({ headers: { 'Upload-Metadata': named({}) } }),
    'a name that is a path': () => ({ headers: { 'Upload-Metadata': named({ filename: '../a' }) } }),
    'a name with NUL': () => ({ headers: { 'Upload-Metadata': named({ filename: 'a\0b' }) } }),
    'a name that is too long': () => ({ headers: { 'Upload-Metadata': named({ filename: 'ä'.repeat(128) }) } }),
    'a name that is not UTF-8': () => ({ headers: { 'Upload-Metadata': named({ filename: Buffer.from([0xff]) }) } }),
    'metadata that is none': () => ({ headers: { 'Upload-Metadata': 'filename ***' } }),
    'a final of nothing': () => ({ headers: { 'Upload-Concat': 'final;' } }),
    'a final with a body': () => ({ headers: { 'Upload-Concat': `final;${UPLOADS}/${'A'.repeat(43)}` } }),
    'a concatenation that is none': () => ({ headers: { 'Upload-Concat': 'whole' } }),
    'a ticket in the address': () => ({ path: `${UPLOADS}/${'A'.repeat(43)}` }),
    'an answer in English': () => ({ headers: { Authorization: null, 'Accept-Language': 'en' } }),
  }
  for (const [what, build] of Object.entries(cases)) {
    it(`answers and does the same: ${what}`, async () => {
      const bytes = request(build())
      const [short, slow] = [await outcome(house.port, bytes), await outcome(long.port, bytes)]
      assert.deepEqual(short, slow)
      assert.match(short.answer, /^HTTP\/1\.1 /)
    })
  }

  it('keeps nothing of a body that breaks off', async () => {
    const bytes = request({ headers: { 'Content-Length': '6', 'Upload-Length': '6' } })
    const before = await seen(house)
    const socket = connect(house.port, '127.0.0.1')
    await new Promise((sent) => socket.write(bytes, sent))
    socket.destroy()
    await house.untilNobodyWrites()
    assert.deepEqual(await seen(house), before)
  })

  function request({ headers = {}, body = HELLO, path = UPLOADS, method = 'POST', raw = '' }: Case): Buffer {
    const all: Fields = {
      'Tus-Resumable': '1.0.0',
      'Content-Type': OCTETS,
      'Content-Length': String(body.length),
      'Upload-Length': String(body.length),
      ...house.standing(),
      Connection: 'close',
      ...headers,
    }
    const kept = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
    const head = requestHead({ method, path, headers: kept }).slice(0, -2)
    return Buffer.concat([Buffer.from(`${head}${raw}\r\n`), body])
  }

  /** The answer to the byte but for date and ticket, what HEAD says of it, and what was written. */
  async function outcome(port: number, bytes: Buffer) {
    const before = await seen(house)
    const answer = await exchange(port, bytes)
    const address = /\r\nLocation: (\S+)\r\n/.exec(answer)?.[1]
    const head = [['Tus-Resumable', '1.0.0'] as const, ['Connection', 'close'] as const]
    const shown =
      address === undefined
        ? null
        : await exchange(port, Buffer.from(requestHead({ method: 'HEAD', path: address, headers: head })))
    const after = await seen(house)
    const { uploads, audit, ...counts } = after
    return {
      answer: comparable(answer),
      shown: shown === null ? null : comparable(shown),
      written: Object.entries(counts).map(([name, count]) => [name, count - before[name as keyof typeof counts]]),
      uploads: uploads.slice(before.uploads.length),
      audit: audit.slice(before.audit.length),
    }
  }
})

async function exchange(port: number, bytes: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

function comparable(answer: string): string {
  return answer
    .replace(/\r\nDate: [^\r]+/, '')
    .replace(/\r\nUpload-Expires: [^\r]+/i, '')
    .replace(/[A-Za-z0-9_-]{43}\r\n/, '(ticket)\r\n')
}

/** Everything that uploads write, but for ids and times. */
async function seen({ storage }: UploadHouse) {
  const db = storage.database.kysely
  const uploads = await db
    .selectFrom('upload as u')
    .innerJoin('content as c', 'c.id', 'u.content_id')
    .leftJoin('file as f', 'f.id', 'u.file_id')
    .leftJoin('file_version as v', 'v.file_id', 'f.id')
    .select(['u.room_id', 'u.name', 'u.media_type', 'u.metadata', 'u.size', 'u.offset_bytes', 'u.kind', 'u.state'])
    .select(['u.holder', 'u.held_until', 'u.wanted', 'u.dirty', 'u.expires_after_ms', 'u.created_by'])
    .select(['c.size as content_size', 'c.sha256', 'c.state as content_state', 'c.scope_id'])
    .select([
      'f.name as file_name',
      'f.name_key',
      'f.state as file_state',
      'f.current_version',
      'f.created_by as owner',
    ])
    .select(['v.number', 'v.media_type as version_type', 'v.state as version_state', 'v.scanned', 'v.note'])
    .orderBy('u.created_at')
    .execute()
  const audit = await db.selectFrom('audit_entry').select(['action', 'actor_kind', 'actor']).orderBy('seq').execute()
  const segments = await db.selectFrom('segment').select('id').execute()
  const files = await db.selectFrom('file').select('id').execute()
  return { uploads, audit, files: files.length, segments: segments.length }
}
