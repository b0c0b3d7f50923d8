/** Rows of uploads as values. */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'

import { StorageError } from '../errors.ts'
import type { ContentId, RoomId, UploadId } from '../ids.ts'
import { keptStatement } from '../metadata/kept-statement.ts'
import type { Db } from '../metadata/schema.ts'
import type { UploadTable } from '../metadata/tables/contents.ts'
import type { UploadState } from './upload.ts'

export interface UploadRow extends Omit<UploadState, 'state'> {
  contentId: ContentId
  name: string
  mediaType: string | null
  state: UploadTable['state']
  holder: string | null
  heldUntil: number
  dirty: boolean
  expiresAfterMs: number
}

/** null = no such upload. */
export async function uploadById(db: Db, id: UploadId): Promise<UploadRow | null> {
  const row = await db.selectFrom('upload').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? fromRow(row) : null
}

/** null = no such ticket. */
export async function uploadByTicket(db: Db, ticket: string): Promise<UploadRow | null> {
  const row = await db.selectFrom('upload').selectAll().where('ticket_hash', '=', ticketHash(ticket)).executeTakeFirst()
  return row ? fromRow(row) : null
}

/** What a ticket is stored as: it has 256 random bits, so a plain hash is enough. */
export function ticketHash(ticket: string): string {
  return createHash('sha256').update(ticket).digest('hex')
}

/** Whether the upload can still be spoken to at all. */
export function isAlive(row: UploadRow, now: Date): boolean {
  return row.state !== 'cancelled' && row.expiresAt > now
}

/** As the callers of storage see it; null = cancelled or expired. */
export function stateOf(row: UploadRow | null, now: Date): UploadState | null {
  if (row === null || row.state === 'cancelled' || !isAlive(row, now)) return null
  const { id, roomId, offset, size, kind, metadata, expiresAt, state, createdBy, fileId } = row
  return { id, roomId, offset, size, kind, metadata, expiresAt, state, createdBy, fileId }
}

const selectRoomState = keptStatement((db, id: RoomId) => db.selectFrom('room').select('state').where('id', '=', id))

/** @throws StorageError `storage/not-found`, `storage/room-closed` */
export async function openRoom(db: Db, id: RoomId): Promise<void> {
  const [room] = (await selectRoomState(db, id)).rows
  if (!room) throw new StorageError('storage/not-found', 'no such room')
  if (room.state !== 'open') throw new StorageError('storage/room-closed', 'the room takes nothing new')
}

function fromRow(row: Selectable<UploadTable>): UploadRow {
  return {
    id: row.id,
    roomId: row.room_id,
    contentId: row.content_id,
    name: row.name,
    mediaType: row.media_type,
    metadata: row.metadata,
    size: row.size,
    offset: row.offset_bytes,
    kind: row.kind,
    state: row.state,
    fileId: row.file_id,
    holder: row.holder,
    heldUntil: row.held_until,
    dirty: row.dirty === 1,
    expiresAfterMs: row.expires_after_ms,
    expiresAt: new Date(row.expires_at),
    createdBy: row.created_by,
  }
}
