/**
 * What tus 1.0.0 asks of a server before the library is asked: each check stands under its sentence of the protocol.
 *
 * @tus/server 2.4 answers an unsupported version with 400 and without `Tus-Version`, does not know the method
 * override, and answers a wrong Content-Type with 400 or 403. See docs/divergences.md.
 */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'
import type { TusMethod } from './exchange.ts'
import type { TusHeaders } from './headers.ts'

export const TUS_VERSION = '1.0.0'
const PATCH_TYPE = 'application/offset+octet-stream'
const TUS_METHODS: readonly TusMethod[] = ['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * The method that a request means.
 *
 * @throws GatewayError `gateway/method-not-allowed` GET among them: downloads have their own address
 */
export function meantMethod(request: IncomingMessage): TusMethod {
  // Core protocol, X-HTTP-Method-Override: MUST be interpreted as the request's method, the actual one MUST be ignored.
  const override = request.headers['x-http-method-override']
  const name = (typeof override === 'string' ? override : (request.method ?? '')).toUpperCase()
  const method = TUS_METHODS.find((known) => known === name)
  if (method === undefined) throw new GatewayError('gateway/method-not-allowed')
  return method
}

/** @throws GatewayError `gateway/tus-version-unsupported` */
export function requireVersion(request: IncomingMessage, method: TusMethod): void {
  // Core protocol, Tus-Resumable: MUST be included in every request except for OPTIONS;
  // not supported: 412 with Tus-Version, and the request MUST NOT be processed.
  if (method === 'OPTIONS' || request.headers['tus-resumable'] === TUS_VERSION) return
  throw new GatewayError('gateway/tus-version-unsupported')
}

/**
 * @throws GatewayError `gateway/wrong-media-type` a body under another type
 * @throws GatewayError `gateway/bad-input` a PATCH that names no offset
 */
export function requireShape(method: TusMethod, headers: TusHeaders): void {
  if (method === 'PATCH') {
    // Core protocol, PATCH: all requests MUST use Content-Type application/offset+octet-stream, otherwise 415.
    if (headers.contentType !== PATCH_TYPE) throw new GatewayError('gateway/wrong-media-type')
    // Core protocol, PATCH: the Upload-Offset header's value MUST be equal to the current offset.
    if (headers.uploadOffset === null) throw missing('Upload-Offset')
  }
  // creation-with-upload: the Client MUST include Content-Type: application/offset+octet-stream.
  if (method === 'POST' && carriesBytes(headers) && headers.contentType !== PATCH_TYPE) {
    throw new GatewayError('gateway/wrong-media-type')
  }
}

/** True when a body with at least one byte may follow. */
export function carriesBytes(headers: TusHeaders): boolean {
  return headers.hasBody && headers.contentLength !== 0
}

function missing(header: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message: `${header} is missing`, facts: { header } })
}
