/**
 * The folder of master keys: one file each, named by the key's id. Layout: FORMAT.md, part "Keys".
 *
 * The id follows from the key, so a file whose bytes were altered or exchanged does not answer to its name.
 * A file is written whole or not at all, and is on the disk before anything is wrapped by it.
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { StorageError } from '../errors.ts'
import type { World } from '../world.ts'

export interface MasterKey {
  /** 16 hex digits, follows from the key */
  id: string
  createdAt: Date
  /** 32 bytes */
  key: Buffer
}

const FORMAT = 'amtsbote-master-key/1'
const FILE_NAME = /^([0-9a-f]{16})\.key$/
const KEY_BYTES = 32

/** First 8 bytes of SHA-256("amtsbote master key" ‖ NUL ‖ key), hex. */
export function masterKeyId(key: Buffer): string {
  return createHash('sha256').update('amtsbote master key\0').update(key).digest('hex').slice(0, 16)
}

export function newMasterKey({ clock, random }: Pick<World, 'clock' | 'random'>): MasterKey {
  const key = random(KEY_BYTES)
  return { id: masterKeyId(key), createdAt: clock(), key }
}

/**
 * Reads every master key of the folder, newest first. An absent folder is an empty one.
 *
 * @throws StorageError `storage/key-damaged` a file does not hold the key that its name promises
 */
export async function readMasterKeys(folder: string): Promise<MasterKey[]> {
  const keys: MasterKey[] = []
  for (const name of await listFolder(folder)) {
    const id = FILE_NAME.exec(name)?.[1]
    if (id === undefined) continue
    const text = await readIfThere(join(folder, name))
    if (text !== null) keys.push(parseMasterKey(text, id))
  }
  return keys.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
}

/**
 * Writes a master key (0600, folder 0700), flushed to the disk with its folder, and reads it back.
 * Leaves an existing file of that key as it is.
 */
export async function writeMasterKey(folder: string, master: MasterKey): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const path = join(folder, `${master.id}.key`)
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(formatMasterKey(master))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await flushFolder(folder)
  parseMasterKey(await readFile(path, 'utf8'), master.id)
}

export async function removeMasterKey(folder: string, id: string): Promise<void> {
  await rm(join(folder, `${id}.key`), { force: true })
  await flushFolder(folder)
}

/** The text of a key file. */
function formatMasterKey(master: MasterKey): string {
  const { id, createdAt, key } = master
  return `${JSON.stringify({ format: FORMAT, id, created: createdAt.toISOString(), key: key.toString('base64') }, null, 2)}\n`
}

/**
 * @param id that the key has to have
 * @throws StorageError `storage/key-damaged`
 */
export function parseMasterKey(text: string, id: string): MasterKey {
  const fields = parseFields(text)
  const key = Buffer.from(typeof fields['key'] === 'string' ? fields['key'] : '', 'base64')
  const createdAt = new Date(typeof fields['created'] === 'string' ? fields['created'] : Number.NaN)
  const sound = fields['format'] === FORMAT && key.length === KEY_BYTES && !Number.isNaN(createdAt.getTime())
  if (!sound || masterKeyId(key) !== id) {
    throw new StorageError('storage/key-damaged', `the file of master key ${id} does not hold that key`)
  }
  return { id, createdAt, key }
}

function parseFields(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

/** Null = removed since it was listed: a rotation in another process ended. */
async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
