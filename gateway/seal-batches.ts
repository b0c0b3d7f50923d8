/** Routes of batches: sealing many files of a room in one go, watching it, stopping it. */
import { z } from 'zod'
import { parseId } from '../storage/index.ts'
import type { Actor, File, FileId, Room, SealBatch, Storage } from '../storage/index.ts'
import { hideAbsence } from './access.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { readWishes, wishesShape } from './seal-wishes.ts'
import type { SealWishes } from './seal-level.ts'
import { seeOther } from './session.ts'
import { sealBatchPage } from './web/seal-batch-page.ts'

export function sealBatchRoutes(house: House): Route[] {
  const { storage } = house
  return [
    members('page', 'POST /rooms/:id/seal-batches', 'form', async (call) => {
      const room = await reachRoom(house, call)
      const wishes = readWishes(call.fields)
      const id = await startSealBatch(storage, { room, files: null, wishes }, call.principal.actor)
      seeOther(call.ctx, `/seal-batches/${id}`)
    }),
    members('page', 'GET /seal-batches/:id', 'none', async (call) => {
      const { batch, room } = await reachBatch(house, call, 'room.read')
      const may = await house.access.ask(call.principal, room, ['file.seal'])
      const failures = await storage.sealBatches.items(batch.id, { limit: 100, state: 'failed' })
      const named = await Promise.all(
        failures.map(async ({ fileId, error }) => ({ fileId, error, name: (await storage.files.byId(fileId)).name })),
      )
      const page = { batch, room, failures: named, mayCancel: may.has('file.seal'), now: house.clock() }
      house.show(call, (frame) => sealBatchPage(frame, page))
    }),
    members('page', 'POST /seal-batches/:id/cancel', 'form', async (call) => {
      const { batch } = await reachBatch(house, call, 'file.seal')
      await storage.sealBatches.cancel(batch.id, call.principal.actor)
      seeOther(call.ctx, `/seal-batches/${batch.id}`)
    }),
    members('api', 'POST /api/rooms/:id/seal-batches', 'json', async (call) => {
      const room = await reachRoom(house, call)
      const order = readOrder(call.json)
      const id = await startSealBatch(storage, { room, ...order }, call.principal.actor)
      call.ctx.status = 202
      call.ctx.set('Location', `/api/seal-batches/${id}`)
      call.ctx.body = batchDocument(await storage.sealBatches.byId(id))
    }),
    members('api', 'GET /api/seal-batches/:id', 'none', async (call) => {
      call.ctx.body = batchDocument((await reachBatch(house, call, 'room.read')).batch)
    }),
    members('api', 'POST /api/seal-batches/:id/cancel', 'none', async (call) => {
      const { batch } = await reachBatch(house, call, 'file.seal')
      await storage.sealBatches.cancel(batch.id, call.principal.actor)
      call.ctx.body = batchDocument(await storage.sealBatches.byId(batch.id))
    }),
  ]
}

export interface BatchOrder {
  room: Room
  /** null: every PDF of the room whose newest version bears no seal of ours */
  files: readonly FileId[] | null
  wishes: SealWishes
}

/**
 * Queues a batch; nothing is sealed when this resolves.
 *
 * @throws GatewayError `gateway/nothing-to-seal`; `gateway/not-found` a file is not in the room
 */
export async function startSealBatch(storage: Storage, { room, files, wishes }: BatchOrder, by: Actor) {
  const chosen = files === null ? await unsealedPdfs(storage, room) : await filesOf(storage, room, files)
  const items = chosen.map(({ id, current }) => ({ fileId: id, version: current.number }))
  if (items.length === 0) throw new GatewayError('gateway/nothing-to-seal')
  return storage.sealBatches.create({ roomId: room.id, items, wishes: { ...wishes } }, by)
}

async function unsealedPdfs(storage: Storage, room: Room): Promise<File[]> {
  const found: File[] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<Storage['files']['list']>> = await storage.files.list(room.id, { after, limit: 500 })
    found.push(...page.items.filter(isUnsealedPdf))
    after = page.next
  } while (after !== null)
  return found
}

function isUnsealedPdf({ name, current }: File): boolean {
  return /\.pdf$/i.test(name) && current.state === 'released' && current.note?.startsWith('sealed') !== true
}

async function filesOf(storage: Storage, room: Room, ids: readonly FileId[]): Promise<File[]> {
  const files: File[] = []
  for (const id of new Set(ids)) {
    const file = await hideAbsence(storage.files.byId(id))
    if (file.roomId !== room.id || file.state === 'erased') throw new GatewayError('gateway/not-found')
    files.push(file)
  }
  return files
}

async function reachRoom(house: House, call: Call<Principal>): Promise<Room> {
  if (house.seal === null) throw new GatewayError('gateway/not-configured')
  return house.access.room(call.principal, parseId('room', call.param('id')), 'file.seal')
}

async function reachBatch(
  house: House,
  call: Call<Principal>,
  action: 'room.read' | 'file.seal',
): Promise<{ batch: SealBatch; room: Room }> {
  const batch = await hideAbsence(house.storage.sealBatches.byId(parseId('seal-batch', call.param('id'))))
  return { batch, room: await house.access.room(call.principal, batch.roomId, action) }
}

const ORDER = z.strictObject({ files: z.array(z.string()).max(1_000).optional(), ...wishesShape })

function readOrder(json: unknown): { files: FileId[] | null; wishes: SealWishes } {
  const parsed = ORDER.safeParse(json)
  if (!parsed.success) throw new GatewayError('gateway/bad-input')
  const { files, ...wishes } = parsed.data
  return { files: files?.map((id) => parseId('file', id)) ?? null, wishes: readWishes(wishes) }
}

function batchDocument(batch: SealBatch): Record<string, unknown> {
  const { id, roomId, state, total, sealed, failed, protocolFileId, createdAt, endedAt } = batch
  return { id, roomId, state, total, sealed, failed, protocolFileId, createdAt, endedAt }
}
