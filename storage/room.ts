/** A data room as the rest of the house sees it. */
import type { Selectable } from 'kysely'

import type { Level } from '../policies/index.ts'
import type { RoomId, UnitId } from './ids.ts'
import type { RoomTable } from './metadata/tables/rooms.ts'

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

export const ROOM_COLUMNS = ['id', 'name', 'name_key', 'level', 'unit_id', 'state', 'created_at'] as const
export type RoomRow = Pick<Selectable<RoomTable>, (typeof ROOM_COLUMNS)[number]>

export function toRoom(row: RoomRow): Room {
  const { id, name, level, state } = row
  return { id, name, level, state, unitId: row.unit_id, createdAt: new Date(row.created_at) }
}
