/** Files as rows: what they look like, and how they are found. */
import { StorageError } from './errors.ts'
import type { ContentId, FileId, RoomId, UserId } from './ids.ts'
import type { Db } from './metadata/schema.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'

export interface FileVersion {
  fileId: FileId
  /** from 1 */
  number: number
  contentId: ContentId
  mediaType: string | null
  note: string | null
  state: 'released' | 'held' | 'erased'
  scanned: boolean
  /** plaintext bytes */
  size: number
  /** SHA-256 of the plaintext, hex; null = not known yet */
  sha256: string | null
  createdAt: Date
  createdBy: UserId | null
}

export interface File {
  id: FileId
  roomId: RoomId
  name: string
  state: 'present' | 'erased'
  createdAt: Date
  createdBy: UserId | null
  /** newest version */
  current: FileVersion
}

/** Ordered by name, then id. */
export async function listFiles(db: Db, roomId: RoomId, page: PageRequest): Promise<Page<File>> {
  const limit = pageLimit(page)
  const [name, id] = decodeCursor(page.after, 2) ?? []
  let query = selectFiles(db).where('f.room_id', '=', roomId).where('f.state', '=', 'present')
  if (name !== undefined && id !== undefined) {
    query = query.where((eb) => eb(eb.refTuple('f.name_key', 'f.id'), '>', eb.tuple(name, id as FileId)))
  }
  const rows = await query
    .orderBy('f.name_key')
    .orderBy('f.id')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toFile, (row) => encodeCursor([row.name_key, row.id]))
}

export async function fileRow(db: Db, id: FileId): Promise<File> {
  const row = await selectFiles(db).where('f.id', '=', id).executeTakeFirst()
  if (row === undefined) throw new StorageError('storage/not-found', 'no such file')
  return toFile(row)
}

export async function fileByName(db: Db, roomId: RoomId, name: string): Promise<File | null> {
  const row = await selectFiles(db)
    .where('f.room_id', '=', roomId)
    .where('f.name_key', '=', name.normalize('NFC'))
    .where('f.state', '=', 'present')
    .orderBy('f.created_at', 'desc')
    .orderBy('f.id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : toFile(row)
}

/** Newest first. */
export async function versionsOf(db: Db, id: FileId): Promise<FileVersion[]> {
  const rows = await db
    .selectFrom('file_version as v')
    .innerJoin('content as c', 'c.id', 'v.content_id')
    .select(VERSION_COLUMNS)
    .where('v.file_id', '=', id)
    .orderBy('v.number', 'desc')
    .execute()
  return rows.map(toVersion)
}

const VERSION_COLUMNS = [
  'v.file_id',
  'v.number',
  'v.content_id',
  'v.media_type',
  'v.note',
  'v.state as version_state',
  'v.scanned',
  'v.created_at as version_created_at',
  'v.created_by as version_created_by',
  'c.size',
  'c.sha256',
] as const

function selectFiles(db: Db) {
  return db
    .selectFrom('file as f')
    .innerJoin('file_version as v', (join) =>
      join.onRef('v.file_id', '=', 'f.id').onRef('v.number', '=', 'f.current_version'),
    )
    .innerJoin('content as c', 'c.id', 'v.content_id')
    .select([
      'f.id',
      'f.room_id',
      'f.name',
      'f.name_key',
      'f.state',
      'f.created_at',
      'f.created_by',
      ...VERSION_COLUMNS,
    ])
}

interface VersionRow {
  file_id: FileId
  number: number
  content_id: ContentId
  media_type: string | null
  note: string | null
  version_state: FileVersion['state']
  scanned: 0 | 1
  version_created_at: number
  version_created_by: UserId | null
  size: number
  sha256: string | null
}

interface FileRow extends VersionRow {
  id: FileId
  room_id: RoomId
  name: string
  name_key: string
  state: File['state']
  created_at: number
  created_by: UserId | null
}

function toFile(row: FileRow): File {
  const { id, name, state } = row
  return {
    ...{ id, name, state },
    roomId: row.room_id,
    createdAt: new Date(row.created_at),
    createdBy: row.created_by,
    current: toVersion(row),
  }
}

function toVersion(row: VersionRow): FileVersion {
  const { number, note, size, sha256 } = row
  return {
    ...{ number, note, size, sha256 },
    fileId: row.file_id,
    contentId: row.content_id,
    mediaType: row.media_type,
    state: row.version_state,
    scanned: row.scanned === 1,
    createdAt: new Date(row.version_created_at),
    createdBy: row.version_created_by,
  }
}
