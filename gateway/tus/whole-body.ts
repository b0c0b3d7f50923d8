/**
 * A POST whose body is the whole file, and small: answered past the library.
 *
 * Creation-with-upload leaves the library nothing to decide: lengths, type and rights are tested before it is asked
 * (conformance.ts, admission.ts), and there is no offset, no lock and nothing to go on with. Asking it costs more than
 * all of that. Larger bodies, checksums and deferred lengths take the long way. docs/decisions/0015.
 */
import type { Storage, UploadSpec } from '../../storage/index.ts'
import { StorageError } from '../../storage/index.ts'
import { GatewayError } from '../errors.ts'
import { TUS_VERSION, carriesBytes } from './conformance.ts'
import type { Admission } from './admission.ts'
import type { Exchange } from './exchange.ts'
import { packHeaders } from './kept-headers.ts'

/** What an upload is begun with, as the client named it. */
export function orderOf(exchange: Exchange, expiresAfterMs: number): { spec: UploadSpec; admission: Admission } {
  const { headers, admission } = exchange
  if (admission === null) throw new GatewayError('gateway/internal', { message: 'an upload without admission' })
  const { roomId, name, mediaType, concat } = admission
  const spec: UploadSpec = {
    roomId,
    name,
    mediaType: mediaType ?? undefined,
    size: headers.uploadLength,
    metadata: packHeaders(headers),
    kind: concat.kind === 'partial' ? 'partial' : 'whole',
    expiresAfterMs,
  }
  return { spec, admission }
}

/** Whether the body of this request is a whole file, and no longer than `wholeBytes`. */
export function isWholeBody({ headers, checksum, method }: Exchange, wholeBytes: number): boolean {
  const { contentLength, uploadLength } = headers
  // The digest is checked where the bytes are hashed anyway: where they are appended.
  if (method !== 'POST' || checksum !== null) return false
  return (
    carriesBytes(headers) && contentLength !== null && contentLength === uploadLength && contentLength <= wholeBytes
  )
}

/**
 * Takes the body, or none of an empty file: one object, one transaction. If it breaks off, nothing is kept.
 *
 * @throws StorageError `storage/upload-interrupted`, and what `beginWhole` throws
 */
export async function takeWhole(
  { uploads, expiresAfterMs }: { uploads: Storage['uploads']; expiresAfterMs: number },
  exchange: Exchange,
): Promise<void> {
  const body = carriesBytes(exchange.headers) ? await readWhole(exchange) : Buffer.alloc(0)
  const { spec, admission } = orderOf(exchange, expiresAfterMs)
  const begun = await uploads.beginWhole({ ...spec, size: body.length }, body, admission.principal.actor)
  exchange.ticket = begun.ticket
  exchange.upload = begun.state
}

/** What the library says in its answer to such a request, under the names that it uses. */
export function wholeAnswer({ upload }: Exchange): Map<string, string> {
  return new Map([
    ['tus-resumable', TUS_VERSION],
    ['upload-offset', String(upload?.offset ?? 0)],
  ])
}

/** Reads a body of known, small length into one buffer. @throws StorageError `storage/upload-interrupted` */
function readWhole({ request, headers }: Exchange): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(headers.contentLength ?? 0)
  let filled = 0
  return new Promise((resolve, reject) => {
    let cause: unknown
    request.on('data', (chunk: Buffer) => {
      filled += chunk.copy(body, filled)
    })
    request.once('error', (error) => {
      cause = error
    })
    request.once('end', () => {
      if (filled === body.length) resolve(body)
    })
    request.once('close', () => {
      if (filled < body.length) reject(new StorageError('storage/upload-interrupted', 'the body broke off', cause))
    })
  })
}
