/**
 * Sends the bytes of a version: whole or one range (RFC 9110 §14), always as an attachment.
 *
 * Nothing that people upload is ever shown as a page of this site: the type is fixed, the policy allows nothing and
 * sandboxes what would be opened anyway.
 */
import type { ServerResponse } from 'node:http'
import type { Context } from 'koa'
import type { FileVersion } from '../storage/index.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { attachment } from './http/disposition.ts'
import { sendPieces } from './http/pieces.ts'
import { readRange } from './http/range.ts'
import type { RangeAnswer } from './http/range.ts'

const DOWNLOAD_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

/**
 * Answers with the version's plaintext. The connection is cut when a chunk cannot be opened, so that a client never
 * takes a part for the whole.
 *
 * @throws GatewayError `gateway/range-not-satisfiable`; StorageError as `contents.open`
 */
export async function sendVersion(
  { storage: { contents }, idleMs }: Pick<House, 'storage' | 'idleMs'>,
  ctx: Context,
  name: string,
  version: FileVersion,
): Promise<void> {
  const etag = `"${version.contentId}"`
  ctx.set('ETag', etag)
  ctx.set('Accept-Ranges', 'bytes')
  if (namesTag(ctx.get('if-none-match'), etag)) {
    ctx.status = 304
    return
  }
  const range = rangeOf(ctx, etag, version.size)
  if (range.kind === 'unsatisfiable') {
    throw new GatewayError('gateway/range-not-satisfiable', { facts: { size: version.size } })
  }
  const bytes = range.kind === 'part' ? range : { start: 0, end: version.size }
  if (ctx.method === 'HEAD') {
    setHeaders(ctx, name, version, range)
    return
  }
  const content = await contents.open(version.contentId, bytes)
  setHeaders(ctx, name, version, range)
  ctx.respond = false
  ctx.res.statusCode = ctx.status
  limitStalling(ctx.res, idleMs)
  await sendPieces(content.lend(), ctx.res)
}

/** Hangs up on who takes nothing for so long; time in which we ourselves have nothing to send does not count. */
function limitStalling(response: ServerResponse, idleMs: number): void {
  response.setTimeout(idleMs, () => {
    if (response.writableLength > 0) response.destroy()
    else response.socket?.setTimeout(idleMs)
  })
}

function setHeaders(ctx: Context, name: string, version: FileVersion, range: RangeAnswer): void {
  const part = range.kind === 'part' ? range : null
  ctx.status = part === null ? 200 : 206
  ctx.set('Content-Type', 'application/octet-stream')
  ctx.set('Content-Disposition', attachment(name))
  ctx.set('Content-Security-Policy', DOWNLOAD_POLICY)
  ctx.set('Content-Length', String(part === null ? version.size : part.end - part.start))
  if (part !== null) ctx.set('Content-Range', `bytes ${part.start}-${part.end - 1}/${version.size}`)
  // RFC 9530: the digest of the whole representation, also beside a range
  if (version.sha256 !== null) {
    ctx.set('Repr-Digest', `sha-256=:${Buffer.from(version.sha256, 'hex').toString('base64')}:`)
  }
}

/** RFC 9110 §13.1.5: with an If-Range that names another version the range is ignored. */
function rangeOf(ctx: Context, etag: string, size: number): RangeAnswer {
  const ifRange = ctx.get('if-range')
  const header = ctx.get('range')
  return header === '' || (ifRange !== '' && ifRange !== etag) ? { kind: 'whole' } : readRange(header, size)
}

function namesTag(header: string, etag: string): boolean {
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
