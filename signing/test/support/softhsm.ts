/**
 * A SoftHSM2 token for tests: one for the whole process, because a PKCS#11 module is initialised once in a process and
 * reads its configuration then.
 */
import { spawnSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TokenPlace } from '../../keys/pkcs11/session.ts'
import { EXTENSIONS, ecKey, issue } from './test-certificates.ts'
import type { Holder } from './test-certificates.ts'

/** Where distributions put the module; the first is named where none is there. */
export const SOFTHSM_MODULE = ((paths) => paths.find(existsSync) ?? paths[0] ?? '')([
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib64/softhsm/libsofthsm2.so',
])
export const PIN = '271828'
const TOKEN = 'Amtsbote Prüftoken'

let made = false

/** The place of a key in the token; the first call makes the token. */
export function tokenPlace(key: { keyId?: string; keyLabel?: string } = {}): TokenPlace {
  if (!made) makeToken()
  made = true
  return { module: SOFTHSM_MODULE, token: TOKEN, pin: PIN, keyId: key.keyId ?? null, keyLabel: key.keyLabel ?? null }
}

function makeToken(): void {
  const folder = mkdtempSync(join(tmpdir(), 'amtsbote-softhsm-'))
  mkdirSync(join(folder, 'tokens'))
  process.env['SOFTHSM2_CONF'] = join(folder, 'softhsm2.conf')
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`)
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  softhsm('--init-token', '--free', '--label', TOKEN, '--so-pin', '12345678', '--pin', PIN)
}

function softhsm(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('softhsm2-util', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`softhsm2-util ${args[0] ?? ''}: ${stdout}${stderr}`)
}

const from = new Date('2026-01-01')
const until = new Date('2028-01-01')
let issuer: Holder | undefined

/** A certificate of the test authority for a public key. */
export function certify(publicKey: KeyObject): { certificate: Buffer; issuer: Buffer } {
  issuer ??= issue({ commonName: 'Test CA', key: ecKey(), issuer: null, from, until, extensions: EXTENSIONS.ca() })
  const wish = { commonName: 'Siegel im Token', key: publicKey, issuer, from, until, extensions: EXTENSIONS.signer() }
  return { certificate: issue(wish).certificate, issuer: issuer.certificate }
}
