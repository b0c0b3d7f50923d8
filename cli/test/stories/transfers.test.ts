import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { stateFileOf } from '../../client/tus-upload.ts'
import { startHoldingProxy } from '../support/holding-proxy.ts'
import { startCli, until } from '../support/processes.ts'
import { servedInstallation, type Person, type Served } from '../support/served.ts'
import type { Room } from '../../../storage/index.ts'

const MIB = 1 << 20

describe('upload and download', function () {
  this.timeout(120_000)
  let served: Served
  let open: Room
  let confidential: Room
  let person: Person
  before(async () => {
    served = await servedInstallation()
    open = await served.room('Pressefotos', 'SB2')
    confidential = await served.room('Verfahren', 'SB3')
    person = await served.person('karl@example.org', confidential)
    await served.serving.house.storage.rooms.addMember(
      open.id,
      await userId(),
      'manager',
      served.serving.house.operator,
    )
  })
  after(async () => {
    await served.end()
  })

  const userId = async () =>
    (await served.serving.house.storage.users.byEmail('karl@example.org'))?.id ?? assert.fail('no such user')
  const sample = (name: string, bytes: Buffer): string => {
    const file = path.join(served.at.folder, name)
    writeFileSync(file, bytes)
    return file
  }
  const server = (): string[] => ['--server', served.origin, '--token-file', person.tokenFile]

  it('bring back the same bytes, whatever the size', async () => {
    for (const size of [0, 1, 65_536, 3 * MIB + 7]) {
      const bytes = randomBytes(size)
      const name = `größe ${size}.bin`
      const up = await served.at.cli('upload', sample(name, bytes), ...server(), '--room', 'Pressefotos')
      assert.equal(up.code, 0, up.err)
      assert.match(up.out, /sha256 [0-9a-f]{64}\n$/)
      const target = path.join(served.at.folder, `back-${size}`)
      const down = await served.at.cli('download', name, ...server(), '--room', open.id, '--out', target)
      assert.equal(down.code, 0, down.err)
      assert.ok(readFileSync(target).equals(bytes))
      assert.equal(existsSync(`${target}.part`), false)
    }
  })

  it('ask for the second factor at SB3, and say how to give it', async () => {
    const file = sample('geheim.bin', randomBytes(1000))
    const refused = await served.at.cli('upload', file, ...server(), '--room', confidential.id)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /give a code of your authenticator app with --totp\n$/)
    const sent = await served.at.cli(
      'upload',
      file,
      ...server(),
      '--room',
      confidential.id,
      '--totp',
      await person.code(),
    )
    assert.equal(sent.code, 0, sent.err)
  })

  it('go on after the process was killed, without sending again what was acknowledged', async () => {
    const bytes = randomBytes(24 * MIB)
    const file = sample('groß.bin', bytes)
    const proxy = await startHoldingProxy(served.serving.port, 10 * MIB)
    try {
      const through = ['--server', proxy.origin, '--token-file', person.tokenFile, '--room', 'Pressefotos']
      const first = startCli(['upload', file, ...through])
      await Promise.race([until(() => proxy.passed() >= 10 * MIB), first.ended])
      assert.equal((await first.kill('SIGKILL')).signal, 'SIGKILL')
      assert.equal(statSync(stateFileOf(file)).mode & 0o777, 0o600)
      const before = proxy.passed()
      proxy.letGo()
      const second = await served.at.cli('upload', file, ...through)
      assert.equal(second.code, 0, second.err)
      assert.ok(proxy.passed() - before < 20 * MIB, 'the first part was not sent again')
      assert.equal(existsSync(stateFileOf(file)), false)
      const target = path.join(served.at.folder, 'groß.back')
      assert.equal(
        (await served.at.cli('download', 'groß.bin', ...server(), '--room', 'Pressefotos', '--out', target)).code,
        0,
      )
      assert.ok(readFileSync(target).equals(bytes))
    } finally {
      await proxy.close()
    }
  })

  it('say on Ctrl-C how far they came, and go on from there', async () => {
    const bytes = randomBytes(24 * MIB)
    const file = sample('gestoppt.bin', bytes)
    const target = path.join(served.at.folder, 'gestoppt.back')
    for (const [side, verb, args] of [
      ['requests', 'sent', ['upload', file]],
      ['answers', 'received', ['download', 'gestoppt.bin', '--out', target]],
    ] as const) {
      const proxy = await startHoldingProxy(served.serving.port, 10 * MIB, side)
      try {
        const through = ['--server', proxy.origin, '--token-file', person.tokenFile, '--room', 'Pressefotos']
        const first = startCli([...args, ...through])
        await Promise.race([until(() => proxy.passed() >= 10 * MIB), first.ended])
        const { code } = await first.kill('SIGINT')
        assert.equal(code, 130, first.err())
        const line = new RegExp(
          `^Stopped after \\d+\\.\\d MiB of 24\\.0 MiB were ${verb}; the same command goes on from .*\\n$`,
        )
        assert.match(first.err(), line)
        const before = proxy.passed()
        proxy.letGo()
        const second = await served.at.cli(...args, ...through)
        assert.equal(second.code, 0, second.err)
        assert.ok(proxy.passed() - before < 20 * MIB, `${side}: the first part went again`)
      } finally {
        await proxy.close()
      }
    }
    assert.ok(readFileSync(target).equals(bytes))
  })

  it('take up a download where it stopped, and start over when the file is another version by now', async () => {
    const bytes = randomBytes(2 * MIB)
    await served.at.cli('upload', sample('teil.bin', bytes), ...server(), '--room', 'Pressefotos')
    const target = path.join(served.at.folder, 'teil.back')
    const file = (await served.serving.house.storage.files.byName(open.id, 'teil.bin')) ?? assert.fail('not stored')
    writeFileSync(`${target}.part`, bytes.subarray(0, MIB))
    writeFileSync(`${target}.part-of`, `"${file.current.contentId}"`)
    assert.equal(
      (await served.at.cli('download', 'teil.bin', ...server(), '--room', 'Pressefotos', '--out', target)).code,
      0,
    )
    assert.ok(readFileSync(target).equals(bytes))
    writeFileSync(`${target}.2.part`, Buffer.alloc(MIB, 1))
    writeFileSync(`${target}.2.part-of`, '"of-another-version"')
    assert.equal(
      (await served.at.cli('download', 'teil.bin', ...server(), '--room', 'Pressefotos', '--out', `${target}.2`)).code,
      0,
    )
    assert.ok(readFileSync(`${target}.2`).equals(bytes))
  })

  it('do not touch a file that is there, a room of others, or a wrong token', async () => {
    const file = sample('x.bin', randomBytes(10))
    const target = sample('keep.bin', Buffer.from('mine'))
    await served.at.cli('upload', file, ...server(), '--room', 'Pressefotos')
    const kept = await served.at.cli('download', 'x.bin', ...server(), '--room', 'Pressefotos', '--out', target)
    assert.equal(kept.code, 2)
    assert.equal(readFileSync(target, 'utf8'), 'mine')
    const elsewhere = await served.at.cli('upload', file, ...server(), '--room', 'Anderswo')
    assert.equal(elsewhere.code, 1)
    assert.match(elsewhere.err, /not a member of such a room/)
    const wrong = served.at.file('wrong.token', 'A'.repeat(43))
    const refused = await served.at.cli(
      'upload',
      file,
      '--server',
      served.origin,
      '--token-file',
      wrong,
      '--room',
      'Pressefotos',
    )
    assert.equal(refused.code, 1)
    assert.match(refused.err, /make a new token with `amtsbote user token`/)
    const empty = served.at.file('empty.token', '\n')
    assert.equal(
      (await served.at.cli('upload', file, '--server', served.origin, '--token-file', empty, '--room', 'x')).code,
      2,
    )
  })

  describe('against servers that are none of ours', () => {
    let fake: Server | null = null
    afterEach(() => {
      fake?.closeAllConnections()
      fake?.close()
    })
    const start = async (listener: RequestListener): Promise<string> => {
      fake = createServer(listener)
      await new Promise<void>((resolve) => fake?.listen(0, '127.0.0.1', resolve))
      return `http://127.0.0.1:${(fake.address() as AddressInfo).port}`
    }

    it('end with one line: nobody there, another program, a redirect to elsewhere', async () => {
      const file = sample('y.bin', randomBytes(10))
      const against = (origin: string) =>
        served.at.cli('upload', file, '--server', origin, '--token-file', person.tokenFile, '--room', 'x')
      const nobody = await against('http://127.0.0.1:9')
      assert.equal(nobody.code, 1)
      assert.match(
        nobody.err,
        /^amtsbote: http:\/\/127\.0\.0\.1:9 does not answer; check --server and the connection\n$/,
      )
      const strange = await against(
        await start((_request, response) => response.end('{"items":[{"id":1}],"next":null}')),
      )
      assert.match(strange.err, /another way than Amtsbote/)
      assert.equal((await against('ftp://x')).code, 2)
    })

    it('never send the token to another address than the one given', async () => {
      const roomId = '0b51a0f4-3f4e-4a0e-8d52-5d0d1c7a9b11'
      const origin = await start((request, response) => {
        if (request.method === 'POST') response.writeHead(201, { location: 'http://127.0.0.1:9/api/uploads/abc' }).end()
        else response.end(JSON.stringify({ items: [{ id: roomId, name: 'x', level: 'SB2' }], next: null }))
      })
      const file = sample('z.bin', randomBytes(10))
      const sent = await served.at.cli(
        'upload',
        file,
        '--server',
        origin,
        '--token-file',
        person.tokenFile,
        '--room',
        'x',
      )
      assert.equal(sent.code, 1)
      assert.match(sent.err, /points to another server/)
    })
  })
})
