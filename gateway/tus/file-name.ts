/**
 * Names that a person may give to an uploaded file.
 *
 * A name is only ever data: it never becomes a path here. Compared in NFC, kept as given. What no storage or screen
 * can carry is refused; letters that change the reading direction are kept, and shown escaped (web/).
 */
import { GatewayError } from '../errors.ts'

/** After NFC, in UTF-8; what common file systems take. */
const NAME_MAX_BYTES = 255

/**
 * @returns the name as given
 * @throws GatewayError `gateway/bad-input` empty, `.` or `..`, longer than 255 bytes, with a path separator or a
 *   control character, or not well-formed Unicode
 */
export function checkFileName(name: string): string {
  if (name.trim() === '' || name === '.' || name === '..') throw bad('is empty')
  if (CONTROL.test(name)) throw bad('holds a character that cannot be kept')
  if (SEPARATOR.test(name)) throw bad('holds a path separator')
  if (Buffer.byteLength(name.normalize('NFC')) > NAME_MAX_BYTES) throw bad(`is longer than ${NAME_MAX_BYTES} bytes`)
  return name
}

/** C0 with NUL, DEL and C1, the line separators of Unicode, and halves of surrogate pairs. */
const CONTROL = /[\p{Cc}\p{Cs}\u2028\u2029]/u
const SEPARATOR = /[/\\]/

function bad(what: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message: `the file name ${what}`, facts: { field: 'filename' } })
}
