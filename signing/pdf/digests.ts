/**
 * Digests of long documents: read in pieces, and what lies before an update only once for each algorithm.
 */
import type { Hash } from 'node:crypto'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { copyDigest, createDigest } from '../trust/digest.ts'

/** What a signature covers: all but its hole, from the start to `end`. Offsets in bytes. */
export interface Ranges {
  gapStart: number
  gapEnd: number
  end: number
}

/** A document whose bytes were hashed already, up to where updates begin. */
export interface HashedDocument {
  readonly source: RandomAccess
  /** The state after its last byte; a copy, free to go on with. */
  hash(algorithm: string): Promise<Hash>
}

export function hashedDocument(source: RandomAccess): HashedDocument {
  const known = new Map<string, Promise<Hash>>()
  return {
    source,
    async hash(algorithm) {
      const state = known.get(algorithm) ?? hashFrom(createDigest(algorithm), source)
      known.set(algorithm, state)
      return copyDigest(await state, algorithm)
    },
  }
}

/** @param original the part before all updates, where it is known; it is not read again */
export async function digestRanges(
  source: RandomAccess,
  { gapStart, gapEnd, end }: Ranges,
  algorithm: string,
  original?: HashedDocument,
): Promise<Buffer> {
  const known = original !== undefined && original.source.size <= gapStart ? original : null
  const start = known === null ? createDigest(algorithm) : await known.hash(algorithm)
  const before = await hashFrom(start, source, known?.source.size ?? 0, gapStart)
  return (await hashFrom(before, source, gapEnd, end)).digest()
}

/** The hash with these bytes taken in. */
export async function hashFrom(hash: Hash, source: RandomAccess, from = 0, to = source.size): Promise<Hash> {
  for await (const bytes of piecesOf(source, from, to)) hash.update(bytes)
  return hash
}
