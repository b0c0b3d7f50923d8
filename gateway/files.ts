/** Routes of files: one file with its versions, downloading, sealing and erasing, as pages and as JSON. */
import { parseId } from '../storage/index.ts'
import type { File, FileVersion, Room } from '../storage/index.ts'
import type { Action } from '../policies/index.ts'
import { sendVersion } from './download.ts'
import { hideAbsence } from './access.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { queryValue } from './http/input.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { fileDocument } from './rooms.ts'
import type { Sealer } from './seal.ts'
import { describeSeal } from './seal-description.ts'
import { readWishes } from './seal-wishes.ts'
import { seeOther } from './session.ts'
import { filePage } from './web/file-page.ts'

export function fileRoutes(house: House): Route[] {
  return [
    members('page', 'GET /files/:id', 'none', (call) => showFile(house, call, null)),
    members('page', 'GET /files/:id/content', 'none', (call) => download(house, call)),
    members('page', 'POST /files/:id/seal', 'form', async (call) => {
      const { file } = await reach(house, call, 'file.seal')
      await sealerOf(house)(file.id, call.principal.actor, readWishes(call.fields))
      seeOther(call.ctx, `/files/${file.id}?done=sealed`)
    }),
    members('page', 'POST /files/:id/erase', 'form', async (call) => {
      const { file, room } = await reach(house, call, 'file.erase')
      if (call.fields['confirm'] !== 'yes') {
        return showFile(house, call, call.texts.file.confirmMissing)
      }
      await house.storage.files.erase(file.id, call.principal.actor)
      seeOther(call.ctx, `/rooms/${room.id}?done=erased`)
    }),
    members('api', 'GET /api/files/:id', 'none', async (call) => {
      const { file } = await reach(house, call, 'room.read')
      const versions = await house.storage.files.versions(file.id)
      call.ctx.body = { ...fileDocument(file), versions: versions.map(versionDocument) }
    }),
    members('api', 'GET /api/files/:id/content', 'none', (call) => download(house, call)),
    members('api', 'POST /api/files/:id/seal', 'json', async (call) => {
      const { file } = await reach(house, call, 'file.seal')
      call.ctx.body = await sealerOf(house)(
        file.id,
        call.principal.actor,
        readWishes(call.json as Record<string, unknown>),
      )
    }),
    members('api', 'DELETE /api/files/:id', 'none', async (call) => {
      const { file } = await reach(house, call, 'file.erase')
      await house.storage.files.erase(file.id, call.principal.actor)
      call.ctx.status = 204
    }),
  ]
}

/** The file of the address and its room, if this person may do this with it now. */
async function reach(house: House, call: Call<Principal>, action: Action): Promise<{ file: File; room: Room }> {
  const file = await hideAbsence(house.storage.files.byId(parseId('file', call.param('id'))))
  const room = await house.access.room(call.principal, file.roomId, action)
  if (file.state === 'erased') throw new GatewayError('gateway/not-found')
  return { file, room }
}

async function download(house: House, call: Call<Principal>): Promise<void> {
  const { file } = await reach(house, call, 'file.download')
  const wanted = queryValue(call.ctx, 'version')
  const versions = wanted === null ? [file.current] : await house.storage.files.versions(file.id)
  const version = wanted === null ? file.current : versions.find(({ number }) => String(number) === wanted)
  if (version === undefined) throw new GatewayError('gateway/not-found')
  if (version.state === 'erased') throw new GatewayError('gateway/not-found')
  if (version.state === 'held') throw new GatewayError('gateway/file-not-released')
  await sendVersion(house, call.ctx, file.name, version)
}

async function showFile(house: House, call: Call<Principal>, problem: string | null): Promise<void> {
  const { file, room } = await reach(house, call, 'room.read')
  const versions = await house.storage.files.versions(file.id)
  const may = await house.access.ask(call.principal, room, ['file.seal', 'file.erase'])
  const page = {
    ...{ file, room, versions, problem },
    seal: may.has('file.seal') && /\.pdf$/i.test(file.name) ? await describeSeal(house.seal) : null,
    mayErase: may.has('file.erase'),
    sealed: queryValue(call.ctx, 'done') === 'sealed',
  }
  house.show(call, (frame) => filePage(frame, page), problem === null ? 200 : 422)
}

function sealerOf({ seal }: House): Sealer {
  if (seal === null) throw new GatewayError('gateway/not-configured')
  return seal
}

function versionDocument(version: FileVersion): Record<string, unknown> {
  const { number, state, size, sha256, mediaType, note, scanned, createdAt } = version
  return { number, state, size, sha256, mediaType, note, scanned, createdAt }
}
