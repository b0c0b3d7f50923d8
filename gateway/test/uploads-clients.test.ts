import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Readable } from 'node:stream'
import * as tus from 'tus-js-client'
import { OCTETS, UPLOADS, randomBytes, sha256 } from './support/tus.ts'
import type { UploadHouse } from './support/upload-house.ts'
import { openUploadHouse } from './support/upload-house.ts'

describe('clients of others', function () {
  this.timeout(20_000)
  let house: UploadHouse
  let endpoint: string
  before(async () => {
    house = await openUploadHouse()
    endpoint = `http://127.0.0.1:${house.port}${UPLOADS}`
  })
  after(() => house.close())

  /** Uploads with tus-js-client; resolves when it says that all is there. */
  function send(source: Buffer | Readable, options: Partial<tus.UploadOptions>): Promise<tus.Upload> {
    const { Authorization = '' } = house.standing()
    return new Promise((resolve, reject) => {
      const upload = new tus.Upload(source, {
        endpoint,
        headers: { Authorization },
        metadata: { room: house.room, filename: 'tus-js-client.bin', filetype: 'application/pdf' },
        retryDelays: null,
        onError: reject,
        onSuccess: () => {
          resolve(upload)
        },
        ...options,
      })
      upload.start()
    })
  }

  it('tus-js-client uploads in one PATCH', async () => {
    const bytes = randomBytes(3_000_000)
    await send(bytes, {})
    const file = await house.newestFile()
    assert.equal(sha256(await house.read()), sha256(bytes))
    assert.equal(file.name, 'tus-js-client.bin')
    assert.equal(file.current.mediaType, 'application/pdf')
    assert.equal(file.current.sha256, sha256(bytes))
  })

  it('tus-js-client uploads in many PATCHes, its body beginning with the POST', async () => {
    const bytes = randomBytes(3_000_001)
    await send(bytes, { chunkSize: 500_000, uploadDataDuringCreation: true })
    assert.equal(sha256(await house.read()), sha256(bytes))
  })

  it('tus-js-client uploads a stream whose length it does not know', async () => {
    const bytes = randomBytes(1_234_567)
    const pieces = Array.from({ length: 13 }, (_, index) => bytes.subarray(index * 100_000, (index + 1) * 100_000))
    await send(Readable.from(pieces, { objectMode: false }), { uploadLengthDeferred: true, chunkSize: 200_000 })
    assert.equal(sha256(await house.read()), sha256(bytes))
  })

  it('tus-js-client uploads in parallel and joins the partial uploads', async () => {
    const bytes = randomBytes(5_000_000)
    await send(bytes, { parallelUploads: 3, metadataForPartialUploads: { room: house.room } })
    assert.equal(sha256(await house.read()), sha256(bytes))
  })

  it('tus-js-client goes on after it was stopped in the middle, without a session', async () => {
    const bytes = randomBytes(12_000_000)
    let begun: tus.Upload | undefined
    await new Promise<void>((resolve, reject) => {
      const { Authorization = '' } = house.standing()
      const upload = (begun = new tus.Upload(bytes, {
        endpoint,
        headers: { Authorization },
        metadata: { room: house.room, filename: 'resumed.bin' },
        chunkSize: 1_000_000,
        retryDelays: null,
        onError: reject,
        onChunkComplete: (_size, accepted) => {
          if (accepted >= 4_000_000) void upload.abort().then(resolve, reject)
        },
      }))
      upload.start()
    })
    const resumed = await send(bytes, { uploadUrl: begun?.url ?? '', headers: {} })
    assert.equal(resumed.url, begun?.url)
    assert.equal(sha256(await house.read()), sha256(bytes))
  })

  it('tus-js-client terminates', async () => {
    const upload = await send(randomBytes(1000), {})
    await upload.abort(true)
    await assert.rejects(send(randomBytes(1000), { endpoint: null, uploadUrl: upload.url ?? '' }))
  })

  const hasCurl = spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0
  if (!hasCurl) console.log('  not run: uploads with curl: curl is not installed')
  if (hasCurl || process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1') {
    it('curl uploads a file with two commands', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'amtsbote-curl-'))
      try {
        const bytes = randomBytes(2_500_000)
        await writeFile(join(folder, 'file.bin'), bytes)
        const curl = (...args: string[]) =>
          promisify(execFile)('curl', [
            '--silent',
            '--show-error',
            '--dump-header',
            '-',
            '--output',
            join(folder, 'body'),
            ...args,
          ])
        const headers = { ...house.standing(), 'Tus-Resumable': '1.0.0', 'Upload-Length': String(bytes.length) }
        const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
        const { stdout } = await curl('--request', 'POST', ...given, endpoint)
        const location = /^location: (\S+)/im.exec(stdout)?.[1] ?? ''
        const patch = [
          '--header',
          'Tus-Resumable: 1.0.0',
          '--header',
          `Content-Type: ${OCTETS}`,
          '--header',
          'Upload-Offset: 0',
        ]
        const body = ['--request', 'PATCH', '--upload-file', join(folder, 'file.bin')]
        const patched = await curl(...body, ...patch, `http://127.0.0.1:${house.port}${location}`)
        assert.match(patched.stdout, /^HTTP\/1\.1 204/m)
        assert.equal(sha256(await house.read()), sha256(bytes))
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })

    it('curl uploads a small file with one command', async () => {
      const given = Object.entries(house.standing()).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
      const more = [
        '--header',
        'Tus-Resumable: 1.0.0',
        '--header',
        `Content-Type: ${OCTETS}`,
        '--header',
        'Upload-Length: 5',
      ]
      const { stdout } = await promisify(execFile)('curl', [
        '--silent',
        '--include',
        '--data',
        'hello',
        ...given,
        ...more,
        endpoint,
      ])
      assert.match(stdout, /^HTTP\/1\.1 201/m)
      assert.equal((await house.read()).toString(), 'hello')
    })
  }
})
