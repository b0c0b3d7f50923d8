/**
 * The two forms of an ECDSA value: SEQUENCE { r, s } in DER, as certificates, CMS and PDF carry it (RFC 3279 §2.2.3), and
 * r‖s, both as long as the field, as XML signatures (RFC 9231 §2.3.6) carry it and as tokens give it (PKCS#11 §2.3.1).
 */
import { TAG, childrenOf, decode, expect, integer, sequence, unsignedInteger } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'

/** r‖s to DER. @throws SigningError `signing/signature-failed` an odd or impossible length */
export function toDerValue(plain: Buffer): Buffer {
  const half = plain.length / 2
  if (!Number.isInteger(half) || half === 0 || half > MAX_FIELD_BYTES) throw bad('r and s are not of one length')
  return sequence(unsignedInteger(plain.subarray(0, half)), unsignedInteger(plain.subarray(half)))
}

/**
 * DER to r‖s.
 *
 * @param fieldBytes size of the curve's field in bytes, the length of either half
 * @throws SigningError `signing/asn1-damaged`, or `signing/signature-failed` for a number that does not fit the field
 */
export function toPlainValue(der: Buffer, fieldBytes: number): Buffer {
  const [r, s, ...more] = childrenOf(decode(der), TAG.sequence)
  if (more.length > 0) throw bad('more than two numbers')
  return Buffer.concat([r, s].map((number) => padded(expect(number, TAG.integer).content, fieldBytes)))
}

/** Longest DER of a value over a field of so many bits. */
export function derValueBytes(fieldBits: number): number {
  const longest = integer(0).length - 1 + Math.floor(fieldBits / 8) + 1
  return sequence(Buffer.alloc(2 * longest)).length
}

function padded(content: Buffer, length: number): Buffer {
  const digits = content[0] === 0 ? content.subarray(1) : content
  if (digits.length > length) throw bad('a number is larger than the field')
  return Buffer.concat([Buffer.alloc(length - digits.length), digits])
}

function bad(message: string): SigningError {
  return new SigningError('signing/signature-failed', `this is no ECDSA value: ${message}`)
}

/** P-521 */
const MAX_FIELD_BYTES = 66
