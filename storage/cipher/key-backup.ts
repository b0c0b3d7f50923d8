/**
 * Backup of the master keys: a text sealed by a passphrase, or n shares of which any k restore it.
 * Formats: FORMAT.md, part "Key backup". Whoever can open a backup and reads the database can read everything.
 */
import { createHash, scrypt } from 'node:crypto'
import { promisify } from 'node:util'

import { StorageError } from '../errors.ts'
import type { World } from '../world.ts'
import { combineShares, isShare, splitIntoShares } from './key-shares.ts'
import { parseMasterKey, readMasterKeys, writeMasterKey } from './master-keys.ts'
import type { MasterKey } from './master-keys.ts'
import { openBox, sealBox } from './sealed-box.ts'

const FORMAT = 'amtsbote-key-backup/1'
const MIN_PASSPHRASE = 12
const SALT_BYTES = 16
/** RFC 7914 §2; 128 MiB and about half a second. */
const COST = { N: 131_072, r: 8, p: 1 }
/** A backup from elsewhere may ask for so much memory at most. */
const MAX_SCRYPT_BYTES = 1024 * 1024 * 1024

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** How a backup is protected. */
export type BackupLock =
  { kind: 'passphrase'; passphrase: string } | { kind: 'shares'; shares: number; threshold: number }

/**
 * Makes a backup of all given master keys.
 *
 * @returns one text for a passphrase, `shares` texts otherwise; each is to be kept in a place of its own
 * @throws StorageError `storage/bad-value` a passphrase under 12 characters; shares outside of 2 <= k <= n <= 255
 */
export async function makeBackup(
  masters: readonly MasterKey[],
  lock: BackupLock,
  world: Pick<World, 'random'>,
): Promise<string[]> {
  const secret = encodeKeys(masters)
  if (lock.kind === 'shares') return splitIntoShares(secret, lock, world.random)
  return [await sealByPassphrase(secret, lock.passphrase, world)]
}

/**
 * Opens a backup.
 *
 * @param texts the one text of a passphrase backup, or at least as many shares as it takes, in any order
 * @param passphrase null = the texts are shares
 * @throws StorageError `storage/backup-damaged`, `storage/backup-bad-passphrase`, `storage/backup-too-few-shares`
 */
export async function openBackup(texts: readonly string[], passphrase: string | null): Promise<MasterKey[]> {
  const [first] = texts
  if (first === undefined) throw new StorageError('storage/backup-too-few-shares', 'no share was given')
  if (isShare(first)) return decodeKeys(await combineShares(texts))
  return decodeKeys(await openByPassphrase(first, passphrase ?? ''))
}

/**
 * Writes the keys of a backup into the key folder, beside what is there.
 *
 * @returns ids of the keys that were not there before
 */
export async function restoreMasterKeys(folder: string, masters: readonly MasterKey[]): Promise<string[]> {
  const present = new Set((await readMasterKeys(folder)).map((master) => master.id))
  const absent = masters.filter((master) => !present.has(master.id))
  for (const master of absent) await writeMasterKey(folder, master)
  return absent.map((master) => master.id)
}

function encodeKeys(masters: readonly MasterKey[]): Buffer {
  const keys = masters.map(({ id, createdAt, key }) => ({
    id,
    created: createdAt.toISOString(),
    key: key.toString('base64'),
  }))
  return Buffer.from(JSON.stringify(keys), 'utf8')
}

function decodeKeys(secret: Buffer): MasterKey[] {
  const keys = parse(secret.toString('utf8'))
  if (!Array.isArray(keys) || keys.length === 0) throw damaged()
  return keys.map((fields: unknown) => {
    const id = field(fields, 'id')
    const text = { format: 'amtsbote-master-key/1', id, created: field(fields, 'created'), key: field(fields, 'key') }
    return parseMasterKey(JSON.stringify(text), id)
  })
}

async function sealByPassphrase(
  secret: Buffer,
  passphrase: string,
  { random }: Pick<World, 'random'>,
): Promise<string> {
  if (passphrase.normalize('NFC').length < MIN_PASSPHRASE) {
    throw new StorageError(
      'storage/bad-value',
      `the passphrase of a key backup has at least ${MIN_PASSPHRASE} characters`,
    )
  }
  const salt = random(SALT_BYTES)
  const key = await stretch(passphrase, salt, COST)
  const sealed = sealBox(key, binding(salt, COST), secret, random).toString('base64')
  const body = { format: FORMAT, kdf: { name: 'scrypt', ...COST, salt: salt.toString('base64') }, sealed }
  return `${JSON.stringify({ ...body, check: checkOf(body) }, null, 2)}\n`
}

async function openByPassphrase(text: string, passphrase: string): Promise<Buffer> {
  const { check, ...body } = readBackup(text)
  // Damage is told apart from a wrong passphrase, which the seal alone cannot do.
  if (checkOf(body) !== check) throw damaged()
  const { N, r, p, salt } = body.kdf
  if (128 * N * r > MAX_SCRYPT_BYTES || p > 16) throw damaged()
  const saltBytes = Buffer.from(salt, 'base64')
  const key = await stretch(passphrase, saltBytes, { N, r, p })
  try {
    return openBox(key, binding(saltBytes, { N, r, p }), Buffer.from(body.sealed, 'base64'))
  } catch (error) {
    throw new StorageError('storage/backup-bad-passphrase', 'the passphrase does not open the key backup', error)
  }
}

interface Backup {
  format: string
  kdf: { name: string; N: number; r: number; p: number; salt: string }
  sealed: string
  check: string
}

function readBackup(text: string): Backup {
  const value = parse(text)
  const kdf = typeof value === 'object' && value !== null && 'kdf' in value ? value.kdf : null
  const numbers = ['N', 'r', 'p'].map((name) => numberField(kdf, name))
  if (field(value, 'format') !== FORMAT || field(kdf, 'name') !== 'scrypt' || numbers.some((n) => n < 1))
    throw damaged()
  const [N = 0, r = 0, p = 0] = numbers
  return {
    format: FORMAT,
    kdf: { name: 'scrypt', N, r, p, salt: field(kdf, 'salt') },
    sealed: field(value, 'sealed'),
    check: field(value, 'check'),
  }
}

/** SHA-256 over the JSON of everything but itself, hex. */
function checkOf(body: Omit<Backup, 'check'>): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex')
}

function stretch(passphrase: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  const maxmem = 128 * cost.N * cost.r + 32 * 1024 * 1024
  return derive(passphrase.normalize('NFC'), salt, 32, { ...cost, maxmem })
}

function binding(salt: Buffer, { N, r, p }: typeof COST): string[] {
  return ['key-backup', 'scrypt', String(N), String(r), String(p), salt.toString('base64')]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function field(value: unknown, name: string): string {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return typeof found === 'string' ? found : ''
}

function numberField(value: unknown, name: string): number {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
  return typeof found === 'number' && Number.isInteger(found) ? found : 0
}

function damaged(): StorageError {
  return new StorageError('storage/backup-damaged', 'the key backup was altered or is not one')
}
