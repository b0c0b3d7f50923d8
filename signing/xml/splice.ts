/**
 * Puts text into an XML document without touching any other byte of it.
 */
import { SigningError } from '../errors.ts'
import { decodeText } from './characters.ts'
import type { XmlEncoding } from './characters.ts'
import type { XmlDocument, XmlElement } from './tree.ts'

/**
 * The document with `addition` as the last content of `element`. An empty-element tag is opened for it.
 *
 * @param addition ASCII, well-formed where it comes to stand
 * @throws SigningError `signing/xml-malformed` a UTF-16 document
 */
export function appendInto(bytes: Buffer, document: XmlDocument, element: XmlElement, addition: string): Buffer {
  const { encoding } = document
  if (encoding === 'utf-16') throw new SigningError('signing/xml-malformed', 'a UTF-16 document is not written to')
  const text = decodeText(bytes, encoding)
  const { contentEnd, end } = element.place
  const isEmptyTag = text[contentEnd] === '/'
  const name = element.prefix === '' ? element.local : `${element.prefix}:${element.local}`
  const inserted = isEmptyTag ? `>${addition}</${name}>` : addition
  const from = offsetOf(bytes, text, contentEnd, encoding)
  const to = isEmptyTag ? offsetOf(bytes, text, end, encoding) : from
  const middle = Buffer.from(inserted, encoding === 'utf-8' ? 'utf8' : 'latin1')
  return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)])
}

function offsetOf(bytes: Buffer, text: string, place: number, encoding: XmlEncoding): number {
  if (encoding !== 'utf-8') return place // one octet for each character
  // the byte order mark is not part of the text
  return bytes.length - Buffer.byteLength(text.slice(place), 'utf8')
}
