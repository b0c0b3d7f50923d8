/**
 * Batches of seals as rows: which files of a room are to be sealed, and how far that is.
 *
 * An item changes from waiting to sealed in the transaction that adds the sealed version, so a restart seals nothing
 * twice. What a seal is, the modules above know.
 */
import type { Selectable } from 'kysely'

import { userOf } from './actor.ts'
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { FileId, RoomId, SealBatchId } from './ids.ts'
import { createJobs } from './jobs/outbox.ts'
import type { Db } from './metadata/schema.ts'
import type { SealBatchItemTable, SealBatchTable } from './metadata/tables/sealing.ts'
import type { RowDeps } from './rows.ts'

export interface SealBatch {
  id: SealBatchId
  roomId: RoomId
  state: SealBatchTable['state']
  /** what was asked for, as it was given to `create` */
  wishes: Readonly<Record<string, unknown>>
  total: number
  sealed: number
  failed: number
  protocolFileId: FileId | null
  createdAt: Date
  endedAt: Date | null
}

export interface SealBatchItem {
  position: number
  fileId: FileId
  version: number
  state: SealBatchItemTable['state']
  sealedVersion: number | null
  error: string | null
}

export interface NewSealBatch {
  roomId: RoomId
  /** the versions to be sealed, in this order; 1 to 100,000, each file once */
  items: readonly { fileId: FileId; version: number }[]
  wishes: Readonly<Record<string, unknown>>
}

export interface SealBatches {
  /** Adds the batch with its job. @throws StorageError `storage/bad-value` */
  create(batch: NewSealBatch, by: Actor): Promise<SealBatchId>
  /** @throws StorageError `storage/not-found` */
  byId(id: SealBatchId): Promise<SealBatch>
  /** Newest first, at most 20. */
  ofRoom(roomId: RoomId): Promise<SealBatch[]>
  /** In order of position, from `from` on. */
  items(
    id: SealBatchId,
    request: { from?: number; limit: number; state?: SealBatchItem['state'] },
  ): Promise<SealBatchItem[]>
  /**
   * Call in the transaction that adds the sealed version.
   *
   * @throws StorageError `storage/wrong-state` it is not waiting any more, or the batch was cancelled
   */
  itemSealed(id: SealBatchId, position: number, sealedVersion: number): Promise<void>
  /** @param error code that is shown to people */
  itemFailed(id: SealBatchId, position: number, error: string): Promise<void>
  /** Ends the batch; in the transaction that adds the protocol. @throws StorageError `storage/wrong-state` it has ended */
  finish(id: SealBatchId, protocol: FileId, by: Actor): Promise<void>
  /** Stops the batch; what is sealed stays. @throws StorageError `storage/wrong-state` it has ended */
  cancel(id: SealBatchId, by: Actor): Promise<void>
}

export function createSealBatches(deps: RowDeps): SealBatches {
  const { db } = deps
  return {
    create: (batch, by) => createBatch(deps, batch, by),
    byId: async (id) => {
      const row = await db.selectFrom('seal_batch').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) throw new StorageError('storage/not-found', 'no such batch')
      return withCounts(db, row)
    },
    ofRoom: async (roomId) => {
      const rows = await db
        .selectFrom('seal_batch')
        .selectAll()
        .where('room_id', '=', roomId)
        .orderBy('created_at', 'desc')
        .limit(20)
        .execute()
      return Promise.all(rows.map((row) => withCounts(db, row)))
    },
    items: (id, request) => readItems(db, id, request),
    itemSealed: (id, position, version) => endItem(deps, { id, position, state: 'sealed', version, error: null }),
    itemFailed: (id, position, error) => endItem(deps, { id, position, state: 'failed', version: null, error }),
    finish: async (id, protocol, by) => {
      const ended = await endBatch(deps, id, { state: 'done', protocol }, by)
      if (!ended) throw new StorageError('storage/wrong-state', 'the batch has ended')
    },
    cancel: async (id, by) => {
      const ended = await endBatch(deps, id, { state: 'cancelled', protocol: null }, by)
      if (!ended) throw new StorageError('storage/wrong-state', 'the batch has ended')
    },
  }
}

