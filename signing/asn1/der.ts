/**
 * DER writing and strict bounded reading (ITU-T X.690 §10), as much as certificates, CMS and key files need.
 *
 * Knows tags and lengths, not meanings. Reading refuses indefinite lengths, overlong lengths and trailing bytes.
 */
import { SigningError } from '../errors.ts'

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One element: tag, length, content. */
export function encode(tag: number, ...content: Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...content])
}

export const sequence = (...content: Buffer[]): Buffer => encode(TAG.sequence, ...content)
export const octetString = (bytes: Buffer): Buffer => encode(TAG.octetString, bytes)
export const bitString = (bytes: Buffer, unusedBits = 0): Buffer =>
  encode(TAG.bitString, Buffer.from([unusedBits]), bytes)
export const utf8String = (text: string): Buffer => encode(TAG.utf8String, Buffer.from(text, 'utf8'))
export const derNull = (): Buffer => encode(TAG.null, Buffer.alloc(0))
export const derTrue = (): Buffer => encode(TAG.boolean, Buffer.from([0xff]))

/** SET OF: X.690 §11.6, the encodings in ascending order. */
export function setOf(...content: Buffer[]): Buffer {
  return encode(TAG.set, ...[...content].sort((a, b) => Buffer.compare(a, b)))
}

/** A non-negative integer from its big-endian bytes. */
export function unsignedInteger(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0)
  return encode(TAG.integer, sign, digits.length === 0 ? Buffer.from([0]) : digits)
}

/** A small non-negative integer. */
export function integer(value: number): Buffer {
  const hex = value.toString(16)
  return unsignedInteger(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
}

/** Dotted text to OBJECT IDENTIFIER; arcs may exceed 64 bits (UUID arcs below 2.25). */
export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  return encode(TAG.oid, Buffer.from([first * 40n + second, ...rest].flatMap(base128)))
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '')
  return at.getUTCFullYear() < 2050
    ? encode(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : encode(TAG.generalizedTime, Buffer.from(digits, 'latin1'))
}

/** One parsed element. `encoding` is the whole of it, `content` what is inside. Both are views, not copies. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
  readonly encoding: Buffer
}

/** The single element that fills `bytes` to the last one. */
export function decode(bytes: Buffer): Element {
  const element = decodeAt(bytes, 0)
  if (element.encoding.length !== bytes.length) throw damaged('bytes follow the end of the structure')
  return element
}

/** The element at the start of `bytes`; whatever follows it is not looked at. */
export function decodeFirst(bytes: Buffer): Element {
  return decodeAt(bytes, 0)
}

/** The elements inside a constructed one. At most `MAX_CHILDREN`. */
export function children(parent: Element): Element[] {
  const found: Element[] = []
  for (let at = 0; at < parent.content.length;) {
    const child = decodeAt(parent.content, at)
    found.push(child)
    if (found.length > MAX_CHILDREN) throw damaged('too many elements in one structure')
    at += child.encoding.length
  }
  return found
}

/** The elements inside `parent`, which must have this tag. */
export function childrenOf(parent: Element | undefined, tag: number): Element[] {
  return children(expect(parent, tag))
}

/** `element` if it is there and has this tag. */
export function expect(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw damaged(`expected tag 0x${tag.toString(16)}`)
  return element
}

/** OBJECT IDENTIFIER to dotted text. */
export function readOid(element: Element | undefined): string {
  const { content } = expect(element, TAG.oid)
  if (content.length === 0 || content.length > 64 || (content.at(-1) ?? 0x80) >= 0x80)
    throw damaged('bad object identifier')
  const arcs: bigint[] = []
  let arc = 0n
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0n
  }
  const first = arcs[0] ?? 0n
  const top = first < 80n ? first / 40n : 2n
  return [top, first - top * 40n, ...arcs.slice(1)].join('.')
}

/** UTCTime or GeneralizedTime in the only form that RFC 5280 §4.1.2.5 allows: seconds, and Z. */
export function readTime(element: Element | undefined): Date {
  const text = element?.content.toString('latin1') ?? ''
  const full = element?.tag === TAG.utcTime ? (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text : text
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)
  const at = match === null ? NaN : Date.parse(full.replace(TIME, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(at)) throw damaged('bad time')
  return new Date(at)
}

function decodeAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw damaged('the structure is cut off')
  if ((tag & 0x1f) === 0x1f) throw damaged('multi-byte tags are not used here')
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthBytes > 4) throw damaged('bad length')
  const length = lengthBytes === 0 ? first : readLength(bytes, at + 2, lengthBytes)
  const start = at + 2 + lengthBytes
  if (start + length > bytes.length) throw damaged('the structure is cut off')
  return { tag, content: bytes.subarray(start, start + length), encoding: bytes.subarray(at, start + length) }
}

function readLength(bytes: Buffer, at: number, count: number): number {
  if (at + count > bytes.length) throw damaged('the structure is cut off')
  const length = bytes.readUIntBE(at, count)
  if (length < 0x80 || length < 256 ** (count - 1)) throw damaged('length is not in its shortest form')
  return length
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

function base128(arc: bigint): number[] {
  const groups = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) groups.unshift(Number(rest & 0x7fn) | 0x80)
  return groups
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const MAX_CHILDREN = 10_000
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
