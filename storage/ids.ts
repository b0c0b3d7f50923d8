/**
 * Ids: UUIDs (RFC 9562), branded so that a room's id is never taken for a file's. None of them is a secret.
 * Made by `newRowId` and `newId`, or by `parseId` from input at the edge, nowhere else.
 */
import { StorageError } from './errors.ts'
import type { Random, World } from './world.ts'

declare const tag: unique symbol
type Id<Kind extends string> = string & { readonly [tag]: Kind }

export type RoomId = Id<'room'>
export type UserId = Id<'user'>
export type UnitId = Id<'unit'>
export type FileId = Id<'file'>
export type ContentId = Id<'content'>
export type SegmentId = Id<'segment'>
export type ObjectId = Id<'object'>
export type UploadId = Id<'upload'>
export type MailboxId = Id<'mailbox'>
export type MessageId = Id<'message'>
export type JobId = Id<'job'>
export type SessionId = Id<'session'>
export type InvitationId = Id<'invitation'>
export type SealBatchId = Id<'seal-batch'>

/** What owns a key: a room, a mailbox, or the installation itself. */
export type ScopeId = RoomId | MailboxId | 'system'

export interface IdKinds {
  room: RoomId
  user: UserId
  unit: UnitId
  file: FileId
  content: ContentId
  segment: SegmentId
  object: ObjectId
  upload: UploadId
  mailbox: MailboxId
  message: MessageId
  job: JobId
  session: SessionId
  invitation: InvitationId
  'seal-batch': SealBatchId
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * A fresh id for a row, of the kind that the caller names as type argument: version 7 (RFC 9562 §5.7), milliseconds since
 * 1970 and then chance. Rows that are made together lie together in every index, so that a transaction writes few pages.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says which kind it makes
export function newRowId<T extends IdKinds[keyof IdKinds]>({ clock, random }: Pick<World, 'clock' | 'random'>): T {
  const bytes = random(16)
  bytes.writeUIntBE(clock().getTime(), 0, 6)
  return uuid(bytes, 7) as T
}

/** A fresh id that nothing can be read from and that spreads evenly: version 4 (RFC 9562 §5.4). For objects, and for the wire. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says which kind it makes
export function newId<T extends IdKinds[keyof IdKinds]>(random: Random): T {
  return uuid(random(16), 4) as T
}

/** RFC 9562 §4: version in the high nibble of octet 6, variant 10 in octet 8. */
function uuid(bytes: Buffer, version: 4 | 7): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Takes text from outside as an id.
 *
 * @throws StorageError `storage/bad-id` anything but a UUID in lower or upper case
 */
export function parseId<K extends keyof IdKinds>(kind: K, text: string): IdKinds[K] {
  const lower = text.length === 36 ? text.toLowerCase() : ''
  if (!UUID.test(lower)) throw new StorageError('storage/bad-id', `not the id of a ${kind}`)
  return lower as IdKinds[K]
}
