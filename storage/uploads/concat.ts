/** One file out of finished partial uploads: their segments are taken over, nothing is copied or sealed again. */
import type { Actor } from '../actor.ts'
import { userOf } from '../actor.ts'
import { StorageError } from '../errors.ts'
import type { ContentId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'
import type { UploadSpec } from './upload.ts'
import type { NewUpload } from './begin.ts'
import { commitFile, type UploadDeps } from './finish.ts'
import { uploadByTicket, type UploadRow } from './upload-rows.ts'

/** @param insert writes the row of the final upload with its empty content */
export async function concatUploads(
  deps: UploadDeps,
  order: { spec: UploadSpec; tickets: readonly string[]; by: Actor },
  insert: (db: Db) => Promise<NewUpload>,
): Promise<NewUpload> {
  if (order.tickets.length === 0) throw new StorageError('storage/bad-value', 'no partial upload is named')
  return deps.database.transaction(async (db) => {
    const partials: UploadRow[] = []
    for (const ticket of order.tickets) partials.push(await partialOf(deps, db, order, ticket))
    const named = new Set(partials.map(({ id }) => id))
    if (named.size < partials.length) throw new StorageError('storage/wrong-state', 'a partial upload is named twice')
    const begun = await insert(db)
    let position = 0
    for (const partial of partials) position = await takeOver(db, partial, begun.contentId, position)
    const size = partials.reduce((sum, { offset }) => sum + offset, 0)
    const row = { ...begun, ...order.spec, mediaType: order.spec.mediaType ?? null, kind: 'final' as const, size }
    await commitFile(deps, db, { ...row, createdBy: userOf(order.by) }, null)
    return begun
  })
}

/** @throws StorageError `storage/not-found`, `storage/wrong-state` */
async function partialOf(
  deps: UploadDeps,
  db: Db,
  order: { spec: UploadSpec; by: Actor },
  ticket: string,
): Promise<UploadRow> {
  const row = await uploadByTicket(db, ticket)
  const isTheirs = row?.roomId === order.spec.roomId && row.createdBy === userOf(order.by)
  if (row === null || !isTheirs || row.expiresAt <= deps.clock()) {
    throw new StorageError('storage/not-found', 'no such partial upload')
  }
  if (row.kind !== 'partial') throw new StorageError('storage/wrong-state', 'the upload is not a partial one')
  if (row.state !== 'finished') throw new StorageError('storage/wrong-state', 'a partial upload is not whole yet')
  return row
}

/** Moves the segments of a partial behind `position` and ends the partial; returns the next position. */
async function takeOver(db: Db, partial: UploadRow, to: ContentId, position: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('upload')
    .where('id', '=', partial.id)
    .where('state', '=', 'finished')
    .executeTakeFirst()
  // Somebody else was faster with the same partial.
  if (numDeletedRows === 0n) throw new StorageError('storage/wrong-state', 'a partial upload is in use already')
  const segments = await db
    .selectFrom('segment')
    .select(['id', 'plain_size'])
    .where('content_id', '=', partial.contentId)
    .orderBy('position')
    .execute()
  let next = position
  for (const { id } of segments) {
    await db.updateTable('segment').set({ content_id: to, position: next++ }).where('id', '=', id).execute()
  }
  await db.deleteFrom('content').where('id', '=', partial.contentId).execute()
  return next
}
