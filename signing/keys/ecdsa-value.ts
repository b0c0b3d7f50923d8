/**
 * The two forms of an ECDSA value: SEQUENCE { r, s } in DER, as certificates, CMS and PDF carry it (RFC 3279 §2.2.3), and
 * r‖s, both as long as the field, as XML signatures (RFC 9231 §2.3.6) carry it and as tokens give it (PKCS#11 §2.3.1).
 */
import { TAG, childrenOf, decode, expect, integer, sequence } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'

/**
 * r‖s to DER. Into one Buffer, octet by octet: beside a quick token, a dozen small Buffers for each value would count.
 *
 * @throws SigningError `signing/signature-failed` an odd or impossible length
 */
export function toDerValue(plain: Buffer): Buffer {
  const half = plain.length / 2
  if (!Number.isInteger(half) || half === 0 || half > MAX_FIELD_BYTES) throw bad('r and s are not of one length')
  const der = Buffer.allocUnsafe(MAX_HEADER + 2 * (MAX_HEADER + MAX_FIELD_BYTES))
  const middle = writeInteger(der, MAX_HEADER, plain.subarray(0, half))
  const end = writeInteger(der, middle, plain.subarray(half))
  const length = end - MAX_HEADER
  const start = length < 0x80 ? 1 : 0
  der[start] = TAG.sequence
  if (start === 0) der[1] = 0x81 // one octet of length follows
  der[2] = length
  return der.subarray(start, end)
}

/** @returns where it ends */
function writeInteger(der: Buffer, at: number, bytes: Buffer): number {
  let zeros = 0
  while (zeros < bytes.length - 1 && bytes[zeros] === 0) zeros++
  const sign = (bytes[zeros] ?? 0) >= 0x80 ? 1 : 0
  const length = sign + bytes.length - zeros
  der[at] = TAG.integer
  der[at + 1] = length
  der[at + 2] = 0
  bytes.copy(der, at + 2 + sign, zeros)
  return at + 2 + length
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
/** tag and length of a SEQUENCE of two numbers; tag, length and sign of a number */
const MAX_HEADER = 3
