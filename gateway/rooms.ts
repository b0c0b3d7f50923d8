/** Routes of rooms: the listing and one room, as pages and as JSON. */
import { parseId } from '../storage/index.ts'
import type { File, Room } from '../storage/index.ts'
import type { House } from './house.ts'
import { queryValue } from './http/input.ts'
import { anyLimit } from './http/paging.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { roomPage, roomsPage } from './web/room-page.ts'
import type { RoomPage } from './web/room-page.ts'
import { describeSeal } from './seal-description.ts'

const PAGE_ROWS = 50

export function roomRoutes(house: House): Route[] {
  const { storage, access } = house
  return [
    members('page', 'GET /rooms', 'none', async (call) => {
      const after = queryValue(call.ctx, 'after')
      const rooms = await storage.rooms.ofUser(call.principal.user.id, { after, limit: PAGE_ROWS })
      house.show(call, (frame) => roomsPage(frame, rooms))
    }),
    members('page', 'GET /rooms/:id', 'none', (call) => showRoom(house, call, null)),
    members('api', 'GET /api/rooms', 'none', async ({ ctx, principal }) => {
      const after = queryValue(ctx, 'after')
      const rooms = await storage.rooms.ofUser(principal.user.id, { after, limit: anyLimit(ctx, PAGE_ROWS) })
      const items = rooms.items.map((room) => ({ ...roomDocument(room), role: room.role }))
      ctx.body = { items, next: rooms.next }
    }),
    members('api', 'GET /api/rooms/:id', 'none', async ({ ctx, principal, param }) => {
      const room = await access.room(principal, parseId('room', param('id')), 'room.list')
      ctx.body = roomDocument(room)
    }),
    members('api', 'GET /api/rooms/:id/files', 'none', async ({ ctx, principal, param }) => {
      const room = await access.room(principal, parseId('room', param('id')), 'room.read')
      const after = queryValue(ctx, 'after')
      const files = await storage.files.list(room.id, { after, limit: anyLimit(ctx, PAGE_ROWS) })
      ctx.body = { items: files.items.map(fileDocument), next: files.next }
    }),
  ]
}

/** Shows a room with its files; `problem` says what went wrong with the form on it. */
export async function showRoom(house: House, call: Call<Principal>, problem: string | null): Promise<void> {
  const { storage, access } = house
  const room = await access.room(call.principal, parseId('room', call.param('id')), 'room.read')
  const after = queryValue(call.ctx, 'after')
  const files = await storage.files.list(room.id, { after, limit: PAGE_ROWS })
  const may = await access.ask(call.principal, room, ['file.upload', 'file.seal'])
  const told = queryValue(call.ctx, 'done')
  const done = told === 'uploaded' || told === 'erased' ? told : null
  const page: RoomPage = {
    room,
    files,
    mayUpload: may.has('file.upload'),
    seal: may.has('file.seal') ? await describeSeal(house.seal) : null,
    formLimit: house.site.maxFormBytes,
    done,
    problem,
  }
  house.show(call, (frame) => roomPage(frame, page), problem === null ? 200 : 422)
}

function roomDocument(room: Room): Record<string, unknown> {
  return { id: room.id, name: room.name, level: room.level, state: room.state, createdAt: room.createdAt }
}

/** A file as JSON shows it; sizes in bytes, the hash as hex. */
export function fileDocument(file: File): Record<string, unknown> {
  const { current } = file
  return {
    id: file.id,
    roomId: file.roomId,
    name: file.name,
    state: current.state,
    version: current.number,
    size: current.size,
    sha256: current.sha256,
    mediaType: current.mediaType,
    createdAt: file.createdAt,
    changedAt: current.createdAt,
  }
}
