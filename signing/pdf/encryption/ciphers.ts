/**
 * One string or stream, encrypted and decrypted (ISO 32000-2 §7.6.3, algorithms 1 and 1.A).
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto'
import { damaged } from '../values.ts'
import type { PdfReference } from '../values.ts'
import type { Cipher } from './dictionary.ts'
import { rc4 } from './rc4.ts'

/** The object that the data belong to. */
export type Place = Pick<PdfReference, 'number' | 'generation'>

/** @throws SigningError `signing/pdf-damaged` */
export function decrypt(cipher: Cipher, fileKey: Buffer, of: Place, data: Buffer): Buffer {
  if (cipher === 'none' || data.length === 0) return data // producers leave empty strings as they are
  const key = objectKey(cipher, fileKey, of)
  if (cipher === 'rc4') return rc4(key, data)
  try {
    const decipher = createDecipheriv(AES[cipher], key, data.subarray(0, 16))
    return Buffer.concat([decipher.update(data.subarray(16)), decipher.final()])
  } catch (cause) {
    throw damaged('encrypted data cannot be opened', cause)
  }
}

/** The same data at the same place gives the same bytes: the start vector is made from both and the key. */
export function encrypt(cipher: Cipher, fileKey: Buffer, of: Place, data: Buffer): Buffer {
  if (cipher === 'none') return data
  const key = objectKey(cipher, fileKey, of)
  if (cipher === 'rc4') return rc4(key, data)
  const start = createHmac('sha256', fileKey).update(placeOf(of)).update(data).digest().subarray(0, 16)
  const encipher = createCipheriv(AES[cipher], key, start)
  return Buffer.concat([start, encipher.update(data), encipher.final()])
}

/** RC4 and AES-128 have a key for each object, AES-256 takes the file's. */
function objectKey(cipher: Cipher, fileKey: Buffer, of: Place): Buffer {
  if (cipher === 'aes256') return fileKey
  const hash = createHash('md5').update(fileKey).update(placeOf(of))
  if (cipher === 'aes128') hash.update('sAlT')
  return hash.digest().subarray(0, Math.min(fileKey.length + 5, 16))
}

/** Low three bytes of the number, low two of the generation. */
function placeOf({ number, generation }: Place): Buffer {
  const place = Buffer.alloc(5)
  place.writeUIntLE(number % 2 ** 24, 0, 3)
  place.writeUIntLE(generation % 2 ** 16, 3, 2)
  return place
}

const AES = { aes128: 'aes-128-cbc', aes256: 'aes-256-cbc' } as const
