/** Files on this machine that signatures are made of or in: read piece by piece, written whole or not at all. */
import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CliError } from './errors.ts'
import type { RandomAccess } from '../signing/index.ts'

/** Opens a file for the time of `work`. Throws cli/usage when it cannot be read. */
export async function withLocalFile<T>(path: string, work: (file: RandomAccess) => Promise<T>): Promise<T> {
  const handle = await openFile(path)
  try {
    const { size } = await handle.stat()
    return await work({ size, read: (position, length) => readFrom(handle, position, length) })
  } finally {
    await handle.close()
  }
}

/** One of very many files: opened for each read, because a process may not hold a thousand open. Throws cli/usage. */
export async function oneOfMany(path: string): Promise<RandomAccess> {
  const once = async <T>(work: (handle: FileHandle) => Promise<T>): Promise<T> => {
    const handle = await openFile(path)
    try {
      return await work(handle)
    } finally {
      await handle.close()
    }
  }
  const { size } = await once((handle) => handle.stat())
  return { size, read: (position, length) => once((handle) => readFrom(handle, position, length)) }
}

async function readFrom(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  return bytesRead === length ? bytes : bytes.subarray(0, bytesRead)
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r')
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
  } catch (error) {
    throw new CliError('cli/usage', `${path} cannot be read; check the path`, { cause: error })
  }
  throw new CliError('cli/usage', `${path} is no file; check the path`)
}

/** Writes a new file; what is there under this name stays until the new one is whole and flushed. @returns bytes written */
export async function writeLocalFile(path: string, bytes: AsyncIterable<Buffer> | Buffer): Promise<number> {
  const half = `${path}.part`
  let size = 0
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of Buffer.isBuffer(bytes) ? [bytes] : bytes) {
      size += piece.length
      yield piece
    }
  }
  try {
    await pipeline(Readable.from(counted(), { objectMode: false }), createWriteStream(half, { flush: true }))
    await rename(half, path)
  } catch (error) {
    await rm(half, { force: true })
    const isDisk = error instanceof Error && 'syscall' in error
    if (isDisk) throw new CliError('cli/usage', `${path} cannot be written; check folder and room`, { cause: error })
    throw error
  }
  return size
}

/** Bytes that are needed once more before the result stands: a file beside it, gone afterwards. */
export async function withScratch<T>(
  beside: string,
  bytes: AsyncIterable<Buffer> | Buffer,
  work: (file: RandomAccess) => Promise<T>,
): Promise<T> {
  const scratch = `${beside}.scratch`
  try {
    await writeLocalFile(scratch, bytes)
    return await withLocalFile(scratch, work)
  } finally {
    await rm(scratch, { force: true })
  }
}
