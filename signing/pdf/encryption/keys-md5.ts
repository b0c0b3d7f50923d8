/**
 * From password to file key, revisions 2 to 4 of the standard security handler (ISO 32000-2 §7.6.4.3.2, §7.6.4.4).
 *
 * MD5 and RC4 because the format says so.
 */
import { createHash } from 'node:crypto'
import type { EncryptionDictionary } from './dictionary.ts'
import { rc4 } from './rc4.ts'

/**
 * @param id first part of the trailer's /ID, empty when there is none
 * @returns the file key; null when the password is neither the user's nor the owner's
 */
export function openWithMd5(
  source: EncryptionDictionary,
  id: Buffer,
  password: Buffer,
): { key: Buffer; isOwner: boolean } | null {
  const asOwner = userKey(source, id, userPasswordOf(source, password))
  if (asOwner !== null) return { key: asOwner, isOwner: true }
  const asUser = userKey(source, id, password)
  return asUser === null ? null : { key: asUser, isOwner: false }
}

/** Algorithms 2 and 6. */
function userKey(source: EncryptionDictionary, id: Buffer, password: Buffer): Buffer | null {
  const { revision, keyBytes, owner, user } = source
  const permissions = Buffer.alloc(4)
  permissions.writeInt32LE(source.permissions)
  const metadata = revision >= 4 && !source.encryptMetadata ? Buffer.alloc(4, 0xff) : Buffer.alloc(0)
  let key = md5(padded(password), owner, permissions, id, metadata).subarray(0, keyBytes)
  if (revision >= 3) for (let round = 0; round < 50; round++) key = md5(key).subarray(0, keyBytes)
  if (revision === 2) return rc4(key, PADDING).equals(user) ? key : null
  let check = md5(PADDING, id)
  for (let round = 0; round <= 19; round++) check = rc4(xored(key, round), check)
  return check.equals(user.subarray(0, 16)) ? key : null
}

/** Algorithm 7: the owner password opens the user password. */
function userPasswordOf({ revision, keyBytes, owner }: EncryptionDictionary, password: Buffer): Buffer {
  let digest = md5(padded(password))
  if (revision === 2) return rc4(digest.subarray(0, keyBytes), owner)
  for (let round = 0; round < 50; round++) digest = md5(digest)
  const key = digest.subarray(0, keyBytes)
  let found = owner
  for (let round = 19; round >= 0; round--) found = rc4(xored(key, round), found)
  return found
}

function md5(...parts: Buffer[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest()
}

function xored(key: Buffer, value: number): Buffer {
  return Buffer.from(key.map((byte) => byte ^ value))
}

function padded(password: Buffer): Buffer {
  return Buffer.concat([password, PADDING]).subarray(0, 32)
}

/** Algorithm 2, step a */
const PADDING = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex')
