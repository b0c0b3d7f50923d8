/** Names and addresses as people write them: what is stored, and what they are compared by. */
import { StorageError } from './errors.ts'

/** Control characters, and the characters that turn or hide text (Unicode TR 36 §3.1). */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

/** Two names are the same when they differ in case or in Unicode composition only. */
export function comparisonKey(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/**
 * A name for people to read, trimmed and in NFC.
 *
 * @param what the thing named, for the message
 * @throws StorageError `storage/bad-value` empty, more than 200 characters, or with invisible characters
 */
export function checkName(what: string, text: string): string {
  const name = text.normalize('NFC').trim()
  if (name.length === 0 || name.length > 200 || INVISIBLE.test(name)) {
    throw new StorageError('storage/bad-value', `the name of a ${what} has 1 to 200 visible characters`)
  }
  return name
}

/**
 * A mail address, trimmed and in NFC. What is behind it is not checked.
 *
 * @throws StorageError `storage/bad-value` not of the shape x@y, or more than 254 characters (RFC 5321 §4.5.3.1.3)
 */
export function checkEmail(text: string): string {
  const email = text.normalize('NFC').trim()
  if (email.length > 254 || INVISIBLE.test(email) || !/^[^\s@]+@[^\s@]+$/u.test(email)) {
    throw new StorageError('storage/bad-value', 'not a mail address')
  }
  return email
}
