/** The first rows of an upload: its content, its first segment, itself. */
import type { Actor } from '../actor.ts'
import { userOf } from '../actor.ts'
import { StorageError } from '../errors.ts'
import { newRowId, type ContentId, type FileId, type RoomId, type UploadId } from '../ids.ts'
import { insertRow } from '../metadata/kept-statement.ts'
import type { Db } from '../metadata/schema.ts'
import { insertContent } from '../segments/segment-rows.ts'
import type { BegunUpload, UploadSpec } from './upload.ts'
import type { UploadDeps } from './finish.ts'
import { openRoom, ticketHash } from './upload-rows.ts'

export interface NewUpload {
  id: UploadId
  contentId: ContentId
  ticket: string
  roomId: RoomId
  expiresAt: Date
}

export interface NewUploadOrder {
  spec: Omit<UploadSpec, 'kind'> & { kind: UploadSpec['kind'] | 'final' }
  by: Actor
}

/**
 * Ids and ticket of a new upload, and the writing of its rows inside a transaction.
 *
 * @throws StorageError `storage/bad-value`; from `insert`: `storage/not-found`, `storage/room-closed`
 */
export function prepareUpload(
  deps: UploadDeps,
  { spec, by }: NewUploadOrder,
): {
  upload: NewUpload
  insert: (db: Db) => Promise<void>
  insertFinished: (db: Db, whole: WholeUpload) => Promise<void>
} {
  checkSize(spec.size)
  const now = deps.clock()
  const upload: NewUpload = {
    id: newRowId<UploadId>(deps),
    contentId: newRowId<ContentId>(deps),
    ticket: deps.random(32).toString('base64url'),
    roomId: spec.roomId,
    expiresAt: new Date(now.getTime() + spec.expiresAfterMs),
  }
  const content = { id: upload.contentId, scope: spec.roomId }
  return {
    upload,
    insert: async (db) => {
      await openRoom(db, spec.roomId)
      await insertContent(db, { ...content, size: 0, sha256: null, state: 'open' }, now)
      await insertUpload(db, { upload, spec, by, now }, null)
    },
    insertFinished: async (db, whole) => {
      // A file asks for itself whether its room is open.
      if (spec.kind === 'partial') await openRoom(db, spec.roomId)
      await insertContent(db, { ...content, size: whole.size, sha256: whole.sha256, state: 'whole' }, now)
      await whole.saveSegment(db)
      await insertUpload(db, { upload, spec, by, now }, { size: whole.size, fileId: await whole.makeFile(db) })
    },
  }
}

/** An upload that is over when it begins: its bytes are one object already. */
export interface WholeUpload {
  size: number
  sha256: string
  saveSegment: (db: Db) => Promise<void>
  /** null = a partial, which is no file */
  makeFile: (db: Db) => Promise<FileId | null>
}

async function insertUpload(
  db: Db,
  { upload, spec, by, now }: NewUploadOrder & { upload: NewUpload; now: Date },
  finished: { size: number; fileId: FileId | null } | null,
): Promise<void> {
  await insertRow(db, 'upload', {
    id: upload.id,
    ticket_hash: ticketHash(upload.ticket),
    room_id: spec.roomId,
    content_id: upload.contentId,
    name: spec.name,
    media_type: spec.mediaType ?? null,
    metadata: spec.metadata,
    size: spec.size,
    offset_bytes: finished?.size ?? 0,
    kind: spec.kind,
    state: finished === null ? 'open' : 'finished',
    file_id: finished?.fileId ?? null,
    holder: null,
    held_until: 0,
    wanted: 0,
    dirty: 0,
    expires_after_ms: spec.expiresAfterMs,
    expires_at: upload.expiresAt.getTime(),
    created_at: now.getTime(),
    created_by: userOf(by),
  })
}

export function begunState(
  upload: NewUpload,
  { spec, by }: NewUploadOrder,
  done: Pick<BegunUpload['state'], 'offset' | 'state' | 'fileId'>,
): BegunUpload {
  const { id, ticket, roomId, expiresAt } = upload
  const { size, kind, metadata } = spec
  return { id, ticket, state: { id, roomId, size, kind, metadata, expiresAt, createdBy: userOf(by), ...done } }
}

function checkSize(size: number | null): void {
  if (size === null || (Number.isSafeInteger(size) && size >= 0)) return
  throw new StorageError('storage/bad-value', 'a size is a whole number of bytes from 0')
}
