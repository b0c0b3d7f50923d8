/**
 * May this POST create an upload? Asked once, before anything is created: the answer holds for the whole upload,
 * even when the session ends meanwhile (the ticket in its address stands for it).
 */
import type { Context } from 'koa'
import type { RoomId } from '../../storage/index.ts'
import { parseId } from '../../storage/index.ts'
import type { Access } from '../access.ts'
import { GatewayError } from '../errors.ts'
import type { Principal } from '../principal.ts'
import { signedIn } from '../principal.ts'
import type { UploadConcat } from './concatenation.ts'
import { parseUploadConcat } from './concatenation.ts'
import { checkFileName } from './file-name.ts'
import type { TusHeaders } from './headers.ts'
import { metadataText, parseUploadMetadata } from './upload-metadata.ts'

/** What a POST may create. */
export interface Admission {
  principal: Principal
  roomId: RoomId
  concat: UploadConcat
  /** The file's name as given; empty for a partial upload, which becomes no file of its own. */
  name: string
  /** As the client says (`filetype`); never believed, only kept. */
  mediaType: string | null
}

export interface AdmissionDeps {
  access: Access
  /** Finds the session or token of a request; null without one. */
  authenticate: (ctx: Context) => Promise<Principal | null>
  /** Address of the endpoint, `/api/uploads`. */
  path: string
  /** Largest upload, in bytes. */
  maxSizeBytes: number
}

/**
 * @throws GatewayError `gateway/sign-in-required` no session and no token
 * @throws GatewayError `gateway/bad-input` room, file name or length are missing or malformed
 * @throws GatewayError `gateway/not-found`, `gateway/denied`, `gateway/step-up-required` as access.ts answers
 * @throws GatewayError `gateway/too-large` above the largest upload
 */
export async function admit(deps: AdmissionDeps, ctx: Context, headers: TusHeaders): Promise<Admission> {
  const principal = signedIn(await deps.authenticate(ctx))
  const metadata = parseUploadMetadata(headers.uploadMetadata ?? '')
  const concat = parseUploadConcat(headers.uploadConcat, deps.path)
  checkLength(headers, concat, deps.maxSizeBytes)
  const roomId = metadataText(metadata, 'room')
  if (roomId === null) throw missing('room')
  const name = metadataText(metadata, 'filename')
  if (name === null && concat.kind !== 'partial') throw missing('filename')
  const room = await deps.access.room(principal, parseId('room', roomId), 'file.upload')
  return {
    principal,
    roomId: room.id,
    concat,
    name: name === null ? '' : checkFileName(name),
    mediaType: mediaType(metadataText(metadata, 'filetype')),
  }
}

function checkLength(headers: TusHeaders, concat: UploadConcat, maxSizeBytes: number): void {
  const named = Number(headers.uploadLength !== null) + Number(headers.deferLength)
  // concatenation: the Client MUST NOT include the Upload-Length header in the final upload creation
  if (concat.kind === 'final' && named > 0) throw bad('Upload-Length', 'does not belong on a final upload')
  // creation: Upload-Length or Upload-Defer-Length, one of the two
  if (concat.kind !== 'final' && named !== 1)
    throw bad('Upload-Length', 'or Upload-Defer-Length is needed, one of the two')
  // creation: if the length exceeds the maximum, the Server MUST respond with 413
  const length = Math.max(headers.uploadLength ?? 0, headers.contentLength ?? 0)
  if (length > maxSizeBytes) throw new GatewayError('gateway/too-large', { facts: { limit: maxSizeBytes } })
}

/** A media type is kept when it has the shape of one (RFC 9110 §8.3.1), else it is as if none was named. */
function mediaType(text: string | null): string | null {
  return text !== null && text.length <= 127 && MEDIA_TYPE.test(text) ? text.toLowerCase() : null
}

const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+$/

function missing(field: string): GatewayError {
  return new GatewayError('gateway/bad-input', {
    message: `Upload-Metadata names no ${field}`,
    facts: { header: 'Upload-Metadata', field },
  })
}

function bad(header: string, rule: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message: `${header} ${rule}`, facts: { header } })
}
