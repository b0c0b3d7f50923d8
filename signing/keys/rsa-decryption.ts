/**
 * A DecryptionKey over an RSA KeyObject (XML Encryption 1.1 §5.5: RSA-OAEP; RSAES-PKCS1-v1_5 for old partners).
 */
import { constants, createHash, createHmac, privateDecrypt, webcrypto } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { DecryptionKey, KeyTransport } from './decryption-key.ts'

/** `certificate`: DER; it must belong to `key`. */
export function rsaDecryptionKey(key: KeyObject, certificate: Buffer): DecryptionKey {
  const opened = new Map<string, Promise<webcrypto.CryptoKey>>()
  const wrappedBytes = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)

  /** Web cryptography works off this thread; there a key is bound to its hash. */
  function keyFor(hash: string): Promise<webcrypto.CryptoKey> {
    const known = opened.get(hash)
    if (known !== undefined) return known
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
    const algorithm = { name: 'RSA-OAEP', hash }
    const imported = webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt'])
    opened.set(hash, imported)
    return imported
  }

  async function unwrap(wrapped: Buffer, transport: KeyTransport): Promise<Buffer> {
    if (wrapped.length !== wrappedBytes) throw failed()
    if (transport.kind === 'rsa-1_5') return unwrapVersion15(key, wrapped, transport.keyBytes)
    try {
      const cryptoKey = await keyFor(OAEP_HASHES[transport.hash])
      return Buffer.from(await webcrypto.subtle.decrypt({ name: 'RSA-OAEP' }, cryptoKey, wrapped))
    } catch (cause) {
      throw failed(cause)
    }
  }

  return { certificate, unwrap }
}

/**
 * RFC 8017 §7.2.2 without an oracle: whether the padding is right must show neither in an error nor in the time.
 * On wrong padding the answer is a key derived from the private key and the ciphertext, always the same for the same
 * ciphertext, so that the content simply fails to open later.
 */
function unwrapVersion15(key: KeyObject, wrapped: Buffer, keyBytes: number): Buffer {
  const message = rawDecrypt(key, wrapped)
  const keyStart = message.length - keyBytes
  if (keyBytes < 8 || keyBytes > 64 || keyStart < 11) throw failed()
  let wrong = (message[0] ?? 1) | ((message[1] ?? 0) ^ 2) | (message[keyStart - 1] ?? 1)
  for (let at = 2; at < keyStart - 1; at++) wrong |= ((message[at] ?? 0) - 1) >>> 31
  const mask = ((wrong | -wrong) >> 31) & 0xff
  const secret = createHash('sha256')
    .update(key.export({ type: 'pkcs8', format: 'der' }))
    .digest()
  const substitute = createHmac('sha512', secret).update('rsa-1_5 rejection').update(wrapped).digest()
  const result = Buffer.alloc(keyBytes)
  for (let at = 0; at < keyBytes; at++) {
    result[at] = ((message[keyStart + at] ?? 0) & ~mask) | ((substitute[at] ?? 0) & mask)
  }
  message.fill(0)
  return result
}

/** Node refuses PKCS#1 v1.5 decryption itself (CVE-2023-46809); the bare operation is allowed. */
function rawDecrypt(key: KeyObject, wrapped: Buffer): Buffer {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped)
  } catch (cause) {
    throw failed(cause)
  }
}

function failed(cause?: unknown): SigningError {
  return new SigningError('signing/unwrap-failed', 'the wrapped key cannot be opened', { cause })
}

const OAEP_HASHES = { sha1: 'SHA-1', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const
