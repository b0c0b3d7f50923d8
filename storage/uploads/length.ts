/** The length of an upload: declared late, and what follows when all its bytes are there. */
import { StorageError } from '../errors.ts'
import { openRow, type Appending } from './append.ts'
import type { UploadDeps } from './finish.ts'
import type { HeldLease } from './held-lease.ts'
import { uploadById } from './upload-rows.ts'

/** See `Uploads.declareSize`. */
export async function declareSize(
  deps: UploadDeps,
  appending: Appending,
  lease: HeldLease,
  size: number,
): Promise<void> {
  const row = await openRow(deps, lease)
  const isOther = row.size !== null && row.size !== size
  if (isOther || size < row.offset || !Number.isSafeInteger(size)) {
    throw new StorageError('storage/size-mismatch', `another length was declared, or ${row.offset} bytes are there`)
  }
  // The length of an upload that is complete is only saved together with its end.
  if (size === row.offset) return appending.finish(lease, { ...row, size })
  if (row.size !== null) return
  await deps.database.kysely
    .updateTable('upload')
    .set({ size })
    .where('id', '=', row.id)
    .where('holder', '=', lease.holder)
    .execute()
}

/** See `Uploads.finishIfComplete`. */
export async function finishIfComplete(deps: UploadDeps, appending: Appending, lease: HeldLease): Promise<boolean> {
  const now = await uploadById(deps.database.kysely, lease.uploadId)
  if (now?.state === 'finished') return true
  const row = await openRow(deps, lease)
  if (row.size !== row.offset) return false
  await appending.finish(lease, row)
  return true
}
