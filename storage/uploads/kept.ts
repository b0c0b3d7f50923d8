/** Whether what the rows of an upload name is still in the object store, and what to do when it is not. */
import { StorageError } from '../errors.ts'
import type { ContentId } from '../ids.ts'
import type { ObjectStore } from '../objects/object-store.ts'
import { markErasing } from '../segments/erasure.ts'
import { segmentsOf, type Segment } from '../segments/segment-rows.ts'
import type { UploadDeps } from './finish.ts'
import type { UploadRow } from './upload-rows.ts'

/** Asks the store once per segment. @throws StorageError `storage/objects-unavailable` */
export async function isKept(deps: UploadDeps, content: ContentId): Promise<boolean> {
  for (const segment of await segmentsOf(deps.database.kysely, content)) {
    if (!(await isSegmentKept(deps.objects, segment))) return false
  }
  return true
}

async function isSegmentKept(objects: ObjectStore, segment: Segment): Promise<boolean> {
  if (segment.tail && (await objects.size(segment.tail.objectId)) === null) return false
  if (segment.parts === 0 || segment.handle === null) return true
  try {
    await (await objects.openParts(segment.objectId, segment.handle)).close()
    return true
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'storage/object-absent')) throw error
    // It may have been completed by a finish of which the row knows nothing yet.
    return (await objects.size(segment.objectId)) !== null
  }
}

/** Marks an upload as ended whose bytes have vanished behind our back: nobody is to build on them. */
export async function markLost(deps: UploadDeps, row: UploadRow): Promise<void> {
  deps.log.error({ upload: row.id, offset: row.offset }, 'bytes of an upload have vanished from the object store')
  await deps.database.transaction(async (db) => {
    const { numUpdatedRows } = await db
      .updateTable('upload')
      .set({ state: 'cancelled' })
      .where('id', '=', row.id)
      .where('state', '=', 'open')
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return
    const { audit, jobs } = deps.rows(db)
    await markErasing(db, row.contentId)
    await jobs.add({ kind: 'erase', subject: row.contentId })
    const by = { kind: 'system', name: 'upload' } as const
    await audit.append({ action: 'upload.lost', subject: row.id, by, detail: { room: row.roomId, offset: row.offset } })
  })
}
