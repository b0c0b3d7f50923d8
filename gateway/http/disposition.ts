/**
 * `Content-Disposition` for names that strangers chose (RFC 6266, RFC 8187).
 *
 * `filename` is plain ASCII for old clients, `filename*` the real name in UTF-8. Path separators, control characters
 * and the marks that turn the reading direction never leave: "invoice<RLO>fdp.exe" must not look like a PDF.
 */

/** Characters that no file name on a disk should start, end or surprise with. */
// eslint-disable-next-line no-control-regex -- control characters are what is being removed
const UNSAFE = /[\u0000-\u001f\u007f-\u009f/\\:*?"<>|\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff0-\uffff]/g
/** RFC 8187 §3.2.1 attr-char; everything else is percent-encoded. */
const NOT_ATTR_CHAR = /[^A-Za-z0-9!#$&+.^_`|~-]/gu
const LONGEST_NAME_BYTES = 255

/** A name that can be written to a disk and shown without deceiving; never empty. */
export function safeFileName(name: string): string {
  const cleaned = name
    .replace(/\p{Surrogate}/gu, '_')
    .normalize('NFC')
    .replace(UNSAFE, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
  return cutToBytes(cleaned === '' ? 'download' : cleaned, LONGEST_NAME_BYTES)
}

/** The header value that makes a browser save, not show, under this name. */
export function attachment(name: string): string {
  const safe = safeFileName(name)
  const ascii = safe
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^\x20-\x7e]/gu, '_')
    .replace(/[%"\\]/g, '_')
  const encoded = safe.replace(NOT_ATTR_CHAR, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`
}

/** Cuts between characters, keeps the extension. */
function cutToBytes(name: string, limit: number): string {
  if (Buffer.byteLength(name) <= limit) return name
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? ''
  let stem = ''
  let room = limit - extension.length
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character)
    if (room < 0) break
    stem += character
  }
  return stem + extension
}
