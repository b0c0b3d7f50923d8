/**
 * `Upload-Metadata` as tus 1.0.0 (creation extension) writes it: `key base64, key base64, key`.
 *
 * Strict where the protocol says MUST: keys are ASCII without space and comma, not empty and unique; values are
 * base64 or missing. Bounded, because the header is kept and handed back on every HEAD.
 */
import { GatewayError } from '../errors.ts'

/** The whole header, in bytes. */
const METADATA_MAX_BYTES = 8192
const METADATA_MAX_KEYS = 32

/**
 * Parses the header into decoded bytes by key; a key without a value maps to null.
 *
 * @throws GatewayError `gateway/bad-input` more than 8 KiB or 32 keys, a repeated key, or not the grammar
 */
export function parseUploadMetadata(header: string): Map<string, Buffer | null> {
  if (header === '') return new Map()
  if (header.length > METADATA_MAX_BYTES) throw bad(`longer than ${METADATA_MAX_BYTES} bytes`)
  const pairs = header.split(',')
  if (pairs.length > METADATA_MAX_KEYS) throw bad(`more than ${METADATA_MAX_KEYS} keys`)
  const metadata = new Map<string, Buffer | null>()
  for (const pair of pairs) {
    const [key, value] = parsePair(pair)
    if (metadata.has(key)) throw bad('a key occurs twice')
    metadata.set(key, value)
  }
  return metadata
}

/**
 * One value as text.
 *
 * @returns null when the key is absent or has no value
 * @throws GatewayError `gateway/bad-input` the bytes are not UTF-8
 */
export function metadataText(metadata: ReadonlyMap<string, Buffer | null>, key: string): string | null {
  const value = metadata.get(key)
  if (value === undefined || value === null) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch (cause) {
    throw bad(`the value of ${key} is not UTF-8`, cause)
  }
}

function parsePair(pair: string): [string, Buffer | null] {
  // Clients and proxies that join list headers put one space behind the comma; the key itself has none.
  const [key = '', value, ...rest] = pair.trim().split(' ')
  if (rest.length > 0) throw bad('a pair has more than two words')
  if (!KEY.test(key)) throw bad('a key is empty or not printable ASCII')
  if (value === undefined || value === '') return [key, null]
  if (value.length % 4 !== 0 || !BASE64.test(value)) throw bad('a value is not base64')
  return [key, Buffer.from(value, 'base64')]
}

/** Printable ASCII without space and comma. */
const KEY = /^[!-+\--~]+$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function bad(what: string, cause?: unknown): GatewayError {
  return new GatewayError('gateway/bad-input', {
    message: `Upload-Metadata is refused: ${what}`,
    facts: { header: 'Upload-Metadata' },
    cause,
  })
}
