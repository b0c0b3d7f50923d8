/** Uploads that end without a file: cancelled or expired. Row before bytes on the way out. */
import type { Actor } from '../actor.ts'
import { StorageError } from '../errors.ts'
import type { UploadId } from '../ids.ts'
import { eraseContent, markErasing } from '../segments/erasure.ts'
import type { UploadDeps } from './finish.ts'
import type { HeldLease } from './held-lease.ts'
import type { Leases } from './lease.ts'
import type { RunningDigests } from './running-digests.ts'
import { uploadById } from './upload-rows.ts'

/** Ends an upload; what it kept is unreadable when this resolves, and deleted then or by the `erase` job. */
export async function cancelUpload(
  deps: UploadDeps,
  digests: RunningDigests,
  lease: HeldLease,
  by: Actor,
): Promise<void> {
  const id = lease.uploadId
  const row = await uploadById(deps.database.kysely, id)
  if (row === null) throw new StorageError('storage/upload-gone', 'the upload has ended')
  const isFile = row.fileId !== null
  await deps.database.transaction(async (db) => {
    const { numDeletedRows } = await db
      .deleteFrom('upload')
      .where('id', '=', id)
      .where('holder', '=', lease.holder)
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw new StorageError('storage/upload-locked', 'another writer took the upload over')
    const { audit, jobs } = deps.rows(db)
    if (!isFile) {
      await markErasing(db, row.contentId)
      await jobs.add({ kind: 'erase', subject: row.contentId })
    }
    await audit.append({ action: 'upload.ended', subject: id, by, detail: { room: row.roomId, offset: row.offset } })
  })
  digests.forget(id)
  if (isFile) return
  try {
    await eraseContent(deps, row.contentId)
  } catch (error) {
    deps.log.warn({ upload: id, error }, 'could not delete the bytes of an ended upload yet; the erase job will')
  }
}

/** Ends uploads whose time has come, up to `limit`; one that somebody holds is left for the next time. */
export async function expireUploads(
  deps: UploadDeps,
  parts: { leases: Leases; digests: RunningDigests },
  now: Date,
  limit: number,
): Promise<number> {
  const due = await deps.database.kysely
    .selectFrom('upload')
    .select('id')
    .where('expires_at', '<=', now.getTime())
    .orderBy('expires_at')
    .limit(limit)
    .execute()
  let ended = 0
  for (const { id } of due) {
    if (await expireOne(deps, parts, id)) ended++
  }
  return ended
}

async function expireOne(
  deps: UploadDeps,
  { leases, digests }: { leases: Leases; digests: RunningDigests },
  id: UploadId,
): Promise<boolean> {
  const lease = await leases.takeForEnding(id)
  if (lease === null) return false
  try {
    await cancelUpload(deps, digests, lease, { kind: 'system', name: 'expire' })
    return true
  } finally {
    await lease.release()
  }
}
