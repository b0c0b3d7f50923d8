/** Erasing: keys are destroyed in the transaction of the act, the objects are deleted by `erase` jobs afterwards. */
import type { ContentId, FileId, ScopeId } from './ids.ts'
import { createJobs } from './jobs/outbox.ts'
import type { Db } from './metadata/schema.ts'
import type { RowDeps } from './rows.ts'

const BATCH = 500

/** Adds an `erase` job for every content that waits for it, in the caller's transaction (`deps.db`). */
export async function scheduleErasure(deps: RowDeps, of: { scope: ScopeId } | { file: FileId }): Promise<void> {
  const jobs = createJobs(deps)
  let after = ''
  for (;;) {
    const rows = await readErasing(deps.db, of, after)
    for (const { id } of rows) await jobs.add({ kind: 'erase', subject: id })
    const last = rows.at(-1)
    if (last === undefined || rows.length < BATCH) return
    after = last.id
  }
}

async function readErasing(
  db: Db,
  of: { scope: ScopeId } | { file: FileId },
  after: string,
): Promise<{ id: ContentId }[]> {
  const erasing = db
    .selectFrom('content')
    .select('id')
    .where('state', '=', 'erasing')
    .where('id', '>', after as ContentId)
    .orderBy('id')
    .limit(BATCH)
  if ('scope' in of) return erasing.where('scope_id', '=', of.scope).execute()
  const ofFile = db.selectFrom('file_version').select('content_id').where('file_id', '=', of.file)
  return erasing.where('id', 'in', ofFile).execute()
}

/** Destroys the segment keys of a file's contents; nobody can read them from the commit on. */
export async function destroyFileKeys(db: Db, file: FileId): Promise<void> {
  const contents = db.selectFrom('file_version').select('content_id').where('file_id', '=', file)
  await db.updateTable('segment').set({ wrapped_key: null }).where('content_id', 'in', contents).execute()
  await db
    .updateTable('content')
    .set({ state: 'erasing' })
    .where('id', 'in', contents)
    .where('state', 'in', ['open', 'whole'])
    .execute()
}
