/**
 * The control that the courts demand: the addressee's confirmation against the list frozen at sending. Pure.
 */
import type { ListedFile } from './letter.ts'

/**
 * - `complete`: every file with name, size and hash, and no other
 * - `incomplete`: a file is missing, other or too many
 * - `unclear`: the confirmation cannot be relied on (signature, sender)
 */
export type ControlVerdict = 'complete' | 'incomplete' | 'unclear'

/** Compares a confirmed list with the frozen one; order does not matter. */
export function compareLists(
  frozen: readonly ListedFile[],
  confirmed: readonly ListedFile[],
): 'complete' | 'incomplete' {
  const line = ({ name, size, sha256 }: ListedFile): string => `${sha256} ${size} ${name.normalize('NFC')}`
  const wanted = frozen.map(line).sort()
  const found = confirmed.map(line).sort()
  const same = wanted.length === found.length && wanted.every((text, index) => text === found[index])
  return same ? 'complete' : 'incomplete'
}
