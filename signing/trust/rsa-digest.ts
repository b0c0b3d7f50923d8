/**
 * RSA signature values over a digest that is already there (RFC 8017 §8.1.2, §8.2.2, §9.1.2, §9.2).
 *
 * The library verifies over whole messages only, and PSS only with one digest for message and mask. The RSA operation
 * stays with the library; the padding is compared here. Public values only, so nothing needs constant time.
 */
import { constants, createHash, createPublicKey, publicDecrypt } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG, childrenOf, decode, derNull, encode, expect, octetString, oid, sequence } from '../asn1/der.ts'
import { digestOid } from './algorithm-identifier.ts'
import type { Digest, PssParameters } from './algorithm-identifier.ts'

/** RSASSA-PKCS1-v1_5 over `digest`; DigestInfo with and without NULL are both in use. */
export function verifyPkcs1Digest(name: Digest, key: KeyObject, digest: Buffer, value: Buffer): boolean {
  const length = modulusBytes(key)
  if (value.length !== length || digest.length !== digestLength(name)) return false
  const block = rawRsa(key, value)
  const id = oid(digestOid(name))
  return [sequence(id, derNull()), sequence(id)].some((algorithm) => {
    const info = sequence(algorithm, octetString(digest))
    const fill = length - info.length - 3
    return (
      fill >= 8 && block.equals(Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(fill, 0xff), Buffer.from([0]), info]))
    )
  })
}

/** RSASSA-PSS over `digest`, with its own digest for the mask. */
export function verifyPssDigest(pss: PssParameters, key: KeyObject, digest: Buffer, value: Buffer): boolean {
  const bits = (key.asymmetricKeyDetails?.modulusLength ?? 0) - 1
  const length = Math.ceil(bits / 8)
  const hashLength = digestLength(pss.digest)
  if (digest.length !== hashLength || value.length !== modulusBytes(key)) return false
  if (length < hashLength + pss.saltLength + 2) return false
  const block = rawRsa(key, value).subarray(-length)
  if (block.at(-1) !== 0xbc) return false
  const masked = block.subarray(0, length - hashLength - 1)
  const expected = block.subarray(masked.length, -1)
  const mask = mgf1(pss.maskDigest, expected, masked.length)
  const data = Buffer.from(masked.map((byte, index) => byte ^ (mask[index] ?? 0)))
  // RFC 8017 §9.1.2 steps 6 and 9: the bits beyond the modulus are zero before and are cleared after the mask
  const top = 0xff >> (8 * length - bits)
  if (((masked[0] ?? 0) & ~top & 0xff) !== 0) return false
  data[0] = (data[0] ?? 0) & top
  const separator = data.length - pss.saltLength - 1
  if (data.subarray(0, separator).some((byte) => byte !== 0) || data[separator] !== 1) return false
  const salt = data.subarray(separator + 1)
  return createHash(pss.digest).update(Buffer.alloc(8)).update(digest).update(salt).digest().equals(expected)
}

function mgf1(name: Digest, seed: Buffer, length: number): Buffer {
  const parts: Buffer[] = []
  for (let counter = 0, have = 0; have < length; counter++) {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(counter)
    const part = createHash(name).update(seed).update(number).digest()
    parts.push(part)
    have += part.length
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** The RSA operation alone. A key marked for PSS only does the same arithmetic as any other. */
function rawRsa(key: KeyObject, value: Buffer): Buffer {
  const usable = key.asymmetricKeyType === 'rsa-pss' ? asPlainRsa(key) : key
  return publicDecrypt({ key: usable, padding: constants.RSA_NO_PADDING }, value)
}

function asPlainRsa(key: KeyObject): KeyObject {
  const der = key.export({ format: 'der', type: 'spki' })
  // SubjectPublicKeyInfo ends with the BIT STRING of the key, whatever parameters stand before it
  const bits = splitSpki(der)
  const spki = sequence(sequence(oid('1.2.840.113549.1.1.1'), derNull()), encode(TAG.bitString, bits))
  return createPublicKey({ key: spki, format: 'der', type: 'spki' })
}

const splitSpki = (der: Buffer): Buffer => expect(childrenOf(decode(der), TAG.sequence)[1], TAG.bitString).content

const modulusBytes = (key: KeyObject): number => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)

const digestLength = (name: Digest): number => createHash(name).digest().length