async function createBatch(deps: RowDeps, { roomId, items, wishes }: NewSealBatch, by: Actor): Promise<SealBatchId> {
  const isDistinct = new Set(items.map(({ fileId }) => fileId)).size === items.length
  if (items.length === 0 || items.length > MOST_ITEMS || !isDistinct)
    throw new StorageError('storage/bad-value', `a batch has 1 to ${MOST_ITEMS} files, each once`)
  const id = newRowId<SealBatchId>(deps)
  return deps.within(async (db) => {
    await db
      .insertInto('seal_batch')
      .values({
        ...{ id, room_id: roomId, state: 'running', wishes: JSON.stringify(wishes), total: items.length },
        ...{ protocol_file_id: null, created_at: deps.clock().getTime(), created_by: userOf(by), ended_at: null },
      })
      .execute()
    for (let from = 0; from < items.length; from += INSERTED_AT_ONCE) {
      const rows = items.slice(from, from + INSERTED_AT_ONCE).map(({ fileId, version }, index) => ({
        ...{ batch_id: id, position: from + index, file_id: fileId, version },
        ...{ state: 'waiting' as const, sealed_version: null, error: null, ended_at: null },
      }))
      await db.insertInto('seal_batch_item').values(rows).execute()
    }
    await createJobs({ ...deps, db, within: (work) => work(db) }).add({ kind: 'seal-batch', subject: id })
    const detail = { batch: id, files: items.length }
    await deps.record(db, { action: 'seal-batch.created', subject: roomId, by, detail })
    return id
  })
}

async function withCounts(db: Db, row: Selectable<SealBatchTable>): Promise<SealBatch> {
  const counts = await db
    .selectFrom('seal_batch_item')
    .select(['state', (eb) => eb.fn.countAll().as('count')])
    .where('batch_id', '=', row.id)
    .groupBy('state')
    .execute()
  const countOf = (state: string): number => Number(counts.find((count) => count.state === state)?.count ?? 0)
  return {
    ...{ id: row.id, roomId: row.room_id, state: row.state, total: row.total, protocolFileId: row.protocol_file_id },
    wishes: JSON.parse(row.wishes) as Record<string, unknown>,
    ...{ sealed: countOf('sealed'), failed: countOf('failed') },
    createdAt: new Date(row.created_at),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at),
  }
}

async function readItems(
  db: Db,
  id: SealBatchId,
  { from = 0, limit, state }: { from?: number; limit: number; state?: SealBatchItem['state'] },
): Promise<SealBatchItem[]> {
  let query = db.selectFrom('seal_batch_item').selectAll().where('batch_id', '=', id).where('position', '>=', from)
  if (state !== undefined) query = query.where('state', '=', state)
  const rows = await query.orderBy('position').limit(limit).execute()
  return rows.map((row) => ({
    ...{ position: row.position, fileId: row.file_id, version: row.version, state: row.state },
    ...{ sealedVersion: row.sealed_version, error: row.error },
  }))
}

interface ItemEnd {
  id: SealBatchId
  position: number
  state: 'sealed' | 'failed'
  version: number | null
  error: string | null
}

async function endItem({ clock, within }: RowDeps, { id, position, state, version, error }: ItemEnd): Promise<void> {
  await within(async (db) => {
    const running = db.selectFrom('seal_batch').select('id').where('id', '=', id).where('state', '=', 'running')
    const result = await db
      .updateTable('seal_batch_item')
      .set({ state, sealed_version: version, error, ended_at: clock().getTime() })
      .where('batch_id', 'in', running)
      .where('position', '=', position)
      .where('state', '=', 'waiting')
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n)
      throw new StorageError('storage/wrong-state', 'this file of the batch is not waiting to be sealed')
  })
}

function endBatch(
  deps: RowDeps,
  id: SealBatchId,
  { state, protocol }: { state: 'done' | 'cancelled'; protocol: FileId | null },
  by: Actor,
): Promise<boolean> {
  return deps.within(async (db) => {
    const row = await db
      .updateTable('seal_batch')
      .set({ state, protocol_file_id: protocol, ended_at: deps.clock().getTime() })
      .where('id', '=', id)
      .where('state', '=', 'running')
      .returning(['room_id'])
      .executeTakeFirst()
    if (row === undefined) return false
    const action = state === 'done' ? 'seal-batch.done' : 'seal-batch.cancelled'
    await deps.record(db, { action, subject: row.room_id, by, detail: { batch: id } })
    return true
  })
}

const MOST_ITEMS = 100_000
const INSERTED_AT_ONCE = 100
