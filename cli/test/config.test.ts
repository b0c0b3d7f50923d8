import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isLoopback, loadConfig, parseConfig, readSecret } from '../config.ts'
import { exampleConfig } from '../config-example.ts'
import { CliError, exitCodeOf } from '../errors.ts'

const AT = '/srv/amtsbote/amtsbote.yaml'
const parse = (text: string) => parseConfig(text, AT, AT)

function refusal(text: string): string {
  try {
    parse(text)
  } catch (error) {
    assert.ok(error instanceof CliError)
    assert.equal(error.code, 'cli/bad-config')
    assert.equal(exitCodeOf(error), 2)
    assert.ok(!error.message.includes('\n'), 'one line')
    return error.message
  }
  return assert.fail('was accepted')
}

describe('configuration', () => {
  it('has a default for everything, with paths from the folder of the file', () => {
    const config = parse('')
    assert.equal(config.listen, '127.0.0.1:8080')
    assert.deepEqual(config.database, { kind: 'sqlite', path: '/srv/amtsbote/data/metadata.db' })
    assert.equal(config.objects.kind === 'filesystem' && config.objects.folder, '/srv/amtsbote/data/objects')
    assert.equal(config.keysFolder, '/srv/amtsbote/data/keys')
    assert.equal(config.queue.kind, 'in-process')
  })

  it('moves everything with dataFolder', () => {
    const config = parse('dataFolder: /var/lib/amtsbote')
    assert.deepEqual(config.database, { kind: 'sqlite', path: '/var/lib/amtsbote/metadata.db' })
    assert.equal(config.keysFolder, '/var/lib/amtsbote/keys')
    assert.equal(config.trust.anchorsFolder, '/var/lib/amtsbote/trust/anchors')
  })

  it('prints an example that means the default', () => {
    assert.deepEqual(parse(exampleConfig()), parse(''))
  })

  it('describes every key in the example', () => {
    const example = exampleConfig()
    for (const key of [
      'listen',
      'publicUrl',
      'tls',
      'trustedProxies',
      'levelsFile',
      'urlFile',
      'bucket',
      'uploadGiB',
      'pollSeconds',
      'lotlUrl',
      'territories',
      'maxOverdueDays',
      'logLevel',
    ]) {
      assert.match(example, new RegExp(`\\b${key}: ?`))
    }
  })

  it('names an unknown key and its line', () => {
    assert.match(refusal('listen: 127.0.0.1:80\n\nlisten_on: x\n'), /^amtsbote\.yaml:3: unknown key "listen_on"/)
    assert.match(
      refusal('limits:\n  uploadGiB: 1\n  uplaodExpiryHours: 2\n'),
      /^amtsbote\.yaml:3: unknown key "uplaodExpiryHours" in limits/,
    )
  })

  it('names the line of a wrong value', () => {
    assert.match(refusal('listen: 127.0.0.1:80\nlimits:\n  uploadGiB: -1\n'), /^amtsbote\.yaml:3: limits\.uploadGiB: /)
    assert.match(refusal('listen: 8080\n'), /^amtsbote\.yaml:1: listen: /)
    assert.match(refusal('listen: 127.0.0.1:99999\n'), /65535/)
    assert.match(refusal('publicUrl: https://a.example/path\n'), /publicUrl: write scheme, host and port only/)
    assert.match(refusal('database:\n  kind: mysql\n'), /^amtsbote\.yaml:2: database\.kind: /)
  })

  it('refuses what is not one mapping: broken YAML, repeated keys, lists, alias bombs', () => {
    refusal('a: [')
    refusal('listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n')
    refusal('- listen')
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
    ]
    refusal(bomb.join('\n'))
  })

  it('refuses to listen beyond loopback without tls or trustedProxies', () => {
    assert.match(
      refusal('logLevel: info\nlisten: 0.0.0.0:8080\n'),
      /^amtsbote\.yaml:2: listen: 0\.0\.0\.0 is not a loopback address/,
    )
    refusal('listen: "[::]:8080"')
    refusal('listen: amtsbote.example.de:8080')
    assert.equal(parse('listen: 0.0.0.0:8080\ntrustedProxies: [10.0.0.0/8]').listen, '0.0.0.0:8080')
    const served = parse('listen: 0.0.0.0:443\ntls: { certificateFile: a.pem, keyFile: b.pem }')
    assert.deepEqual(served.tls, { certificateFile: '/srv/amtsbote/a.pem', keyFile: '/srv/amtsbote/b.pem' })
  })

  it('knows loopback addresses', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) assert.equal(isLoopback(host), true, host)
    for (const host of ['0.0.0.0', '::', '127.0.0.1.example.de', '10.0.0.1', ''])
      assert.equal(isLoopback(host), false, host)
  })

  it('refuses networks that are none', () => {
    for (const bad of ['10.0.0.0/33', 'fd00::/129', '10.0.0', 'example.de', '10.0.0.0/8/8'])
      refusal(`trustedProxies: ["${bad}"]`)
  })

  describe('files', () => {
    let folder: string
    beforeEach(() => {
      folder = mkdtempSync(path.join(os.tmpdir(), 'amtsbote-config-'))
    })
    afterEach(() => {
      rmSync(folder, { recursive: true })
    })

    it('says which file cannot be read', () => {
      assert.throws(() => loadConfig(path.join(folder, 'absent.yaml')), {
        code: 'cli/bad-config',
        message: /absent\.yaml cannot be read/,
      })
    })

    it('reads a secret without its line end and refuses an empty one', () => {
      writeFileSync(path.join(folder, 'secret'), 'hunter2\n')
      writeFileSync(path.join(folder, 'empty'), '\n')
      assert.equal(readSecret(path.join(folder, 'secret'), 'database.urlFile'), 'hunter2')
      assert.throws(() => readSecret(path.join(folder, 'empty'), 'database.urlFile'), { code: 'cli/bad-config' })
      assert.throws(() => readSecret(path.join(folder, 'absent'), 'database.urlFile'), {
        code: 'cli/bad-config',
        message: /database\.urlFile/,
      })
    })
  })
})
