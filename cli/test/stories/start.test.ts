import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { giveKeys, temporaryInstallation, type Installation } from '../support/cli.ts'
import { startCli, until } from '../support/processes.ts'
import { systemWorld } from '../../compose.ts'
import { loadConfig } from '../../config.ts'
import { startServing } from '../../serving.ts'

const KEY_FILES = [
  ...['intermediary', 'practice-court', 'trial-mailbox'].flatMap((name) => [`${name}-cipher`, `${name}-signature`]),
  'seal',
].flatMap((name) => [`${name}.p12`, `${name}.passphrase`])

const keyFilesOf = (at: Installation): string[] => {
  const folder = path.join(at.folder, 'data', 'keys')
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.') && name !== 'master') : []
}

describe('first start', function () {
  this.timeout(120_000)
  let at: Installation
  beforeEach(() => {
    at = temporaryInstallation()
  })
  afterEach(() => {
    at.end()
  })

  it('serves, prints a one-time link for the first administrator, makes private key files, and ends cleanly', async () => {
    const serve = startCli(['--config', at.config, 'serve'])
    const origin = await serve.says(/serves on (http:\/\/127\.0\.0\.1:\d+)\n/)
    assert.equal((await fetch(`${origin}/health/live`)).status, 200)
    const link = await serve.says(/(http:\/\/127\.0\.0\.1:\d+\/invitation\/[\w-]{43})\n/)
    assert.equal((await fetch(link)).status, 200)
    await until(() => keyFilesOf(at).length === KEY_FILES.length)
    assert.deepEqual(await serve.kill('SIGTERM'), { code: 0, signal: null })
    assert.deepEqual(keyFilesOf(at).toSorted(), KEY_FILES.toSorted())
    const keys = path.join(at.folder, 'data', 'keys')
    for (const folder of [keys, path.join(keys, 'master'), path.join(at.folder, 'data')])
      assert.equal(statSync(folder).mode & 0o777, 0o700, folder)
    for (const name of [...KEY_FILES, ...readdirSync(path.join(keys, 'master')).map((one) => `master/${one}`)]) {
      assert.equal(statSync(path.join(keys, name)).mode & 0o777, 0o600, name)
    }
    assert.equal(statSync(path.join(at.folder, 'data', 'metadata.db')).mode & 0o777, 0o600)
  })

  it('is completed by the next start when it was killed half way', async () => {
    const points = process.env['AMTSBOTE_PROVE'] === '1' ? [1, 2, 3, 5, 7, 9, 11, 13] : [1, 8]
    for (const point of points) {
      const serve = startCli(['--config', at.config, 'serve'])
      await Promise.race([until(() => keyFilesOf(at).length >= point), serve.ended])
      await serve.kill('SIGKILL')
    }
    const before = new Map(
      keyFilesOf(at).map((name) => [name, statSync(path.join(at.folder, 'data', 'keys', name)).ino]),
    )
    const serving = await startServing(loadConfig(at.config), systemWorld('silent'))
    try {
      await serving.ready
      assert.deepEqual(keyFilesOf(at).toSorted(), KEY_FILES.toSorted())
      for (const [name, inode] of before)
        assert.equal(statSync(path.join(at.folder, 'data', 'keys', name)).ino, inode, `${name} stays`)
      const { items } = await serving.house.storage.mailboxes.list()
      assert.equal(items.length, 2)
      assert.equal((await serving.house.storage.audit.verify()).kind, 'whole')
      assert.equal(
        readdirSync(path.join(at.folder, 'data', 'keys', 'master')).filter((name) => name.endsWith('.key')).length,
        1,
      )
    } finally {
      await serving.stop()
    }
  })

  it('gives a new link at each start, and voids the one before', async () => {
    await giveKeys(at)
    const links: string[] = []
    for (let start = 0; start < 2; start += 1) {
      const serve = startCli(['--config', at.config, '--json', 'serve'])
      const said = JSON.parse(await serve.says(/(\{.*\})\n/)) as { firstAdministrator: string }
      links.push(said.firstAdministrator)
      if (start === 1) {
        const [old = '', fresh = ''] = links.map((link) => link.slice(link.lastIndexOf('/')))
        const origin = new URL(said.firstAdministrator).origin
        assert.equal((await fetch(`${origin}/invitation${old}`)).status, 410)
        assert.equal((await fetch(`${origin}/invitation${fresh}`)).status, 200)
      }
      await serve.kill('SIGINT')
    }
    assert.notEqual(links[0], links[1])
  })

  it('says in one line what to do when the address is taken', async () => {
    await giveKeys(at)
    const serving = await startServing(loadConfig(at.config), systemWorld('silent'))
    try {
      const taken = at.file('taken.yaml', `dataFolder: data\nlisten: 127.0.0.1:${serving.port}\nlogLevel: silent\n`)
      const second = startCli(['--config', taken, 'serve'])
      assert.equal((await second.ended).code, 1)
      assert.match(second.err(), /^amtsbote: .*another program listens on this address.*\n$/)
    } finally {
      await serving.stop()
    }
  })
})
