/** Kinds of key pairs that this program makes, by the names that an administrator writes. */
import { generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

export const KEY_ALGORITHMS = [
  'rsa-3072',
  'rsa-4096',
  'p-256',
  'p-384',
  'p-521',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
] as const

export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

/** Makes a key pair off this thread. */
export async function makeKeyPair(algorithm: KeyAlgorithm): Promise<KeyObject> {
  if (algorithm === 'rsa-3072' || algorithm === 'rsa-4096') {
    return (await promisify(generateKeyPair)('rsa', { modulusLength: Number(algorithm.slice('rsa-'.length)) }))
      .privateKey
  }
  const namedCurve = algorithm.startsWith('p-') ? algorithm.toUpperCase() : algorithm
  return (await promisify(generateKeyPair)('ec', { namedCurve })).privateKey
}

/** Object identifiers of the curves (RFC 5480, RFC 5639). */
export const CURVE_OIDS: ReadonlyMap<KeyAlgorithm, string> = new Map([
  ['p-256', '1.2.840.10045.3.1.7'],
  ['p-384', '1.3.132.0.34'],
  ['p-521', '1.3.132.0.35'],
  ['brainpoolP256r1', '1.3.36.3.3.2.8.1.1.7'],
  ['brainpoolP384r1', '1.3.36.3.3.2.8.1.1.11'],
  ['brainpoolP512r1', '1.3.36.3.3.2.8.1.1.13'],
])
