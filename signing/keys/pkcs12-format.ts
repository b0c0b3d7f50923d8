/**
 * What reading and writing a PKCS#12 file share: object identifiers and the MAC over the whole (RFC 7292).
 */
import { createHmac, hash as hashOnce } from 'node:crypto'

export const PKCS12 = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const

/** Hashes of the MAC and of its key derivation: name and block length in bytes (RFC 7292 appendix B.2, `v`). */
export interface MacHash {
  name: string
  blockBytes: number
}

export interface MacParameters {
  hash: MacHash
  salt: Buffer
  iterations: number
}

/**
 * The password-based MAC of a key file (RFC 7292 §5.1 step 3). Blocks for about a microsecond an iteration.
 *
 * The key is as long as one hash, so the first block of the derivation (appendix B.2, purpose 3) is all of it.
 */
export function pkcs12Mac(content: Buffer, passphrase: string, { hash, salt, iterations }: MacParameters): Buffer {
  // appendix B.1: the passphrase as a BMPString with two closing zero bytes
  const password = Buffer.from(`${passphrase}\0`, 'utf16le').swap16()
  const purpose = Buffer.alloc(hash.blockBytes, 3)
  const start = Buffer.concat([purpose, stretch(salt, hash.blockBytes), stretch(password, hash.blockBytes)])
  const key = hashOnce(hash.name, start, 'buffer')
  // as short texts into one buffer: a buffer a round would be 10 MiB of garbage, and take twice the time
  for (let round = 1; round < iterations; round++) key.write(hashOnce(hash.name, key, 'binary'), 'binary')
  return createHmac(hash.name, key).update(content).digest()
}

/** Repeats `bytes` to the next multiple of the block length. */
function stretch(bytes: Buffer, blockBytes: number): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / blockBytes) * blockBytes, bytes)
}
