/**
 * From password to file key, revisions 5 and 6 of the standard security handler (ISO 32000-2 §7.6.4.3.3, §7.6.4.4.10).
 */
import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import type { EncryptionDictionary } from './dictionary.ts'

/**
 * Algorithm 2.A.
 *
 * @returns the file key; null when the password is neither the user's nor the owner's
 */
export function openWithSha2(source: EncryptionDictionary, password: Buffer): { key: Buffer; isOwner: boolean } | null {
  const secret = password.subarray(0, 127)
  const { owner, user, ownerKey, userKey } = source
  const hash = source.revision === 5 ? plainHash : hardenedHash
  const opens = (entry: Buffer, extra: Buffer): boolean =>
    timingSafeEqual(hash(secret, entry.subarray(32, 40), extra), entry.subarray(0, 32))
  const key = (entry: Buffer, extra: Buffer, sealed: Buffer): Buffer => {
    const cipher = createDecipheriv('aes-256-cbc', hash(secret, entry.subarray(40, 48), extra), Buffer.alloc(16))
    return cipher.setAutoPadding(false).update(sealed)
  }
  if (opens(owner, user)) return { key: key(owner, user, ownerKey), isOwner: true }
  const none = Buffer.alloc(0)
  return opens(user, none) ? { key: key(user, none, userKey), isOwner: false } : null
}

/** Algorithm 13: does /Perms, which only the key could make, say the same as /P and /EncryptMetadata? */
export function permissionsAreGenuine(source: EncryptionDictionary, key: Buffer): boolean {
  const cipher = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const plain = cipher.update(source.sealedPermissions)
  const metadata = source.encryptMetadata ? 'T' : 'F'
  return plain.readInt32LE(0) === source.permissions && plain.toString('latin1', 8, 12) === `${metadata}adb`
}

function plainHash(password: Buffer, salt: Buffer, extra: Buffer): Buffer {
  return createHash('sha256').update(password).update(salt).update(extra).digest()
}

/** Algorithm 2.B: 64 rounds and then some, whose number depends on what comes out. */
function hardenedHash(password: Buffer, salt: Buffer, extra: Buffer): Buffer {
  let key = plainHash(password, salt, extra)
  for (let round = 0, last = 0; round < 64 || last > round - 32; round++) {
    const block = Buffer.concat([password, key, extra])
    const cipher = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16, 32)).setAutoPadding(false)
    const encrypted = cipher.update(Buffer.concat(Array.from({ length: 64 }, () => block)))
    // 256 = 1 (mod 3): the remainder of the 16-byte number is that of the sum of its bytes
    const remainder = encrypted.subarray(0, 16).reduce((sum, byte) => sum + byte, 0) % 3
    key = createHash(['sha256', 'sha384', 'sha512'][remainder] ?? 'sha256')
      .update(encrypted)
      .digest()
    last = encrypted[encrypted.length - 1] ?? 0
  }
  return key.subarray(0, 32)
}
