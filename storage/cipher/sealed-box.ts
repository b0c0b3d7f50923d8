/**
 * A small sealed secret: nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes), AES-256-GCM (NIST SP 800-38D).
 *
 * Layout: FORMAT.md, part "Keys". What a box is and whom it belongs to is bound by the additional data, so that a box moved
 * elsewhere does not open. Contents of files are not sealed here; see chunks.ts.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

import { StorageError } from '../errors.ts'
import type { Random } from '../world.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const BOX_OVERHEAD = NONCE_BYTES + TAG_BYTES

/** @param binding what the box is, e.g. `['segment-key', id]`; texts without NUL */
export function sealBox(key: Buffer, binding: readonly string[], plaintext: Buffer, random: Random): Buffer {
  const nonce = random(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(additionalData(binding))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** @throws StorageError `storage/key-damaged` altered, another key, or another binding */
export function openBox(key: Buffer, binding: readonly string[], box: Buffer): Buffer {
  if (box.length < BOX_OVERHEAD) throw damaged(binding)
  const end = box.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(additionalData(binding))
  decipher.setAuthTag(box.subarray(end))
  const plaintext = decipher.update(box.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
  } catch (error) {
    throw damaged(binding, error)
  }
  return plaintext
}

/** FORMAT.md, part "Keys": the words joined by NUL, after the name of the format. */
function additionalData(binding: readonly string[]): Buffer {
  return Buffer.from(['amtsbote/1', ...binding].join('\0'), 'utf8')
}

function damaged(binding: readonly string[], cause?: unknown): StorageError {
  return new StorageError('storage/key-damaged', `a sealed ${binding[0] ?? 'box'} does not open`, cause)
}
