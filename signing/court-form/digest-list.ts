/** Is a signed file a list of other files? Then its signature is one over all of them, whatever the list is written in. */
import type { RandomAccess } from '../random-access.ts'

/** How many of these SHA-256 values (lower-case hexadecimal) stand in a file, in hexadecimal or Base64; 0: it is too large. */
export async function digestsIn(source: RandomAccess, wanted: ReadonlySet<string>): Promise<number> {
  if (source.size > MAX_BYTES) return 0
  const text = (await source.read(0, source.size)).toString('latin1')
  const found = new Set<string>()
  for (const [hex] of text.matchAll(/\b[0-9A-Fa-f]{64}\b/g)) found.add(hex.toLowerCase())
  for (const [base64] of text.matchAll(/[A-Za-z0-9+/]{43}=/g)) found.add(Buffer.from(base64, 'base64').toString('hex'))
  return [...wanted].filter((digest) => found.has(digest)).length
}

const MAX_BYTES = 4 * 1024 * 1024
