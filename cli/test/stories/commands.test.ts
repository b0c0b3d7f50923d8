import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import '@aws-sdk/client-s3' // makes a global, which would be taken for a leak of the test that loads it first
import { compose, systemWorld } from '../../compose.ts'
import { loadConfig } from '../../config.ts'
import { samplePdf } from '../../demo/sample-files.ts'
import { servedInstallation, type Person, type Served } from '../support/served.ts'
import { giveKeys, temporaryInstallation, type Installation } from '../support/cli.ts'
import { LOCKOUT } from '../../../policies/index.ts'

describe('commands on rooms and people', function () {
  this.timeout(60_000)
  let at: Installation
  beforeEach(() => {
    at = temporaryInstallation(['publicUrl: https://austausch.example.de'])
  })
  afterEach(() => {
    at.end()
  })

  it('create, list, show, close and destroy rooms', async () => {
    assert.equal((await at.cli('unit', 'create', 'Rechtsamt')).code, 0)
    const room = (await at.json('room', 'create', 'Verfahren', '--unit', 'Rechtsamt')) as { id: string; level: string }
    assert.equal(room.level, 'SB3', 'the default level')
    const twice = await at.cli('room', 'create', 'Verfahren')
    assert.equal(twice.code, 1)
    assert.match(twice.err, /^amtsbote: .*there is already a room of this name.*\n$/)
    await at.json('user', 'add', 'erika@example.org', '--name', 'Erika')
    await at.json('room', 'member', room.id, 'erika@example.org', '--role', 'reader')
    const shown = (await at.json('room', 'show', 'Verfahren')) as { members: { email: string; role: string }[] }
    assert.deepEqual(
      shown.members.map(({ email, role }) => [email, role]),
      [['erika@example.org', 'reader']],
    )
    assert.equal(((await at.json('room', 'close', 'Verfahren')) as { state: string }).state, 'closed')
    assert.equal(((await at.json('room', 'reopen', 'Verfahren')) as { state: string }).state, 'open')
    assert.equal((await at.cli('room', 'destroy-key', 'Verfahren')).code, 2, 'needs to be confirmed')
    assert.equal(
      ((await at.json('room', 'destroy-key', 'Verfahren', '--yes-for-ever')) as { state: string }).state,
      'destroyed',
    )
    assert.equal((await at.cli('room', 'reopen', 'Verfahren')).code, 2)
    assert.deepEqual(((await at.json('room', 'list', '--level', 'SB2')) as unknown[]).length, 0)
  })

  it('invite with a code at SB3 and without at SB2, under the public address', async () => {
    await at.json('room', 'create', 'Vertraulich', '--level', 'SB3')
    await at.json('room', 'create', 'Offen', '--level', 'SB2')
    const strict = await at.cli('user', 'invite', 'a@example.org', '--room', 'Vertraulich')
    assert.match(strict.out, /^link: https:\/\/austausch\.example\.de\/invitation\/[\w-]{43}\ncode: \d{8}\n$/)
    assert.match(strict.err, /Send the code another way/)
    const lax = await at.cli('user', 'invite', 'b@example.org', '--room', 'Offen')
    assert.match(lax.out, /^link: \S+\n$/)
    const both = (await at.json('user', 'invite', 'b@example.org', '--room', 'Vertraulich')) as {
      code: string | null
      level: string
    }
    assert.equal(both.level, 'SB3', 'the highest level of the rooms counts')
    assert.match(both.code ?? '', /^\d{8}$/)
  })

  it('say in one line what is wrong, with the exit code of its kind', async () => {
    const cases: [string[], number, RegExp][] = [
      [['room', 'show', 'Nirgends'], 1, /no such room; `amtsbote room list` shows what there is/],
      [['room', 'create', 'A', '--level', 'SB9'], 2, /Give one of SB1, SB2, SB3, SB4\./],
      [['room', 'create', 'A', '--unit', 'Nirgends'], 1, /no such unit/],
      [['user', 'token', 'nobody@example.org'], 1, /no such user/],
      [['user', 'invite', 'not-an-address'], 1, /^amtsbote: /],
      [['key', 'check', 'nowhere'], 1, /no such key; `amtsbote key list` shows what there is/],
      [['seal', 'a.pdf'], 2, /--room.*--out/],
      [['trust', 'add', 'absent.pem'], 2, /absent\.pem cannot be read; check the path/],
      [['job', 'retry', 'x'], 1, /^amtsbote: /],
      [['job', 'drop', '0b51a0f4-3f4e-4a0e-8d52-5d0d1c7a9b11'], 1, /^amtsbote: /],
      [['apply', 'absent.yaml'], 2, /absent\.yaml cannot be read; check the path/],
      [['nonsense'], 2, /unknown command/],
      [['--config', 'absent.yaml', 'room', 'list'], 2, /absent\.yaml cannot be read/],
    ]
    for (const [args, code, complaint] of cases) {
      const ran = await at.cli(...args)
      assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}`)
      assert.match(ran.err, complaint)
      assert.doesNotMatch(ran.err, /\n +at /, 'no stack')
    }
    const told = await at.cli('--json', 'room', 'show', 'Nirgends')
    assert.deepEqual(Object.keys((JSON.parse(told.err) as { error: object }).error), ['code', 'message'])
  })

  it('say it in JSON where JSON was asked for, wrong arguments too', async () => {
    const cases: [string[], string][] = [
      [['--json', 'room', 'create', 'A', '--level', 'SB9'], "option '--level <level>' argument 'SB9' is invalid"],
      [['room', 'create', '--json'], "missing required argument 'name'"],
      [['--json', 'room'], 'name a command'],
    ]
    for (const [args, complaint] of cases) {
      const ran = await at.cli(...args)
      assert.equal(ran.code, 2)
      const { error } = JSON.parse(ran.err) as { error: { code: string; message: string } }
      assert.equal(error.code, 'cli/usage')
      assert.ok(error.message.startsWith(complaint), error.message)
    }
  })

  it('give no token to somebody who has no password yet, because it would not be taken', async () => {
    await at.json('user', 'invite', 'erika@example.org')
    const ran = await at.cli('user', 'token', 'erika@example.org')
    assert.equal(ran.code, 2)
    assert.match(ran.err, /no password yet/)
  })

  it('disable, enable and forget the second factor', async () => {
    await at.json('user', 'add', 'erika@example.org', '--audience', 'staff', '--admin')
    assert.equal(((await at.json('user', 'disable', 'ERIKA@example.org')) as { state: string }).state, 'disabled')
    assert.equal((await at.cli('user', 'token', 'erika@example.org')).code, 2)
    assert.notEqual(((await at.json('user', 'enable', 'erika@example.org')) as { state: string }).state, 'disabled')
    assert.equal(((await at.json('user', 'reset-totp', 'erika@example.org')) as { hasTotp: boolean }).hasTotp, false)
    assert.equal((await at.cli('user', 'unlock', 'erika@example.org')).code, 0)
  })

  it('unlock an account that a stranger locked by guessing all day', async () => {
    await at.json('user', 'add', 'erika@example.org', '--audience', 'staff')
    const house = await compose(loadConfig(at.config), systemWorld('silent'))
    try {
      const { users } = house.storage
      const id = (await users.byEmail('erika@example.org'))?.id ?? ('' as never)
      const start = house.world.clock().getTime() - LOCKOUT.windowMs / 2
      const guess = (n: number) =>
        users.countAttempt(id, 'password', new Date(start + n * LOCKOUT.maxDelayMs * 0.9), LOCKOUT)
      for (let n = 0; n < LOCKOUT.lockAfter * 2; n += 1) await guess(n)
      const now = () => users.countAttempt(id, 'password', house.world.clock(), LOCKOUT)
      assert.deepEqual(await now(), { allowed: false, retryAt: null })
      assert.equal((await at.cli('user', 'unlock', 'erika@example.org')).code, 0)
      assert.equal((await now()).allowed, true)
    } finally {
      await house.close()
    }
  })

  it('show what is wrong, and what can be judged without it, when the database or the object store does not answer', async () => {
    await giveKeys(at)
    await at.json('room', 'list') // makes the master key
    const [secret, url] = [at.file('secret', 'geheim'), at.file('url', 'postgresql://amtsbote@127.0.0.1:9/amtsbote')]
    const silent = createServer(() => undefined).listen(0, '127.0.0.1') // takes connections and says nothing
    await once(silent, 'listening')
    after(() => {
      silent.closeAllConnections()
      silent.close()
    })
    const s3 = (port: number): string =>
      `objects: { kind: s3, endpoint: 'http://127.0.0.1:${port}', bucket: eimer, region: eu, accessKeyIdFile: ${secret}, secretAccessKeyFile: ${secret} }`
    const database = `database: { kind: postgresql, urlFile: ${url} }`
    for (const broken of [database, s3(9), s3((silent.address() as AddressInfo).port)]) {
      const config = at.file('broken.yaml', `dataFolder: data\nlogLevel: silent\n${broken}\n`)
      const { code, out, err } = await at.cli('--config', config, 'doctor')
      assert.equal(code, 3, err)
      assert.match(out, /^stores +failed +.*check that the (database|object store)/m)
      assert.match(out, /^keys folder +ok/m)
      assert.match(out, /^certificate seal +ok/m)
      assert.match(err, /^amtsbote: 1 of \d+ checks failed/)
    }
  })

  it('show the schema, examine the installation, and refuse levels that are laxer', async () => {
    await giveKeys(at)
    const { current, newest } = (await at.json('migrate')) as { current: number; newest: number }
    assert.equal(current, newest)
    const findings = (await at.json('doctor')) as { check: string; state: string }[]
    assert.deepEqual(
      findings.filter(({ state }) => state === 'failed'),
      [],
    )
    for (const check of ['database', 'clock', 'keys folder', 'certificate seal', 'orphans', 'missing objects']) {
      assert.ok(
        findings.some((one) => one.check === check),
        check,
      )
    }
    const shipped = readFileSync(path.join(import.meta.dirname, '..', '..', '..', 'policies', 'levels.yaml'), 'utf8')
    const lax = at.file('levels.yaml', shipped.replaceAll('[[password, totp]]', '[[password]]'))
    const config = at.file('lax.yaml', `dataFolder: data\nlevelsFile: ${lax}\n`)
    const refused = await at.cli('--config', config, 'room', 'list')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /levelsFile: levels\.yaml: .*SB3/)
    const same = at.file(
      'same.yaml',
      `dataFolder: data\nlevelsFile: ${at.file('levels2.yaml', shipped.replaceAll('stepUpMaxAge: PT30M', 'stepUpMaxAge: PT10M'))}\n`,
    )
    assert.equal((await at.cli('--config', same, 'room', 'list')).code, 0)
  })

  it('checks the files that the configuration names, with setting and file', async () => {
    const check = (text: string) => at.cli('--config', at.file('checked.yaml', text), 'config', 'check')
    assert.equal((await check('dataFolder: data')).code, 0)
    const pem = at.file('some.pem', 'x')
    const named: [string, RegExp][] = [
      [`tls: { certificateFile: gone.pem, keyFile: ${pem} }`, /tls\.certificateFile: .*gone\.pem cannot be read/],
      [`tls: { certificateFile: ${pem}, keyFile: ${pem} }`, /tls\.certificateFile: .*some\.pem holds no certificate/],
      [`seal: { key: { kind: pkcs11, module: ${pem}, pinFile: gone.pin } }`, /seal\.key\.pinFile: .*gone\.pin cannot/],
      [`seal: { key: { kind: pkcs11, module: gone.so, pinFile: ${pem} } }`, /seal\.key\.module: .*gone\.so cannot/],
      [`seal: { key: { kind: pkcs12, file: ${pem}, passphraseFile: gone.txt } }`, /seal\.key\.passphraseFile: .*gone/],
      [`dataFolder: fresh\nseal: { key: { kind: pkcs12, file: ${pem} } }`, /passphraseFile: .*seal\.passphrase cannot/],
      [
        `signatures: { timestampServices: [{ url: 'https://tsa.example', passwordFile: ${at.file('none', ' \n')} }] }`,
        /signatures\.timestampServices\[0\]\.passwordFile: .*none is empty/,
      ],
    ]
    for (const [text, expected] of named) {
      const { code, err } = await check(text)
      assert.equal(code, 2, text)
      assert.match(err, expected)
      assert.match(err, /^amtsbote: [^\n]*\n$/)
    }
  })
})

describe('commands on files and messages, beside a running server', function () {
  this.timeout(120_000)
  let served: Served
  let person: Person
  before(async () => {
    served = await servedInstallation(['court: { pollSeconds: 1 }'])
    person = await served.person('karl@example.org', await served.room('Akte', 'SB2'))
    await served.serving.ready
    const pdf = path.join(served.at.folder, 'Bescheid.pdf')
    writeFileSync(pdf, samplePdf('Bescheid'))
    const up = await served.at.cli(
      'upload',
      pdf,
      '--server',
      served.origin,
      '--token-file',
      person.tokenFile,
      '--room',
      'Akte',
    )
    assert.equal(up.code, 0, up.err)
  })
  after(async () => {
    await served.end()
  })

  it('seal a PDF, send it to the practice court, and keep what the court got', async () => {
    const { at } = served
    const sealed = (await at.json('seal', 'Bescheid.pdf', '--room', 'Akte', '--reason', 'Probe')) as {
      version: number
      sha256: string
      kind: string
    }
    assert.equal(sealed.version, 2)
    assert.equal(sealed.kind, 'trial')
    const args = [
      '--from',
      'Probepostfach',
      '--to',
      'Übungsgericht',
      '--subject',
      'Klage',
      '--room',
      'Akte',
      '--file',
      'Bescheid.pdf',
    ]
    const sent = (await at.json('message', 'send', ...args)) as { id: string }
    let state = ''
    // by the clock: a quick machine asks often before the court has answered
    const end = Date.now() + 60_000
    while (state !== 'checked' && Date.now() < end) {
      await setTimeout(20)
      await served.serving.house.worker.runDue()
      state = ((await at.json('message', 'show', sent.id)) as { state: string }).state
    }
    assert.equal(state, 'checked')
    const there = (await at.json('message', 'list', '--mailbox', 'Übungsgericht')) as {
      id: string
      direction: string
      attachments: { sha256: string }[]
    }[]
    const arrived = there.find(({ direction }) => direction === 'in') ?? assert.fail('nothing arrived')
    assert.equal(arrived.attachments[0]?.sha256, sealed.sha256)
    const folder = path.join(at.folder, 'court')
    const { written } = (await at.json('message', 'save', arrived.id, folder)) as { written: string[] }
    assert.equal(written.length, 1)
    assert.ok(existsSync(written[0] ?? ''))
    assert.ok(
      readFileSync(written[0] ?? '')
        .subarray(0, 5)
        .equals(Buffer.from('%PDF-')),
    )
  })

  it('show the work in the background', async () => {
    const jobs = (await served.at.json('job', 'list')) as { kind: string; id: string; state: string }[]
    assert.ok(jobs.some(({ kind }) => kind === 'collect'))
    const expire = jobs.find(({ kind }) => kind === 'expire') ?? assert.fail('no standing job')
    assert.equal(((await served.at.json('job', 'hold', expire.id)) as { state: string }).state, 'held')
    // the server beside may have taken it up already
    const { state } = (await served.at.json('job', 'retry', expire.id)) as { state: string }
    assert.ok(state === 'ready' || state === 'running', state)
  })
})
