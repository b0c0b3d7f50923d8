/** Erasing contents: first the keys, in the caller's transaction; then the bytes. */
import { StorageError } from '../errors.ts'
import type { ContentId } from '../ids.ts'
import type { Db } from '../metadata/schema.ts'
import type { ByteDeps } from './deps.ts'
import { deleteSegments } from './removal.ts'
import { contentRow, segmentsOf } from './segment-rows.ts'

/** Destroys the keys of a content: from the commit on nobody can read it. */
export async function markErasing(db: Db, id: ContentId): Promise<void> {
  await db.updateTable('segment').set({ wrapped_key: null }).where('content_id', '=', id).execute()
  await db
    .updateTable('content')
    .set({ state: 'erasing' })
    .where('id', '=', id)
    .where('state', 'in', ['open', 'whole'])
    .execute()
}

/**
 * Deletes the bytes of a content whose keys are destroyed; may be repeated.
 *
 * @throws StorageError `storage/objects-unavailable`; `storage/wrong-state` its keys are not destroyed
 */
export async function eraseContent(deps: Pick<ByteDeps, 'database' | 'objects'>, id: ContentId): Promise<void> {
  const db = deps.database.kysely
  const content = await contentRow(db, id)
  if (content === null || content.state === 'erased') return
  if (content.state !== 'erasing') throw new StorageError('storage/wrong-state', `the content is ${content.state}`)
  await deleteSegments(deps.objects, await segmentsOf(db, id))
  await deps.database.transaction(async (transaction) => {
    await transaction.deleteFrom('segment').where('content_id', '=', id).execute()
    await transaction.updateTable('content').set({ state: 'erased' }).where('id', '=', id).execute()
  })
}
