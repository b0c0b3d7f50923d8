/**
 * Adapter: objects as files in two levels of folders, by the first two digits of their id.
 *
 * `<id>` is a whole object, `<id>.open` one that is written in parts (each at its own position); it becomes `<id>` by
 * rename after its bytes are flushed; then the folder is flushed. A small object is put under `<id>` at once, bytes
 * flushed before folder. (`<id>.new` was the name of such a one in the making.)
 * Modes 0600 and 0700; names are ids, never the user's.
 */
import * as fs from 'node:fs'
import { access, mkdir, open, readdir, rename, stat, statfs, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { StorageError, type StorageErrorCode } from '../errors.ts'
import { parseId, type ObjectId } from '../ids.ts'
import { createEarlyFlush } from './early-flush.ts'
import type { FinishedParts, ObjectReader, ObjectStore, PartWriter, SealedPart } from './object-store.ts'
import { createPutThreads } from './put-threads.ts'

/** Parts cost nothing in a file, so they are small: one write of about 1 MiB. FORMAT.md, "Parts". */
const CHUNKS_IN_PART = 16

const OBJECT = /^[0-9a-f-]{36}$/
const UNFINISHED = /^([0-9a-f-]{36})\.(open|new)$/

/**
 * @param options.root folder of the objects; made when absent
 */
export async function filesystemObjects(options: { root: string }): Promise<ObjectStore> {
  const folders = createFolders(options.root)
  await folders.open()
  const path = (id: ObjectId) => join(folders.of(id), id)
  const threads = createPutThreads()

  return {
    chunksInPart: () => CHUNKS_IN_PART,
    partsInFlight: 4,
    wantsDigest: false,
    readAhead: { bytes: 1 << 20, requests: 3 },
    put: (id, bytes) =>
      guard(async () => threads.put(path(id), await folders.ensure(id), bytes), 'storage/objects-unavailable'),
    sealAndPut: (id, plain, cipher) =>
      guard(
        async () => threads.sealAndPut(path(id), await folders.ensure(id), { plain, cipher }),
        'storage/objects-unavailable',
      ),
    openParts: (id, handle) => guard(() => openParts(folders, id, handle)),
    complete: (id, parts) => guard(() => completeFile(folders, id, parts)),
    abort: (id, handle) => guard(() => remove(`${path(id)}.${handle === 'new' ? 'new' : 'open'}`)),
    open: (id) => guard(() => openReader(path(id))),
    size: (id) => guard(() => sizeOf(path(id))),
    delete: (id) => guard(() => remove(path(id))),
    list: async function* () {
      for await (const { name, file } of folders.files()) {
        const found = OBJECT.test(name) ? await statOrNull(file) : null
        if (found) yield { id: parseId('object', name), size: found.size, changedAt: found.mtime }
      }
    },
    listUnfinished: async function* () {
      for await (const { name, file } of folders.files()) {
        const [, id, handle] = UNFINISHED.exec(name) ?? []
        const found = id !== undefined && handle !== undefined ? await statOrNull(file) : null
        if (found) yield { id: parseId('object', id ?? ''), handle: handle ?? '', startedAt: found.mtime }
      }
    },
    free: () => guard(async () => freeBytes(options.root)),
    close: async () => {
      await threads.close()
      await folders.close()
    },
  }
}

type Folders = ReturnType<typeof createFolders>

/** The two levels of folders; each is made and flushed once per process. */
function createFolders(root: string) {
  const ready = new Map<string, Promise<number>>()
  const of = (id: ObjectId) => join(root, id.charAt(0), id.charAt(1))
  const make = async (id: ObjectId) => {
    const folder = of(id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await flushFolder(join(root, id.charAt(0)))
    await flushFolder(root)
    return openPlain(folder, 'r')
  }
  return {
    of,
    open: async () => {
      await mkdir(root, { recursive: true, mode: 0o700 })
      await access(root, fs.constants.R_OK | fs.constants.W_OK)
    },
    /** Makes the folder; its descriptor stays open, so that a flush is one call. */
    ensure: (id: ObjectId): Promise<number> => {
      const folder = of(id)
      let made = ready.get(folder)
      if (!made) {
        made = make(id)
        ready.set(folder, made)
        made.catch(() => ready.delete(folder))
      }
      return made
    },
    close: async () => {
      for (const made of ready.values()) await made.then(closePlain, () => undefined)
      ready.clear()
    },
    files: async function* () {
      for (const first of await readdir(root)) {
        if (first.length !== 1) continue
        for (const second of await readdir(join(root, first))) {
          for (const name of await readdir(join(root, first, second))) {
            yield { name, file: join(root, first, second, name) }
          }
        }
      }
    },
  }
}

const openPlain = promisify(fs.open) as (path: string, flags: string) => Promise<number>
const closePlain = promisify(fs.close)

async function openParts(folders: Folders, id: ObjectId, handle: string | null): Promise<PartWriter> {
  await folders.ensure(id)
  const name = `${join(folders.of(id), id)}.open`
  const file = await open(name, handle === null ? 'wx' : 'r+', 0o600)
  const early = createEarlyFlush(() => file.datasync())
  // A new name must survive a loss of power together with its first flushed bytes.
  let folderFlushed = handle !== null
  return {
    handle: 'open',
    putPart: async (_number, position, part: SealedPart) => {
      await guard(async () => {
        await writeAll(file, part.bytes, position)
        early.wrote(part.bytes.length)
      })
      return null
    },
    flush: () =>
      guard(async () => {
        await early.end()
        await file.datasync()
        if (folderFlushed) return
        await flushFolder(folders.of(id))
        folderFlushed = true
      }),
    close: () =>
      guard(async () => {
        try {
          await early.end()
        } finally {
          await file.close()
        }
      }),
  }
}

async function completeFile(folders: Folders, id: ObjectId, parts: FinishedParts): Promise<void> {
  const target = join(folders.of(id), id)
  const done = await statOrNull(target)
  // A cut segment may have been completed with more bytes than are counted; they are never read.
  if (done !== null && done.size >= parts.bytes) return
  const file = await open(`${target}.open`, 'r+')
  try {
    const { size } = await file.stat()
    if (size < parts.bytes) throw new StorageError('storage/object-absent', `object ends at ${size} of ${parts.bytes}`)
    if (size > parts.bytes) await file.truncate(parts.bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${target}.open`, target)
  await flushFolder(folders.of(id))
}

async function openReader(path: string): Promise<ObjectReader> {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    size,
    read: (position, into) =>
      guard(async () => {
        let filled = 0
        while (filled < into.length) {
          const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled)
          if (bytesRead === 0)
            throw new StorageError('storage/object-damaged', `object ends before ${position + into.length}`)
          filled += bytesRead
        }
      }),
    close: () => file.close(),
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

async function statOrNull(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return (await statOrNull(path))?.size ?? null
}

async function freeBytes(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root)
  return bavail * bsize
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Turns faults of the disk into ours. */
async function guard<T>(work: () => Promise<T>, absent: StorageErrorCode = 'storage/object-absent'): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StorageError) throw error
    const code = codeOf(error)
    if (code === 'ENOENT') throw new StorageError(absent, 'no such object', error)
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      throw new StorageError('storage/disk-full', 'no room left for objects', error)
    }
    throw new StorageError(
      'storage/objects-unavailable',
      `the object folder does not answer (${code ?? 'unknown'})`,
      error,
    )
  }
}
