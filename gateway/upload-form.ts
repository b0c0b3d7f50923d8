/**
 * The plain upload form of a room: one small file in one request, streamed into storage as it arrives.
 *
 * For browsers without script. It cannot continue after an interruption; larger files are sent to /api/uploads.
 */
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import { parseId } from '../storage/index.ts'
import type { Room, StoredContent } from '../storage/index.ts'
import { isStorageError } from '../storage/index.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { showRoom } from './rooms.ts'
import { seeOther } from './session.ts'
import { checkFileName } from './tus/file-name.ts'

/** What one multipart body of ours holds. */
interface Received {
  name: string
  mediaType: string | null
  content: StoredContent
}

export function uploadFormRoutes(house: House): Route[] {
  return [
    members('page', 'POST /rooms/:id/files', 'files', async (call) => {
      call.ctx.state['back'] = `/rooms/${call.param('id')}`
      const room = await house.access.room(call.principal, parseId('room', call.param('id')), 'file.upload')
      const received = await receive(house, call, room)
      if (received === null) return showRoom(house, call, call.texts.room.uploadMissing)
      await askAgain(house, call.principal, { room, received })
      await keep(house, call.principal, room, received)
      seeOther(call.ctx, `/rooms/${room.id}?done=uploaded`)
    }),
  ]
}

/** The body may have been on its way for hours: who has lost the right meanwhile leaves nothing in the room. */
async function askAgain(
  { storage, access }: House,
  principal: Principal,
  { room, received }: { room: Room; received: Received },
): Promise<void> {
  try {
    const user = await storage.users.byId(principal.user.id)
    await access.room({ ...principal, user }, room.id, 'file.upload')
  } catch (error) {
    await received.content.discard()
    throw error
  }
}

/** Writes the rows; without them the bytes are taken back. */
async function keep(house: House, { actor }: Principal, room: Room, received: Received): Promise<void> {
  const { name, mediaType, content } = received
  try {
    await house.storage.transact(async (rows) => {
      await content.commit(rows.db)
      const version = { contentId: content.contentId, mediaType, state: 'released' } as const
      const existing = await rows.files.byName(room.id, name)
      if (existing === null) await rows.files.create({ ...version, roomId: room.id, name }, actor)
      else await rows.files.addVersion(existing.id, version, actor)
    })
  } catch (error) {
    // With the connection gone nobody knows whether the rows were written; the sweep of leftovers decides later.
    if (!isStorageError(error, 'storage/database-unavailable')) await content.discard()
    throw error
  }
}

/**
 * Reads the body: the form's token first, then the file.
 *
 * @returns null when no file was chosen
 * @throws GatewayError `gateway/csrf-refused`, `gateway/needs-resumable-upload`, `gateway/bad-input`
 */
async function receive(house: House, call: Call<Principal>, room: Room): Promise<Received | null> {
  const { ctx } = call
  const maxBytes = house.site.maxFormBytes
  // A little more than the file itself: the token and the lines between the parts.
  if (Number(ctx.get('content-length')) > maxBytes + 16_384) throw tooLarge(maxBytes)
  let stored: Promise<Received | null> = Promise.resolve(null)
  let token: string | undefined
  const parser = openParser(call)
  parser.on('field', (name, value) => {
    if (name === 'csrf' && token === undefined) token = value
  })
  parser.on('file', (_field, stream, info) => {
    stored = store(house, { call, room, token, stream, info })
    stored.catch((error: unknown) => {
      stream.resume()
      parser.destroy(error instanceof Error ? error : new GatewayError('gateway/bad-input'))
    })
  })
  await parsed(ctx.req, parser)
  const received = await stored
  if (received === null) call.checkToken(token)
  return received
}

interface Part {
  call: Call<Principal>
  room: Room
  token: string | undefined
  stream: Readable & { truncated?: boolean }
  info: busboy.FileInfo
}

async function store(house: House, { call, room, token, stream, info }: Part): Promise<Received | null> {
  call.checkToken(token)
  const { filename: given } = info as { filename?: string }
  if (given === undefined || given === '') {
    stream.resume()
    return null
  }
  const name = checkFileName(given)
  const maxBytes = house.site.maxFormBytes
  try {
    const content = await house.turns.during(call.principal.user.id, null, () =>
      house.storage.contents.put(room.id, stream, { maxBytes }),
    )
    return { name, mediaType: /^[\w.+-]+\/[\w.+-]+$/.test(info.mimeType) ? info.mimeType : null, content }
  } catch (error) {
    throw isStorageError(error, 'storage/size-exceeded') ? tooLarge(maxBytes, error) : error
  }
}

function openParser(call: Pick<Call, 'ctx'>): busboy.Busboy {
  try {
    return busboy({
      headers: call.ctx.req.headers,
      defParamCharset: 'utf8',
      limits: { fields: 4, files: 1, parts: 5, fieldSize: 200, fieldNameSize: 40, headerPairs: 20 },
    })
  } catch (cause) {
    throw new GatewayError('gateway/wrong-media-type', { cause })
  }
}

/** Runs the body through the parser; what the parser cannot read is the sender's fault. */
async function parsed(request: Call['ctx']['req'], parser: busboy.Busboy): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      parser.once('close', resolve)
      parser.once('error', reject)
      for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
        parser.once(limit, () => {
          reject(new GatewayError('gateway/bad-input', { facts: { reason: 'too-many-parts' } }))
        })
      }
      request.once('close', () => {
        if (!request.complete) reject(new GatewayError('gateway/bad-input', { facts: { reason: 'broken-off' } }))
      })
      request.pipe(parser)
    })
  } catch (cause) {
    request.unpipe(parser)
    if (cause instanceof GatewayError || isStorageError(cause)) throw cause
    throw new GatewayError('gateway/bad-input', { facts: { reason: 'bad-multipart' }, cause })
  }
}

function tooLarge(limit: number, cause?: unknown): GatewayError {
  return new GatewayError('gateway/needs-resumable-upload', { facts: { limit, upload: '/api/uploads' }, cause })
}
