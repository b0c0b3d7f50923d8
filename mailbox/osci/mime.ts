/**
 * MIME frame of OSCI: multipart/related whose own header stands inside the HTTP body.
 *
 * Bytes in, parts out and back; tolerant where peers differ (unquoted boundaries with `/`), strict on CRLF and on what
 * cannot be meant. Every limit is checked before bytes are copied.
 */
import { MailboxError } from '../errors.ts'
import type { Attachment } from './messages.ts'

export interface MimeLimits {
  /** whole message */
  maxBytes: number
  /** parts beside the first */
  maxParts: number
}

export interface MimePart extends Attachment {
  /** header names in lower case */
  headers: ReadonlyMap<string, string>
}

export interface MimeMessage {
  /** the first part, whatever its Content-ID says */
  soap: Buffer
  parts: MimePart[]
}

const CRLF = Buffer.from('\r\n')
const MAX_HEADER_BYTES = 16_384

/**
 * Takes a message apart. Bodies share memory with `bytes` unless they were base64.
 *
 * @throws MailboxError `mailbox/malformed`, `mailbox/too-large`
 */
export function parseMime(bytes: Buffer, limits: MimeLimits): MimeMessage {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes exceed ${limits.maxBytes}`)
  const top = readHeaders(bytes, skipBlankLines(bytes, 0))
  if (top.headers.get('mime-version') !== undefined && top.headers.get('mime-version') !== '1.0') {
    throw malformed('the MIME version')
  }
  const boundary = parameter(top.headers.get('content-type') ?? '', 'boundary')
  if (boundary === null || boundary === '' || boundary.length > 200) throw malformed('no boundary')
  const [first, ...rest] = readParts(bytes, openBoundary(bytes, top.end, boundary), boundary, limits)
  if (!first) throw malformed('no part')
  for (const part of rest) {
    if (!part.headers.has('content-transfer-encoding')) throw malformed('a part without transfer encoding')
  }
  return { soap: first.body, parts: rest }
}

function readParts(bytes: Buffer, from: number, boundary: string, limits: MimeLimits): MimePart[] {
  const parts: MimePart[] = []
  const names = new Set<string>()
  let at = from
  for (let open = true; open;) {
    if (parts.length > limits.maxParts) throw tooLarge(`more than ${limits.maxParts} parts`)
    const found = readPart(bytes, at, boundary)
    if (names.has(found.part.name)) throw malformed('a Content-ID twice')
    names.add(found.part.name)
    parts.push(found.part)
    at = found.next
    open = !found.last
  }
  return parts
}

function skipBlankLines(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 13 && bytes[at + 1] === 10) at += 2
  return at
}

function openBoundary(bytes: Buffer, from: number, boundary: string): number {
  const at = skipBlankLines(bytes, from)
  const line = Buffer.from(`--${boundary}\r\n`, 'utf8')
  if (!bytes.subarray(at, at + line.length).equals(line)) throw malformed('the first boundary line')
  return at + line.length
}

function readHeaders(bytes: Buffer, from: number): { headers: Map<string, string>; end: number } {
  const headers = new Map<string, string>()
  let at = from
  let name = ''
  for (;;) {
    const end = bytes.subarray(0, Math.min(bytes.length, from + MAX_HEADER_BYTES)).indexOf(CRLF, at)
    if (end === -1) throw malformed('a header without end')
    const line = bytes.toString('utf8', at, end)
    at = end + 2
    if (line === '') return { headers, end: at }
    if (/[\n\r\0]/.test(line)) throw malformed('a line end inside a header')
    if (/^[ \t]/.test(line) && name !== '') {
      headers.set(name, `${headers.get(name) ?? ''} ${line.trim()}`)
      continue
    }
    const colon = line.indexOf(':')
    if (colon < 1) throw malformed('a header line')
    name = line.slice(0, colon).trim().toLowerCase()
    if (headers.has(name)) throw malformed('a header twice')
    headers.set(name, line.slice(colon + 1).trim())
  }
}

/** Peers split a header at blanks and semicolons, so a value holds neither. */
function parameter(header: string, name: string): string | null {
  for (const piece of header.split(/[\s;]+/)) {
    if (piece.startsWith(`${name}=`)) return piece.slice(name.length + 1).replace(/^"(.*)"$/, '$1')
  }
  return null
}

function readPart(bytes: Buffer, from: number, boundary: string): { part: MimePart; next: number; last: boolean } {
  const { headers, end: start } = readHeaders(bytes, from)
  const contentType = headers.get('content-type')
  const name = headers.get('content-id')?.replace(/^<(.*)>$/, '$1')
  if (contentType === undefined || name === undefined || name === '') throw malformed('a part without type or id')
  const charset = parameter(contentType, 'charset')
  if (charset !== null && charset.toLowerCase() !== 'utf-8') throw malformed('a charset other than UTF-8')
  const close = findBoundary(bytes, start, boundary)
  const raw = bytes.subarray(start, close.at)
  const encoded =
    headers.get('content-transfer-encoding')?.toLowerCase() === 'base64' || contentType.toLowerCase() === 'text/base64'
  const body = encoded ? Buffer.from(raw.toString('latin1'), 'base64') : raw
  return { part: { name, contentType, body, headers }, next: close.next, last: close.last }
}

/** The next line that is exactly the boundary; the line end before it belongs to the boundary. */
function findBoundary(bytes: Buffer, from: number, boundary: string): { at: number; next: number; last: boolean } {
  const mark = Buffer.from(`\r\n--${boundary}`, 'utf8')
  // An empty body: the blank line after the headers is the line end before the boundary.
  for (let at = bytes.indexOf(mark, from - 2); at !== -1; at = bytes.indexOf(mark, at + 2)) {
    const after = at + mark.length
    const tail = bytes.toString('latin1', after, after + 4)
    const bodyEnd = Math.max(at, from)
    if (tail.startsWith('\r\n')) return { at: bodyEnd, next: after + 2, last: false }
    if (tail === '--' || tail === '--\r\n') return { at: bodyEnd, next: after + 4, last: true }
  }
  throw malformed('no closing boundary')
}

/** A MIME frame: where the parts begin, chosen so that no part contains it. */
export function newBoundary(random: (bytes: number) => Buffer): string {
  return `MIME_boundary_${random(24).toString('hex')}`
}

/** Writes a message of one SOAP part and attachments (all 8bit, each with its length). */
export function writeMime(soap: Buffer, attachments: readonly Attachment[], boundary: string): Buffer {
  const pieces: Buffer[] = [
    Buffer.from(
      `MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=${boundary}; type=text/xml\r\n\r\n--${boundary}\r\n` +
        'Content-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <osci@message>\r\n\r\n' +
        '<?xml version="1.0" encoding="UTF-8"?>\r\n\r\n',
    ),
    soap,
  ]
  for (const { name, contentType, body } of attachments) {
    pieces.push(
      Buffer.from(
        `\r\n--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: 8-bit\r\n` +
          `Content-ID: <${name}>\r\nContent-Length: ${body.length}\r\n\r\n`,
        'utf8',
      ),
      body,
    )
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`))
  return Buffer.concat(pieces)
}

/**
 * Whether a name can stand in Content-ID and `cid:` as it is; peers compare it byte by byte and escape nothing. The common
 * OSCI library finds the author's signature over a reference with `&` invalid, so that is out as well.
 */
export function isPartName(name: string): boolean {
  return name.length > 0 && Buffer.byteLength(name) <= 255 && !/[\p{Cc}\p{Cs}<>&"\u00ff\u2028\u2029]/u.test(name)
}

function malformed(what: string): MailboxError {
  return new MailboxError('mailbox/malformed', `not an OSCI message: ${what}`)
}

function tooLarge(what: string): MailboxError {
  return new MailboxError('mailbox/too-large', `the message is too large: ${what}`)
}
