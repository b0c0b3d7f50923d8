/** Who may enter a room, and as what. */
import type { Role } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import type { RoomId, UserId } from './ids.ts'
import { keptStatement } from './metadata/kept-statement.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import { toRoom } from './room.ts'
import type { Room } from './room.ts'
import type { RowDeps } from './rows.ts'

export interface Member {
  roomId: RoomId
  userId: UserId
  role: Role
  addedAt: Date
}

export type ListedMember = Member & { email: string; name: string }

/** Adds, or changes the role; nothing is written when it is the same. */
export async function addMember(deps: RowDeps, member: Omit<Member, 'addedAt'>, by: Actor): Promise<void> {
  const { roomId, userId, role } = member
  await deps.within(async (db) => {
    const result = await db
      .insertInto('room_member')
      .values({ room_id: roomId, user_id: userId, role, added_at: deps.clock().getTime() })
      .onConflict((conflict) =>
        conflict.columns(['room_id', 'user_id']).doUpdateSet({ role }).where('room_member.role', '!=', role),
      )
      .executeTakeFirst()
    if (result.numInsertedOrUpdatedRows === 0n) return
    await deps.record(db, { action: 'room.member-set', subject: roomId, by, detail: { user: userId, role } })
  })
}

/** @throws StorageError `storage/not-found` is not a member */
export async function removeMember(deps: RowDeps, roomId: RoomId, userId: UserId, by: Actor): Promise<void> {
  await deps.within(async (db) => {
    const result = await db
      .deleteFrom('room_member')
      .where('room_id', '=', roomId)
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (result.numDeletedRows === 0n) throw new StorageError('storage/not-found', 'no such member')
    await deps.record(db, { action: 'room.member-removed', subject: roomId, by, detail: { user: userId } })
  })
}

const selectRole = keptStatement((db, roomId: RoomId, userId: UserId) =>
  db.selectFrom('room_member').select('role').where('room_id', '=', roomId).where('user_id', '=', userId),
)

export async function roleOf({ db }: RowDeps, roomId: RoomId, userId: UserId): Promise<Role | null> {
  const [row] = (await selectRole(db, roomId, userId)).rows
  return row?.role ?? null
}

const selectWithRole = keptStatement((db, userId: UserId, id: RoomId) =>
  db
    .selectFrom('room as r')
    .leftJoin('room_member as m', (join) => join.onRef('m.room_id', '=', 'r.id').on('m.user_id', '=', userId))
    .select(['r.id', 'r.name', 'r.name_key', 'r.level', 'r.unit_id', 'r.state', 'r.created_at', 'm.role'])
    .where('r.id', '=', id),
)

export async function withRole(
  { db }: RowDeps,
  id: RoomId,
  userId: UserId,
): Promise<{ room: Room; role: Role | null }> {
  const [row] = (await selectWithRole(db, userId, id)).rows
  if (row === undefined) throw new StorageError('storage/not-found', 'no such room')
  return { room: toRoom(row), role: row.role }
}

/** Ordered by address. */
export async function listMembers({ db }: RowDeps, roomId: RoomId, page: PageRequest): Promise<Page<ListedMember>> {
  const limit = pageLimit(page)
  const [key] = decodeCursor(page.after, 1) ?? []
  let query = db
    .selectFrom('room_member as m')
    .innerJoin('user_account as u', 'u.id', 'm.user_id')
    .select(['m.user_id', 'm.role', 'm.added_at', 'u.email', 'u.email_key', 'u.name'])
    .where('m.room_id', '=', roomId)
  if (key !== undefined) query = query.where('u.email_key', '>', key)
  const rows = await query
    .orderBy('u.email_key')
    .limit(limit + 1)
    .execute()
  const convert = (row: (typeof rows)[number]): ListedMember => {
    const { role, email, name } = row
    return { roomId, userId: row.user_id, role, email, name, addedAt: new Date(row.added_at) }
  }
  return toPage(rows, limit, convert, (row) => encodeCursor([row.email_key]))
}

/** Ordered by name. */
export async function roomsOfUser(
  { db }: RowDeps,
  userId: UserId,
  page: PageRequest,
): Promise<Page<Room & { role: Role }>> {
  const limit = pageLimit(page)
  const [key] = decodeCursor(page.after, 1) ?? []
  let query = db
    .selectFrom('room_member as m')
    .innerJoin('room as r', 'r.id', 'm.room_id')
    .select(['r.id', 'r.name', 'r.name_key', 'r.level', 'r.unit_id', 'r.state', 'r.created_at', 'm.role'])
    .where('m.user_id', '=', userId)
  if (key !== undefined) query = query.where('r.name_key', '>', key)
  const rows = await query
    .orderBy('r.name_key')
    .limit(limit + 1)
    .execute()
  const convert = (row: (typeof rows)[number]): Room & { role: Role } => ({ ...toRoom(row), role: row.role })
  return toPage(rows, limit, convert, (row) => encodeCursor([row.name_key]))
}
