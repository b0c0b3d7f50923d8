/**
 * Key files of this installation: `<name>.p12` with `<name>.passphrase` beside it, folder 0700, files 0600.
 *
 * A file appears under its name only when it is whole and on the disk (written aside, flushed, then linked), the passphrase before the keys
 * it protects. Killed at any moment, the next call completes what is missing; two processes at once end with one pair.
 */
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { CliError } from './errors.ts'
import {
  makeTrialIdentity,
  openPkcs12,
  type DecryptionKey,
  type SigningKey,
  type TrialUsage,
} from '../signing/index.ts'
import type { World } from '../storage/index.ts'

export interface TrialKey {
  /** file name without its ending */
  name: string
  usage: TrialUsage
  commonName: string
}

export interface OpenedKeys {
  signing: SigningKey
  /** null for keys of elliptic curves, which only sign */
  decryption: DecryptionKey | null
}

/** Files that are not whole yet have names that begin so. */
const ASIDE = '.new-'

type Needs = Pick<World, 'clock' | 'random'>

/** Makes the folder private to this account. */
async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
}

/** Makes the key file unless it is there. @returns true when it was made now */
export async function ensureTrialKey(folder: string, key: TrialKey, needs: Needs): Promise<boolean> {
  await makePrivateFolder(folder)
  if (await isThere(keyPath(folder, key.name))) return false
  const passphrasePath = path.join(folder, `${key.name}.passphrase`)
  if (!(await isThere(passphrasePath)))
    await publish(passphrasePath, `${needs.random(24).toString('base64url')}\n`, needs)
  const passphrase = (await readFile(passphrasePath, 'utf8')).trim()
  const { commonName, usage } = key
  const organisation = 'Amtsbote Probebetrieb'
  const made = await makeTrialIdentity({
    commonName,
    organisation,
    usage,
    passphrase,
    now: needs.clock(),
    random: needs.random,
  })
  await publish(keyPath(folder, key.name), made.pkcs12, needs)
  return true
}

/** Writes a key file that was made elsewhere, with its passphrase; nothing when one of this name is there. @returns true when it was written */
export async function addKeyFile(
  folder: string,
  name: string,
  { pkcs12, passphrase }: { pkcs12: Buffer; passphrase: string },
  needs: Needs,
): Promise<boolean> {
  await makePrivateFolder(folder)
  if ((await isThere(keyPath(folder, name))) || (await isThere(passphrasePath(folder, name)))) return false
  await publish(passphrasePath(folder, name), `${passphrase}\n`, needs)
  await publish(keyPath(folder, name), pkcs12, needs)
  return true
}

/** Gives a key file and its passphrase another name. The passphrase goes first: a key file never stands without. */
export async function renameKeyFile(folder: string, name: string, to: string): Promise<void> {
  await link(passphrasePath(folder, name), passphrasePath(folder, to))
  await rename(keyPath(folder, name), keyPath(folder, to))
  await rm(passphrasePath(folder, name))
}

/** Key file and passphrase as they are; null when there is none. Throws cli/bad-data-folder for half a pair. */
export async function readKeyFile(
  folder: string,
  name: string,
): Promise<{ pkcs12: Buffer; passphrase: string } | null> {
  const pkcs12 = await readIfThere(keyPath(folder, name))
  if (pkcs12 === null) return null
  const passphrase = await readIfThere(passphrasePath(folder, name))
  if (passphrase === null) {
    throw new CliError(
      'cli/bad-data-folder',
      `${name}.passphrase is missing in the keys folder; put it back beside ${name}.p12`,
    )
  }
  return { pkcs12, passphrase: passphrase.toString('utf8').trim() }
}

/** Opens a key file; null when there is none. Throws cli/bad-data-folder where only half of the pair is there. */
export async function openKeyFile(
  folder: string,
  name: string,
  choice: Parameters<typeof openPkcs12>[2] = {},
): Promise<OpenedKeys | null> {
  const file = await readKeyFile(folder, name)
  return file === null ? null : openPkcs12(file.pkcs12, file.passphrase, choice)
}

const LEFT_BEHIND_AFTER_MS = 3_600_000

/** Removes what a start that was killed left half written; younger files may belong to another process. */
export async function removeHalfWritten(folder: string, now: Date): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(ASIDE)) continue
    const file = path.join(folder, name)
    const facts = await stat(file).catch(() => null)
    if (facts && now.getTime() - facts.mtimeMs > LEFT_BEHIND_AFTER_MS) await rm(file, { force: true })
  }
}

/** Names of the key files in the folder, without the ending. */
export async function keyFileNames(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => name.endsWith('.p12') && !name.startsWith('.'))
      .map((name) => name.slice(0, -'.p12'.length))
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

function passphrasePath(folder: string, name: string): string {
  return path.join(folder, `${name}.passphrase`)
}

function keyPath(folder: string, name: string): string {
  return path.join(folder, `${name}.p12`)
}

/** Writes aside, flushes, and gives the file its name unless another process was quicker. */
async function publish(target: string, content: string | Buffer, needs: Needs): Promise<void> {
  const folder = path.dirname(target)
  const aside = path.join(folder, `${ASIDE}${needs.random(8).toString('hex')}`)
  const file = await open(aside, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(aside, target)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(aside, { force: true })
  }
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function isThere(file: string): Promise<boolean> {
  return (await readIfThere(file)) !== null
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
