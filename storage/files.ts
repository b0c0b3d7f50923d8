/** Files of a room: a name and its versions. The bytes are in contents.ts. */
import { userOf } from './actor.ts'
import type { Actor } from './actor.ts'
import { destroyFileKeys, scheduleErasure } from './erasure.ts'
import { StorageError } from './errors.ts'
import { fileByName, fileRow, listFiles, versionsOf } from './file-rows.ts'
import type { File, FileVersion } from './file-rows.ts'
import { newRowId } from './ids.ts'
import type { ContentId, FileId, RoomId } from './ids.ts'
import { insertRow, keptStatement } from './metadata/kept-statement.ts'
import type { Db } from './metadata/schema.ts'
import type { Page, PageRequest } from './page.ts'
import type { RowDeps } from './rows.ts'

export type { File, FileVersion } from './file-rows.ts'

export interface NewVersion {
  contentId: ContentId
  mediaType?: string | null
  /** why it exists, e.g. "sealed" */
  note?: string | null
  state: 'released' | 'held'
}

export interface Files {
  /** Ordered by name. */
  list(roomId: RoomId, page?: PageRequest): Promise<Page<File>>
  /** @throws StorageError `storage/not-found` */
  byId(id: FileId): Promise<File>
  /** Newest file of that name (NFC) that is not erased. */
  byName(roomId: RoomId, name: string): Promise<File | null>
  /** Newest first. */
  versions(id: FileId): Promise<FileVersion[]>
  /** A new file with its first version; the content is whole already. @throws StorageError `storage/room-closed` */
  create(file: NewVersion & { roomId: RoomId; name: string }, by: Actor): Promise<FileId>
  /** @returns number of the new version */
  addVersion(id: FileId, version: NewVersion, by: Actor): Promise<number>
  /** Hands out what was held. */
  release(id: FileId, number: number, by: Actor): Promise<void>
  /** Destroys the keys of all versions; an `erase` job per content deletes the objects afterwards. */
  erase(id: FileId, by: Actor): Promise<void>
}

export function createFiles(deps: RowDeps): Files {
  const { db } = deps
  return {
    list: (roomId, page = {}) => listFiles(db, roomId, page),
    byId: (id) => fileRow(db, id),
    byName: (roomId, name) => fileByName(db, roomId, name),
    versions: (id) => versionsOf(db, id),
    create: (file, by) => createFile(deps, file, by),
    addVersion: (id, version, by) => addVersion(deps, id, version, by),
    release: (id, number, by) => release(deps, id, number, by),
    erase: (id, by) => erase(deps, id, by),
  }
}

async function createFile(
  deps: RowDeps,
  file: NewVersion & { roomId: RoomId; name: string },
  by: Actor,
): Promise<FileId> {
  const { roomId, name } = file
  checkFileName(name)
  const id = newRowId<FileId>(deps)
  const now = deps.clock().getTime()
  return deps.within(async (db) => {
    await requireOpen(db, roomId)
    await insertRow(db, 'file', {
      ...{ id, room_id: roomId, name, name_key: name.normalize('NFC'), current_version: 1, state: 'present' },
      ...{ created_at: now, created_by: userOf(by) },
    })
    await insertVersion(db, { ...file, fileId: id, number: 1, now }, by)
    const detail = { file: id, content: file.contentId, state: file.state }
    await deps.record(db, { action: 'file.created', subject: roomId, by, detail })
    return id
  })
}

async function addVersion(deps: RowDeps, id: FileId, version: NewVersion, by: Actor): Promise<number> {
  const now = deps.clock().getTime()
  return deps.within(async (db) => {
    const row = await db
      .updateTable('file')
      .set((eb) => ({ current_version: eb('current_version', '+', 1) }))
      .where('id', '=', id)
      .where('state', '=', 'present')
      .returning(['room_id', 'current_version'])
      .executeTakeFirst()
    if (row === undefined) throw notFound()
    await requireOpen(db, row.room_id)
    await insertVersion(db, { ...version, fileId: id, number: row.current_version, now }, by)
    const detail = { file: id, version: row.current_version, content: version.contentId, note: version.note ?? null }
    await deps.record(db, { action: 'file.version-added', subject: row.room_id, by, detail })
    return row.current_version
  })
}

async function insertVersion(
  db: Db,
  version: NewVersion & { fileId: FileId; number: number; now: number },
  by: Actor,
): Promise<void> {
  await insertRow(db, 'file_version', {
    ...{ file_id: version.fileId, number: version.number, content_id: version.contentId },
    ...{ media_type: version.mediaType ?? null, note: version.note ?? null, state: version.state, scanned: 0 },
    ...{ created_at: version.now, created_by: userOf(by) },
  })
}

async function release(deps: RowDeps, id: FileId, number: number, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const result = await db
      .updateTable('file_version')
      .set({ state: 'released' })
      .where('file_id', '=', id)
      .where('number', '=', number)
      .where('state', '=', 'held')
      .executeTakeFirst()
    if (result.numUpdatedRows === 0n) throw new StorageError('storage/wrong-state', 'the version is not held')
    const { roomId } = await fileRow(db, id)
    await deps.record(db, { action: 'file.released', subject: roomId, by, detail: { file: id, version: number } })
  })
}

async function erase(deps: RowDeps, id: FileId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const row = await db
      .updateTable('file')
      .set({ state: 'erased' })
      .where('id', '=', id)
      .where('state', '=', 'present')
      .returning('room_id')
      .executeTakeFirst()
    if (row === undefined) throw notFound()
    await db.updateTable('file_version').set({ state: 'erased' }).where('file_id', '=', id).execute()
    await destroyFileKeys(db, id)
    await scheduleErasure({ ...deps, db }, { file: id })
    await deps.record(db, { action: 'file.erased', subject: row.room_id, by, detail: { file: id } })
  })
}

const selectRoomState = keptStatement((db, id: RoomId) => db.selectFrom('room').select('state').where('id', '=', id))

async function requireOpen(db: Db, roomId: RoomId): Promise<void> {
  const [room] = (await selectRoomState(db, roomId)).rows
  if (room === undefined) throw new StorageError('storage/not-found', 'no such room')
  if (room.state !== 'open') throw new StorageError('storage/room-closed', `the room is ${room.state}`)
}

/** What is acceptable as a name is judged where it arrives; here only what a row can carry. */
function checkFileName(name: string): void {
  if (name.length > 0 && Buffer.byteLength(name) <= 1024) return
  throw new StorageError('storage/bad-value', 'a file name has 1 to 1,024 bytes')
}

function notFound(): StorageError {
  return new StorageError('storage/not-found', 'no such file')
}
