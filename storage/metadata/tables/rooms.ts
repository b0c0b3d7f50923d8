/** Rows about rooms, the keys of scopes, and files. Times are ms since epoch, UTC. */
import type { Level, Role } from '../../../policies/index.ts'
import type { ContentId, FileId, RoomId, ScopeId, UnitId, UserId } from '../../ids.ts'

/** A data room. Its key scope has the same id. */
export interface RoomTable {
  id: RoomId
  /** as shown */
  name: string
  /** NFC, lower case; unique */
  name_key: string
  /** protection level, policies/levels.yaml */
  level: Level
  /** null = belongs to no unit */
  unit_id: UnitId | null
  /** closed = readable, takes nothing new; destroyed = its key is gone */
  state: 'open' | 'closed' | 'destroyed'
  created_at: number
}

/** Who may do what in a room. */
export interface RoomMemberTable {
  room_id: RoomId
  user_id: UserId
  role: Role
  added_at: number
}

/** The key of a room, of a mailbox or of the installation; FORMAT.md, part "Keys". */
export interface KeyScopeTable {
  id: ScopeId
  /** the scope's key sealed by the master key; null = destroyed */
  wrapped_key: Buffer | null
  /** which master key sealed it: name of the file in keys/master */
  master_key_id: string
  /** when the key was destroyed on purpose; null = alive */
  destroyed_at: number | null
}

/** A file in a room: a name and a row of versions. */
export interface FileTable {
  id: FileId
  room_id: RoomId
  /** as given by the uploader */
  name: string
  /** name in NFC; listings sort by (name_key, id) */
  name_key: string
  /** number of the newest version, from 1 */
  current_version: number
  /** erased = keys of all versions destroyed */
  state: 'present' | 'erased'
  created_at: number
  /** null = not by a user (operator or system) */
  created_by: UserId | null
}

/** One version of a file. */
export interface FileVersionTable {
  file_id: FileId
  /** from 1, without gaps */
  number: number
  content_id: ContentId
  /** as declared by the uploader, unchecked; null = not declared */
  media_type: string | null
  /** why this version exists, e.g. "sealed"; null = nothing to say */
  note: string | null
  /** held = not to be handed out yet */
  state: 'released' | 'held' | 'erased'
  /** 1 = a malware scanner has seen it */
  scanned: 0 | 1
  created_at: number
  created_by: UserId | null
}
