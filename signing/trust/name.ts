/**
 * Distinguished names and how they are compared (RFC 5280 §4.1.2.4 and §7.1).
 *
 * Two names are the same when their text is, whatever string type, case or white space they were written with: CAs
 * change PrintableString to UTF8String in the middle of their life.
 */
import { TAG, children, childrenOf, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'

export interface Name {
  /** the whole encoding, as transmitted */
  readonly der: Buffer
  /** equal for equal names; not for display */
  readonly key: string
  /** one comparison key per relative name, from the top of the directory down */
  readonly relativeNames: readonly string[]
  readonly attributes: readonly NameAttribute[]
}

export interface NameAttribute {
  /** object identifier of the attribute */
  readonly type: string
  /** text; hexadecimal for values that are no text */
  readonly value: string
}

/**
 * Reads a Name.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function parseName(element: Element | undefined): Name {
  const parts = childrenOf(element, TAG.sequence)
  if (element === undefined || parts.length > MAX_RELATIVE_NAMES)
    throw new SigningError('signing/asn1-damaged', 'a name has too many parts')
  const attributes: NameAttribute[] = []
  const relativeNames = parts.map((part) => relativeName(part, attributes))
  return { der: element.encoding, key: JSON.stringify(relativeNames), relativeNames, attributes }
}

/** The same name after RFC 5280 §7.1. */
export function sameName(a: Name, b: Name): boolean {
  return a.key === b.key
}

/** Does `name` lie in the subtree below `base`? Every name lies below the empty one. */
export function isWithin(name: Name, base: Name): boolean {
  return base.relativeNames.every((part, index) => part === name.relativeNames[index])
}

/** A name one relative name longer: how a distribution point names itself below its CRL issuer (§4.2.1.13). */
export function extendName(name: Name, relative: Element): Name {
  const attributes = [...name.attributes]
  const relativeNames = [...name.relativeNames, relativeName(relative, attributes)]
  return { der: name.der, key: JSON.stringify(relativeNames), relativeNames, attributes }
}

function relativeName(part: Element, attributes: NameAttribute[]): string {
  const keys: string[] = []
  for (const pair of children(part)) {
    const [type, value] = childrenOf(pair, TAG.sequence)
    const id = readOid(type)
    if (value === undefined) throw new SigningError('signing/asn1-damaged', 'an attribute of a name has no value')
    const text = readText(value)
    attributes.push({ type: id, value: text ?? value.content.toString('hex') })
    keys.push(text === null ? `${id}#${value.encoding.toString('hex')}` : `${id}=${prepare(text)}`)
  }
  return JSON.stringify(keys.sort())
}

/** The text of a DirectoryString, IA5String or the like; null for every other type. */
export function readText(value: Element): string | null {
  switch (value.tag) {
    case TAG.utf8String:
      return value.content.toString('utf8')
    case STRING.bmp:
      return value.content.length % 2 === 0 ? Buffer.from(value.content).swap16().toString('utf16le') : null
    case STRING.universal:
      return readUniversal(value.content)
    case STRING.numeric:
    case STRING.printable:
    case STRING.teletex:
    case STRING.ia5:
    case STRING.visible:
      return value.content.toString('latin1')
    default:
      return null
  }
}

/** RFC 4518, as far as names of certificates need it: compatible characters, case and spaces. */
function prepare(text: string): string {
  const folded = PLAIN.test(text) ? text : text.normalize('NFKC')
  return folded.toLowerCase().replace(/\s+/g, ' ').trim()
}

function readUniversal(content: Buffer): string | null {
  if (content.length % 4 !== 0 || content.length > 4096) return null
  let text = ''
  for (let at = 0; at < content.length; at += 4) {
    const point = content.readUInt32BE(at)
    if (point > 0x10ffff) return null
    text += String.fromCodePoint(point)
  }
  return text
}

const STRING = { numeric: 0x12, printable: 0x13, teletex: 0x14, ia5: 0x16, visible: 0x1a, universal: 0x1c, bmp: 0x1e }
const PLAIN = /^[\x20-\x7e]*$/
const MAX_RELATIVE_NAMES = 100
