/**
 * Digests over what signatures cover: everything up to their end but the hole (ISO 32000-2 §12.8.1).
 *
 * However many signatures a document has, its bytes are read once for each digest algorithm: the running digest is
 * copied where a hole begins.
 */
import type { Hash } from 'node:crypto'
import { SigningError } from '../../errors.ts'
import type { RandomAccess } from '../../random-access.ts'
import type { Digest } from '../../trust/algorithm-identifier.ts'
import { copyDigest, createDigest } from '../../trust/digest.ts'

/** The hole, `<` and `>` included, and where the covered part ends. */
export interface SignedRange {
  gapStart: number
  gapEnd: number
  end: number
}

export type RangeDigests = (range: SignedRange, digest: Digest) => Promise<Buffer>

/** @param ranges all that will be asked for; their parts behind the holes should not overlap much */
export function createRangeDigests(source: RandomAccess, ranges: readonly SignedRange[]): RangeDigests {
  const done = new Map<Digest, Promise<Map<SignedRange, Buffer>>>()
  return async (range, digest) => {
    const all = done.get(digest) ?? digestAll(source, ranges, digest)
    done.set(digest, all)
    const value = (await all).get(range)
    if (value === undefined) throw new RangeError('this range was not announced')
    return value
  }
}

async function digestAll(
  source: RandomAccess,
  ranges: readonly SignedRange[],
  digest: Digest,
): Promise<Map<SignedRange, Buffer>> {
  const waiting = [...ranges].sort((a, b) => b.gapStart - a.gapStart)
  const running = createDigest(digest)
  const branches = new Map<SignedRange, Hash>()
  const results = new Map<SignedRange, Buffer>()
  for (let at = 0; waiting.length > 0 || branches.size > 0;) {
    const length = Math.min(READ_BYTES, source.size - at, (waiting.at(-1)?.gapStart ?? Infinity) - at)
    const bytes = await source.read(at, length)
    if (bytes.length < length) throw new SigningError('signing/source-changed', 'the document is shorter than its size')
    if (waiting.length > 0) running.update(bytes)
    for (const [range, hash] of branches) {
      hash.update(bytes.subarray(Math.max(0, range.gapEnd - at), Math.max(0, range.end - at)))
      if (range.end > at + length) continue
      results.set(range, hash.digest())
      branches.delete(range)
    }
    at += length
    for (let next = waiting.at(-1); next?.gapStart === at; next = waiting.at(-1)) {
      branches.set(next, copyDigest(running, digest))
      waiting.pop()
    }
  }
  return results
}

const READ_BYTES = 256 * 1024
