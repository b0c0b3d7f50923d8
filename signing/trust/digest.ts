/**
 * Running digests by the names of node:crypto, SHAKE256 with the length that Ed448 demands (RFC 8419 §2.3, RFC 8702 §2).
 */
import { createHash } from 'node:crypto'
import type { Hash, HashOptions } from 'node:crypto'

export function createDigest(name: string): Hash {
  return createHash(name, lengthOf(name))
}

/** The digest as it is now, to go on two ways; the library forgets the length otherwise. */
export function copyDigest(running: Hash, name: string): Hash {
  return running.copy(lengthOf(name))
}

/** bytes; of the others there is only one length */
const lengthOf = (name: string): HashOptions | undefined => (name === 'shake256' ? { outputLength: 64 } : undefined)
