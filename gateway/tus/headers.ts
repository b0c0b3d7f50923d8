/**
 * The tus headers of a request, read once and strictly.
 *
 * Node joins repeated headers with a comma or keeps the first, depending on the name; two different offsets must not
 * become one of them by chance, so every tus header may occur once. Numbers are plain decimals: the library's own
 * test accepts `1e+21` and then reads it as 1.
 */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'

/** Values as given; null where the header is absent. Lengths and offsets in bytes. */
export interface TusHeaders {
  uploadLength: number | null
  /** `Upload-Defer-Length: 1` */
  deferLength: boolean
  uploadOffset: number | null
  uploadMetadata: string | null
  uploadConcat: string | null
  uploadChecksum: string | null
  contentType: string | null
  /** null: no body, or a chunked one */
  contentLength: number | null
  /** The request carries a body, perhaps an empty one. */
  hasBody: boolean
}

/** The largest length that we can count exactly. */
const LARGEST = Number.MAX_SAFE_INTEGER
const DECIMAL = /^(?:0|[1-9]\d{0,15})$/

const ONCE = [
  'upload-length',
  'upload-defer-length',
  'upload-offset',
  'upload-metadata',
  'upload-concat',
  'upload-checksum',
  'content-type',
  'content-length',
  'tus-resumable',
  'x-http-method-override',
] as const

/**
 * @throws GatewayError `gateway/bad-input` a header occurs twice, or a number is not a plain non-negative decimal
 */
export function readTusHeaders(request: IncomingMessage): TusHeaders {
  refuseRepeated(request.rawHeaders)
  const text = (name: string): string | null => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : null
  }
  const deferLength = text('upload-defer-length')
  // creation-defer-length: its value MUST be 1
  if (deferLength !== null && deferLength !== '1') throw bad('Upload-Defer-Length', 'is 1 or absent')
  const contentLength = decimal('Content-Length', text('content-length'))
  return {
    uploadLength: decimal('Upload-Length', text('upload-length')),
    deferLength: deferLength !== null,
    uploadOffset: decimal('Upload-Offset', text('upload-offset')),
    uploadMetadata: text('upload-metadata'),
    uploadConcat: text('upload-concat'),
    uploadChecksum: text('upload-checksum'),
    contentType: text('content-type'),
    contentLength,
    hasBody: contentLength !== null || request.headers['transfer-encoding'] !== undefined,
  }
}

/** @throws GatewayError `gateway/bad-input` naming the header, never its value */
function refuseRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (!(ONCE as readonly string[]).includes(name)) continue
    if (seen.has(name)) throw bad(name, 'must not be repeated')
    seen.add(name)
  }
}

function decimal(name: string, value: string | null): number | null {
  if (value === null) return null
  // creation, core protocol: lengths and offsets MUST be non-negative integers
  const number = DECIMAL.test(value) ? Number(value) : NaN
  if (!(number <= LARGEST)) throw bad(name, `is a plain decimal from 0 to ${LARGEST}`)
  return number
}

function bad(header: string, rule: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message: `${header} ${rule}`, facts: { header } })
}
