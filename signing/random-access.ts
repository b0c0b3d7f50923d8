/**
 * A document that is read piece by piece, so that its size does not decide the memory it takes.
 * storage.contents.randomAccess(…) fits this shape.
 */
import { SigningError } from './errors.ts'

export interface RandomAccess {
  /** bytes */
  readonly size: number
  /** Returns exactly `length` bytes from `position`; the caller stays inside `size`. */
  read(position: number, length: number): Promise<Buffer>
}

/** A document that is in memory already. */
export function bufferAccess(bytes: Buffer): RandomAccess {
  return {
    size: bytes.length,
    read: (position, length) => Promise.resolve(bytes.subarray(position, position + length)),
  }
}

/**
 * The bytes from `from` up to, not including, `to`, piece by piece; absent: the whole document.
 *
 * @throws SigningError `signing/source-changed` when the source delivers fewer bytes than its size promises
 */
export async function* piecesOf(source: RandomAccess, from = 0, to = source.size): AsyncGenerator<Buffer, void> {
  for (let at = from; at < to;) {
    const bytes = await source.read(at, Math.min(PIECE_BYTES, to - at))
    if (bytes.length === 0) throw shorter()
    at += bytes.length
    yield bytes
  }
}

/** A document with bytes appended, without copying it: the updates stay in memory, the document does not. */
export function appendedAccess(source: RandomAccess, appended: Buffer): RandomAccess {
  const { size } = source
  return {
    size: size + appended.length,
    async read(position, length) {
      const end = position + length
      if (end <= size) return source.read(position, length)
      const tail = appended.subarray(Math.max(0, position - size), end - size)
      return position >= size ? tail : Buffer.concat([await source.read(position, size - position), tail])
    },
  }
}

/** Several documents one after the other, without copying them. */
export function joinedAccess(parts: readonly RandomAccess[]): RandomAccess {
  const starts: number[] = []
  let size = 0
  for (const part of parts) {
    starts.push(size)
    size += part.size
  }
  return {
    size,
    async read(position, length) {
      const found: Buffer[] = []
      const end = position + length
      // those before are empty, or end where this one begins
      for (let index = firstAt(starts, position); index < parts.length; index++) {
        const part = parts[index]
        const start = starts[index] ?? size
        if (part === undefined || start >= end) break
        const from = Math.max(0, position - start)
        const until = Math.min(part.size, end - start)
        if (from < until) found.push(await part.read(from, until - from))
      }
      return found.length === 1 && found[0] !== undefined ? found[0] : Buffer.concat(found)
    },
  }
}

/** Index of the last start that is not behind `position`. */
function firstAt(starts: readonly number[], position: number): number {
  let low = 0
  let high = starts.length
  while (low + 1 < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= position) low = middle
    else high = middle
  }
  return low
}

/**
 * Remembers the last pages read, so that a parser which jumps about in small steps asks the source seldom.
 * Memory: at most PAGES x PAGE_BYTES.
 *
 * @throws SigningError `signing/source-changed` when the source delivers fewer bytes than its size promises
 */
export function pagedAccess(source: RandomAccess): RandomAccess {
  const pages = new Map<number, Promise<Buffer>>()
  let latest: { index: number; bytes: Buffer } = { index: -1, bytes: NOTHING }

  async function page(index: number): Promise<Buffer> {
    if (index === latest.index) return latest.bytes
    const loading = pages.get(index) ?? load(index)
    pages.delete(index)
    pages.set(index, loading)
    if (pages.size > PAGES) pages.delete(pages.keys().next().value ?? index)
    const bytes = await loading
    latest = { index, bytes }
    return bytes
  }

  async function load(index: number): Promise<Buffer> {
    const start = index * PAGE_BYTES
    const length = Math.min(PAGE_BYTES, source.size - start)
    const bytes = await source.read(start, length)
    if (bytes.length !== length) throw shorter()
    return bytes
  }

  /** Most reads are of the page read last. */
  function read(position: number, length: number): Promise<Buffer> {
    const from = position - latest.index * PAGE_BYTES
    const isThere = from >= 0 && from + length <= latest.bytes.length
    return isThere ? Promise.resolve(latest.bytes.subarray(from, from + length)) : readAcross(position, length)
  }

  async function readAcross(position: number, length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let at = position; at < position + length;) {
      const bytes = await page(Math.floor(at / PAGE_BYTES))
      const part = bytes.subarray(at % PAGE_BYTES, (at % PAGE_BYTES) + position + length - at)
      if (part.length === 0) throw shorter()
      parts.push(part)
      at += part.length
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  return { size: source.size, read }
}

function shorter(): SigningError {
  return new SigningError('signing/source-changed', 'the document is shorter than its size')
}

const NOTHING = Buffer.alloc(0)
// V8 lets 32 MiB of pieces become garbage, whatever their size; larger ones are fewer objects and reads
const PIECE_BYTES = 512 * 1024
const PAGE_BYTES = 64 * 1024
const PAGES = 16
