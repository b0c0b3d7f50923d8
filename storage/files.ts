/** Files of a room: a name and its versions. The bytes are in contents.ts. */
import type { Actor } from './actor.ts'
import type { ContentId, FileId, RoomId, UserId } from './ids.ts'
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
