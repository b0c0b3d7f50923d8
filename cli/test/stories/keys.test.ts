import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { giveKeys, temporaryInstallation, type Installation } from '../support/cli.ts'
import { startCli, until } from '../support/processes.ts'
import { servedInstallation } from '../support/served.ts'

const masterKeys = (at: Installation): string[] =>
  readdirSync(path.join(at.folder, 'data', 'keys', 'master')).filter((name) => name.endsWith('.key'))

describe('key rotate-master', function () {
  this.timeout(120_000)

  it('is killed in the middle while a server runs: the server goes on, and the next run completes it', async () => {
    const served = await servedInstallation()
    const { at, origin } = served
    try {
      const room = await served.room('Vorher', 'SB2')
      const person = await served.person('karl@example.org', room)
      const through = ['--server', origin, '--token-file', person.tokenFile]
      const bytes = randomBytes(200_000)
      assert.equal(
        (await at.cli('upload', at.file('a.bin', ''), ...through, '--room', 'Vorher', '--as', 'leer')).code,
        0,
      )
      writeFileSync(path.join(at.folder, 'a.bin'), bytes)
      assert.equal((await at.cli('upload', path.join(at.folder, 'a.bin'), ...through, '--room', 'Vorher')).code, 0)
      const city = Array.from({ length: 300 }, (_, index) => `  - name: Raum ${index}`).join('\n')
      assert.equal((await at.cli('apply', at.file('city.yaml', `rooms:\n${city}\n`))).code, 0)
      const [old] = masterKeys(at)

      const killed = startCli(['--config', at.config, 'key', 'rotate-master'])
      await Promise.race([until(() => masterKeys(at).length > 1), killed.ended])
      await killed.kill('SIGKILL')
      assert.ok(masterKeys(at).length >= 1)

      const back = path.join(at.folder, 'between')
      assert.equal((await at.cli('download', 'a.bin', ...through, '--room', 'Vorher', '--out', back)).code, 0)
      assert.ok(readFileSync(back).equals(bytes), 'half way')
      const done = (await at.json('key', 'rotate-master')) as { masterKeyId: string }
      assert.deepEqual(masterKeys(at), [`${done.masterKeyId}.key`])
      assert.notEqual(masterKeys(at)[0], old)

      const later = await at.json('room', 'create', 'Nachher', '--level', 'SB2')
      assert.equal((await at.cli('room', 'member', 'Nachher', 'karl@example.org', '--role', 'manager')).code, 0)
      assert.ok(later)
      const up = await at.cli('upload', path.join(at.folder, 'a.bin'), ...through, '--room', 'Nachher')
      assert.equal(up.code, 0, up.err)
      for (const name of ['Vorher', 'Nachher']) {
        const out = path.join(at.folder, `after-${name}`)
        assert.equal((await at.cli('download', 'a.bin', ...through, '--room', name, '--out', out)).code, 0)
        assert.ok(readFileSync(out).equals(bytes), name)
      }
      assert.equal(((await at.json('audit', 'verify')) as { kind: string }).kind, 'whole')
    } finally {
      await served.end()
    }
  })
})

describe('key backup', function () {
  this.timeout(120_000)
  let at: Installation
  beforeEach(async () => {
    at = temporaryInstallation()
    await giveKeys(at)
    await at.json('room', 'create', 'Raum', '--level', 'SB3')
  })
  afterEach(() => {
    at.end()
  })

  /** The data of an installation without its keys, in another folder. */
  const moved = (): Installation => {
    const other = temporaryInstallation()
    cpSync(path.join(at.folder, 'data'), path.join(other.folder, 'data'), { recursive: true })
    rmSync(path.join(other.folder, 'data', 'keys'), { recursive: true })
    return other
  }

  it('under a passphrase opens the same data on another machine', async () => {
    const passphrase = at.file('passphrase', 'a passphrase of some length\n')
    const backup = path.join(at.folder, 'master.backup')
    assert.equal((await at.cli('key', 'backup', '--out', backup, '--passphrase-file', passphrase)).code, 0)
    assert.deepEqual(await at.json('key', 'backup-check', backup, '--passphrase-file', passphrase), { verdict: 'good' })
    const other = moved()
    try {
      const closed = await other.cli('room', 'list')
      assert.equal(closed.code, 1)
      assert.match(closed.err, /amtsbote key restore/)
      const wrong = other.file('wrong', 'another passphrase of some length\n')
      const refused = await other.cli('key', 'restore', backup, '--passphrase-file', wrong)
      assert.equal(refused.code, 1)
      assert.match(refused.err, /check the passphrase/)
      assert.equal((await other.cli('key', 'restore', backup, '--passphrase-file', passphrase)).code, 0)
      assert.deepEqual(masterKeys(other), masterKeys(at))
      assert.equal(((await other.json('audit', 'verify')) as { kind: string }).kind, 'whole')
      assert.equal(((await other.json('room', 'list')) as unknown[]).length, 1)
    } finally {
      other.end()
    }
  })

  it('in shares is restored by any k of them and by no fewer', async () => {
    const folder = path.join(at.folder, 'shares')
    const made = (await at.json('key', 'backup', '--shares', '4', '--threshold', '3', '--out-folder', folder)) as {
      written: string[]
    }
    assert.equal(made.written.length, 4)
    const [, ...three] = made.written
    const other = moved()
    try {
      const few = await other.cli('key', 'restore', ...three.slice(0, 2))
      assert.equal(few.code, 1)
      assert.match(few.err, /more of the share files/)
      assert.equal((await other.cli('key', 'restore', ...three)).code, 0)
      assert.equal(((await other.json('audit', 'verify')) as { kind: string }).kind, 'whole')
    } finally {
      other.end()
    }
  })

  it('is warned about until it was checked, and again after a rotation', async () => {
    const passphrase = at.file('passphrase', 'a passphrase of some length\n')
    const stateOf = async () =>
      ((await at.json('doctor')) as { check: string; state: string }[]).find(({ check }) => check === 'key backup')
        ?.state
    assert.equal(await stateOf(), 'warning')
    const backup = path.join(at.folder, 'master.backup')
    await at.cli('key', 'backup', '--out', backup, '--passphrase-file', passphrase)
    assert.equal(await stateOf(), 'warning', 'made, not checked')
    await at.cli('key', 'backup-check', backup, '--passphrase-file', passphrase)
    assert.equal(await stateOf(), 'ok')
    await at.cli('key', 'rotate-master')
    assert.equal(await stateOf(), 'warning')
    const outdated = await at.cli('key', 'backup-check', backup, '--passphrase-file', passphrase)
    assert.equal(outdated.code, 3)
    assert.match(outdated.err, /does not hold the current master key/)
  })

  it('never overwrites a file and never asks where there is no terminal', async () => {
    const taken = at.file('taken', 'mine')
    const passphrase = at.file('passphrase', 'a passphrase of some length\n')
    assert.equal((await at.cli('key', 'backup', '--out', taken, '--passphrase-file', passphrase)).code, 2)
    assert.equal(readFileSync(taken, 'utf8'), 'mine')
    assert.equal((await at.cli('key', 'backup', '--shares', '3')).code, 2)
    assert.equal(
      (await at.cli('key', 'backup', '--shares', '3', '--threshold', '4', '--out-folder', path.join(at.folder, 'x')))
        .code,
      2,
    )
    const short = at.file('short', 'short\n')
    assert.notEqual(
      (await at.cli('key', 'backup', '--out', path.join(at.folder, 'b'), '--passphrase-file', short)).code,
      0,
    )
  })
})
