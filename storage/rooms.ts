/** Data rooms with their key, and who may enter. */
import type { Level, Role } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import { scheduleErasure } from './erasure.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { RoomId, UnitId, UserId } from './ids.ts'
import { keptStatement } from './metadata/kept-statement.ts'
import type { Db } from './metadata/schema.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import { ROOM_COLUMNS, toRoom } from './room.ts'
import type { Room, RoomRow } from './room.ts'
import { addMember, listMembers, removeMember, roleOf, roomsOfUser, withRole } from './room-members.ts'
import type { ListedMember } from './room-members.ts'
import type { RowDeps } from './rows.ts'
import { checkName, comparisonKey } from './text.ts'

export type { Room } from './room.ts'

export interface Rooms {
  /** Makes the room and its key. @throws StorageError `storage/already-exists` the name is taken */
  create(room: { name: string; level: Level; unitId?: UnitId | null }, by: Actor): Promise<Room>
  /** @throws StorageError `storage/not-found` */
  byId(id: RoomId): Promise<Room>
  /** The room, and the user's role in it in one look; null = not a member. @throws StorageError `storage/not-found` */
  withRole(id: RoomId, userId: UserId): Promise<{ room: Room; role: Role | null }>
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
  members(roomId: RoomId, page?: PageRequest): Promise<Page<ListedMember>>
  roleOf(roomId: RoomId, userId: UserId): Promise<Role | null>
}

export function createRooms(deps: RowDeps): Rooms {
  return {
    create: (room, by) => createRoom(deps, room, by),
    byId: async (id) => toRoom(await rowOf(deps.db, id)),
    withRole: (id, userId) => withRole(deps, id, userId),
    byName: (name) => byName(deps, name),
    list: (page = {}) => listRooms(deps, page),
    ofUser: (userId, page = {}) => roomsOfUser(deps, userId, page),
    change: (id, patch, by) => changeRoom(deps, id, patch, by),
    close: (id, by) => move(deps, id, { from: 'open', to: 'closed', action: 'room.closed' }, by),
    reopen: (id, by) => move(deps, id, { from: 'closed', to: 'open', action: 'room.reopened' }, by),
    destroyKey: (id, by) => destroyKey(deps, id, by),
    addMember: (roomId, userId, role, by) => addMember(deps, { roomId, userId, role }, by),
    removeMember: (roomId, userId, by) => removeMember(deps, roomId, userId, by),
    members: (roomId, page = {}) => listMembers(deps, roomId, page),
    roleOf: (roomId, userId) => roleOf(deps, roomId, userId),
  }
}

async function createRoom(
  deps: RowDeps,
  room: { name: string; level: Level; unitId?: UnitId | null },
  by: Actor,
): Promise<Room> {
  const name = checkName('room', room.name)
  const row: RoomRow = {
    ...{ id: newRowId<RoomId>(deps), name, name_key: comparisonKey(name) },
    ...{ level: room.level, unit_id: room.unitId ?? null, state: 'open' },
    created_at: deps.clock().getTime(),
  }
  return deps.within(async (db) => {
    await deps.keyRing.newScopeKey(db, row.id)
    await db.insertInto('room').values(row).execute()
    const detail = { level: row.level, unit: row.unit_id }
    await deps.record(db, { action: 'room.created', subject: row.id, by, detail })
    return toRoom(row)
  })
}

async function byName({ db }: RowDeps, name: string): Promise<Room | null> {
  const key = comparisonKey(name.trim())
  const row = await db.selectFrom('room').select(ROOM_COLUMNS).where('name_key', '=', key).executeTakeFirst()
  return row === undefined ? null : toRoom(row)
}

async function listRooms({ db }: RowDeps, page: PageRequest & { level?: Level }): Promise<Page<Room>> {
  const limit = pageLimit(page)
  const [key] = decodeCursor(page.after, 1) ?? []
  let query = db.selectFrom('room').select(ROOM_COLUMNS)
  if (page.level !== undefined) query = query.where('level', '=', page.level)
  if (key !== undefined) query = query.where('name_key', '>', key)
  const rows = await query
    .orderBy('name_key')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toRoom, (row) => encodeCursor([row.name_key]))
}

async function changeRoom(
  deps: RowDeps,
  id: RoomId,
  patch: { name?: string; level?: Level; unitId?: UnitId | null },
  by: Actor,
): Promise<Room> {
  const name = patch.name === undefined ? undefined : checkName('room', patch.name)
  const changes: Partial<RoomRow> = {
    ...(name === undefined ? {} : { name, name_key: comparisonKey(name) }),
    ...(patch.level === undefined ? {} : { level: patch.level }),
    ...(patch.unitId === undefined ? {} : { unit_id: patch.unitId }),
  }
  return deps.within(async (db) => {
    const before = await rowOf(db, id)
    await db
      .updateTable('room')
      .set({ id, ...changes })
      .where('id', '=', id)
      .execute()
    const after = await rowOf(db, id)
    const detail = { level: after.level, levelBefore: before.level, unit: after.unit_id, renamed: name !== undefined }
    await deps.record(db, { action: 'room.changed', subject: id, by, detail })
    return toRoom(after)
  })
}

interface Move {
  from: Room['state']
  to: Room['state']
  action: string
}

async function move(deps: RowDeps, id: RoomId, { from, to, action }: Move, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const update = db.updateTable('room').set({ state: to }).where('id', '=', id).where('state', '=', from)
    const result = await update.executeTakeFirst()
    if (result.numUpdatedRows === 1n) {
      await deps.record(db, { action, subject: id, by })
      return
    }
    const { state } = await rowOf(db, id)
    if (state !== to) throw new StorageError('storage/wrong-state', `the room is ${state}, not ${from}`)
  })
}

async function destroyKey(deps: RowDeps, id: RoomId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    await rowOf(db, id)
    if (!(await deps.keyRing.destroyScope(db, id))) return
    await db.updateTable('room').set({ state: 'destroyed' }).where('id', '=', id).execute()
    const files = db.selectFrom('file').select('id').where('room_id', '=', id)
    await db.updateTable('file_version').set({ state: 'erased' }).where('file_id', 'in', files).execute()
    await db.updateTable('file').set({ state: 'erased' }).where('room_id', '=', id).execute()
    await scheduleErasure({ ...deps, db }, { scope: id })
    await deps.record(db, { action: 'room.key-destroyed', subject: id, by })
  })
}

const selectRoom = keptStatement((db, id: RoomId) => db.selectFrom('room').select(ROOM_COLUMNS).where('id', '=', id))

async function rowOf(db: Db, id: RoomId): Promise<RoomRow> {
  const [row] = (await selectRoom(db, id)).rows
  if (row === undefined) throw new StorageError('storage/not-found', 'no such room')
  return row
}
