/** The end of an upload that went well: objects whole, then one transaction that makes a file of it. */
import type { Actor } from '../actor.ts'
import type { Audit } from '../audit-log.ts'
import { StorageError } from '../errors.ts'
import type { Files } from '../files.ts'
import type { FileId } from '../ids.ts'
import type { Jobs } from '../jobs/outbox.ts'
import type { Db } from '../metadata/schema.ts'
import type { ByteDeps } from '../segments/deps.ts'
import type { UploadRow } from './upload-rows.ts'
import type { Verify, Writing } from './writing.ts'

export interface UploadDeps extends ByteDeps {
  /** the row verbs that uploads use, bound to a transaction */
  rows(db: Db): { files: Files; audit: Audit; jobs: Pick<Jobs, 'add'> }
}

/** Closes the writing and commits the file; the row says where it has come. */
export async function finishUpload(
  deps: UploadDeps,
  row: UploadRow,
  writing: Writing,
  digests: {
    /** of the whole; null = lost: the file is held until a job has hashed it */
    sha256(): Promise<string | null>
    verify?: Verify | undefined
  },
): Promise<void> {
  const { save, committed } = await writing.close(digests.verify)
  const sha256 = await digests.sha256()
  await deps.database.transaction(async (db) => {
    await save(db)
    const { size } = await db
      .selectFrom('content')
      .select('size')
      .where('id', '=', row.contentId)
      .executeTakeFirstOrThrow()
    await commitFile(deps, db, { ...row, size }, sha256)
  })
  committed()
}

/** Everything that turns a whole content into a file; runs inside the finishing transaction. */
export async function commitFile(
  deps: UploadDeps,
  db: Db,
  row: Pick<UploadRow, 'id' | 'contentId' | 'roomId' | 'name' | 'mediaType' | 'kind' | 'createdBy'> & { size: number },
  sha256: string | null,
): Promise<FileId | null> {
  const { id, contentId, size } = row
  const { numUpdatedRows } = await db
    .updateTable('content')
    .set({ state: 'whole', size, sha256 })
    .where('id', '=', contentId)
    .where('state', '=', 'open')
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw new StorageError('storage/upload-gone', 'the content of the upload was erased')
  if (row.kind !== 'partial') await requireSender(db, row)
  const fileId = row.kind === 'partial' ? null : await createFile(deps, db, row, sha256)
  await db
    .updateTable('upload')
    .set({ state: 'finished', offset_bytes: size, size, file_id: fileId })
    .where('id', '=', id)
    .execute()
  return fileId
}

/**
 * A ticket outlives the session that began the upload, but not the account, nor the right to write into the room.
 *
 * @throws StorageError `storage/upload-gone`
 */
async function requireSender(db: Db, { roomId, createdBy }: Pick<UploadRow, 'roomId' | 'createdBy'>): Promise<void> {
  if (createdBy === null) return
  const sender = await db
    .selectFrom('room_member as m')
    .innerJoin('user_account as u', 'u.id', 'm.user_id')
    .select('m.role')
    .where('m.room_id', '=', roomId)
    .where('m.user_id', '=', createdBy)
    .where('u.state', '=', 'active')
    .executeTakeFirst()
  if (sender === undefined || sender.role === 'reader')
    throw new StorageError('storage/upload-gone', 'its sender may not write into this room any more')
}

/** The file, and the job that hashes it where the hash is not known. */
export async function createFile(
  deps: UploadDeps,
  db: Db,
  row: Pick<UploadRow, 'contentId' | 'roomId' | 'name' | 'mediaType' | 'createdBy'>,
  sha256: string | null,
): Promise<FileId> {
  const { contentId, roomId, name, mediaType } = row
  const { files, jobs } = deps.rows(db)
  const state = sha256 === null ? 'held' : 'released'
  const fileId = await files.create({ contentId, roomId, name, mediaType, state }, actorOf(row))
  if (sha256 === null) {
    await jobs.add({ kind: 'fingerprint', subject: contentId, payload: { fileId, number: 1 } })
  }
  return fileId
}

/** On whose behalf the program acts when an upload ends. */
function actorOf(row: Pick<UploadRow, 'createdBy'>): Actor {
  return row.createdBy === null ? { kind: 'system', name: 'upload' } : { kind: 'user', id: row.createdBy }
}
