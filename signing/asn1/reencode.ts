/**
 * BER brought into DER (ITU-T X.690 §10, §11), as far as that can be done without knowing the type: definite and shortest
 * lengths, strings in one piece, sets in order, TRUE as 0xff.
 *
 * For signed attributes, whose digest is over their DER, whatever form they were sent in (RFC 5652 §5.4).
 */
import { berChildren, berOctets, readBer } from './ber.ts'
import { TAG, encode, setOf } from './der.ts'
import type { Element } from './der.ts'
import { SigningError } from '../errors.ts'

/**
 * The DER of the element that fills `bytes`; what already is DER comes back as it is.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function toDer(bytes: Buffer): Buffer {
  return rewrite(readBer(bytes), 0)
}

function rewrite(element: Element, depth: number): Buffer {
  const { tag, content } = element
  if (depth > MAX_DEPTH) throw new SigningError('signing/asn1-damaged', 'the structure is too deep')
  if (tag === TAG.boolean) return encode(tag, Buffer.from([content.some((byte) => byte !== 0) ? 0xff : 0]))
  if ((tag & CONSTRUCTED) === 0) return encode(tag, content)
  // a universal string in pieces; a BIT STRING counts its unused bits in every piece and is left alone
  if (tag === (TAG.octetString | CONSTRUCTED)) return encode(TAG.octetString, berOctets(element))
  const children = berChildren(element, tag).map((child) => rewrite(child, depth + 1))
  return tag === TAG.set ? setOf(...children) : encode(tag, ...children)
}

const CONSTRUCTED = 0x20
const MAX_DEPTH = 32
