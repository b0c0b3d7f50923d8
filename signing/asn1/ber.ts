/**
 * Bounded BER reading (ITU-T X.690 §8): what others wrote may have indefinite lengths and strings in pieces.
 *
 * Every element keeps its own bytes, because signatures and digests are over them. What we write is DER (der.ts).
 */
import { SigningError } from '../errors.ts'
import type { Element } from './der.ts'

/** The element at the start of `bytes`, indefinite lengths allowed; `content` is without the end mark. */
export function readBer(bytes: Buffer): Element {
  const steps = { left: MAX_ELEMENTS }
  return elementAt(bytes, 0, 0, steps)
}

/** The elements inside a constructed one, in order. At most 100,000. */
export function berChildren(parent: Element | undefined, tag: number): Element[] {
  if (parent?.tag !== tag) throw damaged(`expected tag 0x${tag.toString(16)}`)
  const steps = { left: MAX_ELEMENTS }
  const found: Element[] = []
  for (let at = 0; at < parent.content.length;) {
    const child = elementAt(parent.content, at, 0, steps)
    found.push(child)
    at += child.encoding.length
  }
  return found
}

/** The octets of an OCTET STRING, or of one that comes in pieces (§8.7): joined once, however deep the pieces lie. */
export function berOctets(element: Element | undefined): Buffer {
  if (element?.tag === OCTETS) return element.content
  const pieces: Buffer[] = []
  addPieces(element, 0, pieces)
  return Buffer.concat(pieces)
}

function addPieces(element: Element | undefined, depth: number, pieces: Buffer[]): void {
  if (depth > MAX_DEPTH || pieces.length > MAX_ELEMENTS) throw damaged('expected an octet string')
  if (element?.tag === OCTETS) pieces.push(element.content)
  else for (const piece of berChildren(element, OCTETS | CONSTRUCTED)) addPieces(piece, depth + 1, pieces)
}

function elementAt(bytes: Buffer, at: number, depth: number, steps: { left: number }): Element {
  if (--steps.left < 0 || depth > MAX_DEPTH) throw damaged('the structure is too large or too deep')
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) throw damaged('the structure is cut off')
  if ((tag & 0x1f) === 0x1f) throw damaged('multi-byte tags are not used here')
  if (first === 0x80) return indefinite(bytes, at, depth, steps)
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) throw damaged('bad length')
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
  const start = at + 2 + lengthBytes
  if (start + length > bytes.length) throw damaged('the structure is cut off')
  return { tag, content: bytes.subarray(start, start + length), encoding: bytes.subarray(at, start + length) }
}

/** §8.1.3.6: the length is where two zero bytes stand instead of an element. */
function indefinite(bytes: Buffer, at: number, depth: number, steps: { left: number }): Element {
  const tag = bytes[at] ?? 0
  if ((tag & CONSTRUCTED) === 0) throw damaged('bad length')
  let end = at + 2
  while (bytes[end] !== 0 || bytes[end + 1] !== 0) end += elementAt(bytes, end, depth + 1, steps).encoding.length
  return { tag, content: bytes.subarray(at + 2, end), encoding: bytes.subarray(at, end + 2) }
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const OCTETS = 0x04
const CONSTRUCTED = 0x20
const MAX_DEPTH = 32
const MAX_ELEMENTS = 100_000
