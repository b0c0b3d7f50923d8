/**
 * From octets to characters: encodings, forbidden characters, references (XML 1.0 §2.2, §2.11, §4.1, §4.3.3).
 */
import { SigningError } from '../errors.ts'

export type XmlEncoding = 'utf-8' | 'utf-16' | OctetEncoding

/** one octet for each character, ASCII below 128 */
const OCTET_ENCODINGS = ['iso-8859-1', 'iso-8859-2', 'iso-8859-15', 'windows-1250', 'windows-1252'] as const
export type OctetEncoding = (typeof OCTET_ENCODINGS)[number]

// eslint-disable-next-line no-control-regex -- XML 1.0 §2.2: the characters that no document may hold
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/**
 * The characters of a document. A byte order mark is taken off.
 *
 * @throws SigningError `signing/xml-malformed` octets that the encoding does not have, characters that XML forbids
 */
export function decodeText(bytes: Uint8Array, encoding: XmlEncoding): string {
  const text = encoding === 'iso-8859-1' ? Buffer.from(bytes).toString('latin1') : decodeStrictly(bytes, encoding)
  if (CONTROL.test(text)) throw malformed('a control character')
  return text
}

function decodeStrictly(bytes: Uint8Array, encoding: Exclude<XmlEncoding, 'iso-8859-1'>): string {
  const label = encoding === 'utf-16' && bytes[0] === 0xfe ? 'utf-16be' : encoding
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SigningError('signing/xml-malformed', `the document is not ${encoding.toUpperCase()}`, { cause })
  }
}

/** The encoding that a document says it has; UTF-8 when it says none. Unknown ones are read as UTF-8 and fail. */
export function encodingOf(bytes: Uint8Array): XmlEncoding {
  const [first, second] = bytes
  if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return 'utf-16'
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const named = /^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1]?.toLowerCase()
  return OCTET_ENCODINGS.find((encoding) => encoding === named) ?? 'utf-8'
}

/** XML 1.0 §2.11: one line feed for every kind of line end. */
export function normalLines(text: string): string {
  if (!text.includes('\r')) return text
  const parts: string[] = []
  // piece by piece, as references are; never between a CR and its LF
  for (let at = 0; at < text.length;) {
    const end = at + PIECE_CHARACTERS + (text[at + PIECE_CHARACTERS] === '\n' ? 1 : 0)
    const piece = text.slice(at, end).replaceAll('\r\n', '\n')
    parts.push(piece.includes('\r') ? piece.replaceAll('\r', '\n') : piece)
    at = end
  }
  return parts.join('')
}

export function occurrences(text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) count++
  return count
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Text with its references replaced. @throws SigningError `signing/xml-malformed` */
export function expandEntities(raw: string): string {
  if (!raw.includes('&')) return raw
  if (raw.length <= PIECE_CHARACTERS) return raw.replace(/&([^;&]{0,10});?/g, expand)
  const parts: string[] = []
  // piece by piece: replacing by function keeps every match of a text in memory
  for (let at = 0; at < raw.length;) {
    const end = pieceEnd(raw, at)
    parts.push(raw.slice(at, end).replace(/&([^;&]{0,10});?/g, expand))
    at = end
  }
  return parts.join('')
}

/** Not in the middle of a reference. */
function pieceEnd(raw: string, start: number): number {
  const end = start + PIECE_CHARACTERS
  const ampersand = raw.lastIndexOf('&', end)
  return end < raw.length && ampersand > end - LONGEST_REFERENCE ? ampersand : end
}

function expand(whole: string, name: string): string {
  if (!whole.endsWith(';')) throw malformed('a lone ampersand')
  const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
  return known ?? characterReference(name)
}

const PIECE_CHARACTERS = 64 * 1024
const LONGEST_REFERENCE = 12

function characterReference(name: string): string {
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name)
  if (!match) throw malformed('an unknown entity')
  const code = match[1] ? parseInt(match[1], 16) : Number(match[2])
  const allowed = code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff)
  if (!allowed || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff) {
    throw malformed('a character reference')
  }
  return String.fromCodePoint(code)
}

/** Order by code points; the language's own order is by UTF-16 units and differs beyond the basic plane. */
export function compareCharacters(a: string, b: string): number {
  if (a === b) return 0
  if (/[\ud800-\udfff]/.test(a + b)) return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))
  return a < b ? -1 : 1
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `not well-formed: ${what}`)
}
