/** Data rooms with their key, and who may enter. */
import type { Level, Role } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import type { RoomId, UnitId, UserId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

export interface Room {
  id: RoomId
  name: string
  /** protection level */
  level: Level
  unitId: UnitId | null
  /** destroyed = its key is gone, nothing in it can be read */
  state: 'open' | 'closed' | 'destroyed'
  createdAt: Date
}

export interface Member {
  roomId: RoomId
  userId: UserId
  role: Role
  addedAt: Date
}

export interface Rooms {
  /** Makes the room and its key. @throws StorageError `storage/already-exists` the name is taken */
  create(room: { name: string; level: Level; unitId?: UnitId | null }, by: Actor): Promise<Room>
  /** @throws StorageError `storage/not-found` */
  byId(id: RoomId): Promise<Room>
  byName(name: string): Promise<Room | null>
  list(page?: PageRequest & { level?: Level }): Promise<Page<Room>>
  /** Rooms that the user is a member of, with the role. */
  ofUser(userId: UserId, page?: PageRequest): Promise<Page<Room & { role: Role }>>
  change(id: RoomId, patch: { name?: string; level?: Level; unitId?: UnitId | null }, by: Actor): Promise<Room>
  /** Takes nothing new from now on. */
  close(id: RoomId, by: Actor): Promise<void>
  reopen(id: RoomId, by: Actor): Promise<void>
  /** Destroys the room's key and those of everything in it; final. */
  destroyKey(id: RoomId, by: Actor): Promise<void>
  /** Adds, or changes the role. */
  addMember(roomId: RoomId, userId: UserId, role: Role, by: Actor): Promise<void>
  removeMember(roomId: RoomId, userId: UserId, by: Actor): Promise<void>
  members(roomId: RoomId, page?: PageRequest): Promise<Page<Member & { email: string; name: string }>>
  roleOf(roomId: RoomId, userId: UserId): Promise<Role | null>
}
