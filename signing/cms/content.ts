/**
 * The content that a SignedData is over: from inside, or from a document beside it that is read in pieces.
 */
import type { Hash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import { bufferAccess, piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import { createDigest } from '../trust/digest.ts'
import type { SignedDataParts } from './container.ts'

/**
 * The content to be hashed: from inside, or the one given.
 *
 * @throws SigningError `signing/signature-broken` the content is neither inside nor given
 */
export function contentOf({ content: inside }: SignedDataParts, content: RandomAccess | null): RandomAccess {
  if (inside !== null) return bufferAccess(inside)
  if (content === null) throw new SigningError('signing/signature-broken', 'the signed content is missing')
  return content
}

/** Digests of a content by any algorithm; each is computed once. */
export function contentDigests(content: RandomAccess): (digest: string) => Promise<Buffer> {
  const known = new Map<string, Promise<Buffer>>()
  return (digest) => {
    const result = known.get(digest) ?? digestSource(content, digest)
    known.set(digest, result)
    return result
  }
}

/** Reads the content once, in pieces. */
export async function digestSource(source: RandomAccess, digest: string): Promise<Buffer> {
  const hash = createDigest(digest)
  await hashSource(source, hash)
  return hash.digest()
}

/** @throws SigningError `signing/source-changed` the source is shorter than it says */
export async function hashSource(source: RandomAccess, hash: Hash): Promise<void> {
  for await (const bytes of piecesOf(source)) hash.update(bytes)
}
