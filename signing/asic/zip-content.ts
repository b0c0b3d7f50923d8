/**
 * The content of one entry, read in pieces: stored or deflated, with its length and checksum proven at the end.
 */
import { Readable } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import type { RandomAccess } from '../random-access.ts'
import { damaged } from './zip-directory.ts'
import type { ZipEntry } from './zip-directory.ts'

export interface PackedEntry {
  entry: ZipEntry
  /** where its packed bytes begin */
  dataOffset: number
}

/** What an entry may unpack to; more is taken for an attack on memory and time. */
export function isWithinLimits({ method, packedBytes, size }: ZipEntry): boolean {
  if (method === 0) return packedBytes === size
  return size <= MAX_UNPACKED_BYTES && (size <= FREE_BYTES || size / Math.max(1, packedBytes) <= MAX_RATIO)
}

/**
 * The content, piece by piece.
 *
 * @throws SigningError `signing/container-damaged` it is not what the directory says; thrown at the latest at the end
 */
export async function* readContent(source: RandomAccess, packed: PackedEntry): AsyncGenerator<Buffer> {
  const { entry } = packed
  let size = 0
  let checksum = 0
  for await (const piece of entry.method === 0 ? packedBytes(source, packed) : inflated(source, packed)) {
    size += piece.length
    if (size > entry.size) throw damaged('an entry is longer than the directory says')
    checksum = crc32(piece, checksum)
    yield piece
  }
  if (size !== entry.size || checksum !== entry.crc32) throw damaged('an entry is not what the directory says')
}

/** The bytes as they lie in the archive. */
async function* packedBytes(source: RandomAccess, { entry, dataOffset }: PackedEntry): AsyncGenerator<Buffer> {
  for (let at = 0; at < entry.packedBytes;) {
    const piece = await source.read(dataOffset + at, Math.min(READ_BYTES, entry.packedBytes - at))
    if (piece.length === 0) throw damaged('the archive is cut off')
    at += piece.length
    yield piece
  }
}

/** The bytes as they lie in the archive, as a document. */
export function packedAccess(source: RandomAccess, { entry, dataOffset }: PackedEntry): RandomAccess {
  return { size: entry.packedBytes, read: (position, length) => source.read(dataOffset + position, length) }
}

async function* inflated(source: RandomAccess, packed: PackedEntry): AsyncGenerator<Buffer> {
  if (packed.entry.method !== 8) throw damaged('an entry is packed in a way that is not known')
  const inflate = createInflateRaw({ chunkSize: PIECE_BYTES })
  const input = Readable.from(packedBytes(source, packed))
  input.once('error', (error) => inflate.destroy(error))
  input.pipe(inflate)
  try {
    for await (const piece of inflate) yield piece as Buffer
  } catch (cause) {
    throw isZlibFault(cause) ? damaged('an entry cannot be unpacked') : cause
  } finally {
    input.destroy()
  }
  // what follows the end of the packed stream would be hidden from everybody
  if (inflate.bytesWritten !== packed.entry.packedBytes) throw damaged('an entry holds bytes behind its content')
}

function isZlibFault(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}

/**
 * The content as a document. It is unpacked from the front, so that it is read fast in order and slowly otherwise;
 * memory stays at some pieces.
 */
export function contentAccess(source: RandomAccess, packed: PackedEntry): RandomAccess {
  const { entry } = packed
  if (entry.method === 0) return packedAccess(source, packed)
  return { size: entry.size, read: sequentialReader(() => readContent(source, packed)) }
}

function sequentialReader(open: () => AsyncGenerator<Buffer>): RandomAccess['read'] {
  let pieces: AsyncGenerator<Buffer> | null = null
  let current: Buffer = Buffer.alloc(0)
  /** of the first byte of `current` */
  let start = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function next(): Promise<void> {
    start += current.length
    const result = await pieces?.next()
    if (result === undefined || result.done === true) throw damaged('an entry is shorter than the directory says')
    current = result.value
  }

  async function read(position: number, length: number): Promise<Buffer> {
    if (pieces === null || position < start) {
      await pieces?.return(undefined)
      pieces = open()
      current = Buffer.alloc(0)
      start = 0
    }
    const parts: Buffer[] = []
    for (let at = position; at < position + length;) {
      if (at >= start + current.length) {
        await next()
        continue
      }
      const part = current.subarray(at - start, position + length - start)
      parts.push(part)
      at += part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  // one reader at a time: they share the place in the stream
  return (position, length) => {
    const result = turn.then(() => read(position, length))
    turn = result.catch(() => undefined)
    return result
  }
}

const READ_BYTES = 64 * 1024
/** each piece costs a change of threads: with the 16 KiB of Node as much as unpacking it */
const PIECE_BYTES = 256 * 1024
/** small entries may unpack to anything */
const FREE_BYTES = 1024 * 1024
const MAX_RATIO = 100
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
