import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { buildPdf, onePage } from '../../../signing/test/build-pdf.ts'
import { programsFor } from '../../../signing/test/programs.ts'
import { PIN, SOFTHSM_MODULE, tokenPlace } from '../../../signing/test/support/softhsm.ts'
import { temporaryInstallation, type Installation } from '../support/cli.ts'

interface Row {
  name: string
  kind: string
  key: string
  state: string
}

function openssl(at: Installation, ...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { cwd: at.folder, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

/** An authority of OpenSSL that answers a request: what it issues is advanced, not trial. */
function issue(at: Installation, request: string, certificate: string): void {
  openssl(at, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=CA')
  const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '700', '-copy_extensions', 'copy']
  openssl(at, 'x509', '-req', '-in', request, '-out', certificate, ...authority)
}

describe('keys that sign', function () {
  this.timeout(120_000)
  if (!programsFor('keys that sign', 'openssl')) return
  let at: Installation
  beforeEach(() => {
    at = temporaryInstallation()
  })

  afterEach(() => {
    at.end()
  })

  const ok = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await at.cli(...args)
    assert.equal(code, 0, err)
    return out
  }

  it('are made for trials below an authority, listed and tested; files are private', async () => {
    await ok('key', 'create', 'ca', '--algorithm', 'p-384')
    await ok('key', 'create', 'seal', '--algorithm', 'brainpoolP256r1', '--common-name', 'Siegel Musterstadt')
    assert.equal((await at.cli('key', 'create', 'seal')).code, 2)
    const rows = (await at.json('key', 'list')) as Row[]
    assert.deepEqual(
      rows.map(({ name, kind, key, state }) => [name, kind, key, state]),
      [
        ['ca', 'trial', 'ec 384', 'good'],
        ['seal', 'trial', 'ec 256', 'good'],
      ],
    )
    const tested = (await at.json('key', 'check')) as { usable: boolean; algorithm: string }
    assert.deepEqual([tested.usable, tested.algorithm], [true, 'ecdsa-sha256'])
    const folder = path.join(at.folder, 'data', 'keys')
    assert.equal(statSync(folder).mode & 0o077, 0)
    for (const name of readdirSync(folder)) assert.equal(statSync(path.join(folder, name)).mode & 0o077, 0, name)
  })

  it('with a certificate that is only advanced seal when the configuration says so', async () => {
    await ok('key', 'create', 'seal', '--algorithm', 'rsa-3072')
    const request = path.join(at.folder, 'request.pem')
    await ok('key', 'csr', '--common-name', 'Siegel', '--organisation', 'Stadt Musterstadt', '--out', request)
    openssl(at, 'req', '-in', request, '-verify', '-noout')
    issue(at, 'request.pem', 'seal.pem')
    await ok('key', 'import', path.join(at.folder, 'seal.pem'))
    const rows = (await at.json('key', 'list')) as Row[]
    assert.equal(rows.find(({ name }) => name === 'seal')?.kind, 'advanced')

    assert.equal((await at.cli('key', 'check')).code, 3)
    const pdf = path.join(at.folder, 'a.pdf')
    writeFileSync(pdf, buildPdf({ objects: onePage() }))
    const refused = await at.cli('seal', pdf, '--out', `${pdf}.sealed`)
    assert.notEqual(refused.code, 0)
    assert.match(refused.err, /not a qualified one.*allowAdvanced/)
    appendFileSync(at.config, '\nseal: { allowAdvanced: true }\n')
    assert.match(await ok('seal', pdf, '--out', `${pdf}.sealed`), /advanced seal/)
    assert.equal((await at.cli('key', 'check')).code, 0)
  })

  it('come from a PKCS#12 file of others; the key that was there is kept', async () => {
    await ok('key', 'create', 'seal')
    const names = ['-subj', '/CN=Siegel anderswo', '-addext', 'keyUsage=digitalSignature']
    openssl(at, 'req', '-x509', '-newkey', 'rsa:3072', '-nodes', '-keyout', 'k.pem', '-out', 'c.pem', ...names)
    openssl(at, 'pkcs12', '-export', '-inkey', 'k.pem', '-in', 'c.pem', '-out', 'k.p12', '-passout', 'pass:sehr geheim')
    const file = path.join(at.folder, 'k.p12')
    const secret = ['--passphrase-file', at.file('pass', 'sehr geheim\n')]
    assert.equal((await at.cli('key', 'import', file, ...secret)).code, 2)
    const { before } = (await at.json('key', 'import', file, ...secret, '--replace')) as { before: string }
    const rows = (await at.json('key', 'list')) as Row[]
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['seal', before],
    )
    assert.equal((await at.cli('key', 'check')).code, 0)
  })

  if (!programsFor('a seal key in a token', 'softhsm2-util', SOFTHSM_MODULE)) return
  it('may lie in a token', async () => {
    const { token } = tokenPlace()
    const pin = at.file('pin', `${PIN}\n`)
    await ok('key', 'create', 'ca')
    const place = ['--module', SOFTHSM_MODULE, '--token', token ?? '', '--key-id', 'c1', '--pin-file', pin]
    await ok('key', 'create', 'seal', '--algorithm', 'p-256', ...place)
    appendFileSync(
      at.config,
      `\nseal: { key: { kind: pkcs11, module: ${SOFTHSM_MODULE}, token: '${token ?? ''}', keyId: 'c1', pinFile: pin } }\n`,
    )
    const tested = (await at.json('key', 'check')) as { usable: boolean; algorithm: string }
    assert.deepEqual([tested.usable, tested.algorithm], [true, 'ecdsa-sha256'])
    const request = path.join(at.folder, 'request.pem')
    await ok('key', 'csr', '--common-name', 'Siegel', '--organisation', 'Stadt Musterstadt', '--out', request)
    openssl(at, 'req', '-in', request, '-verify', '-noout')
  })
})
