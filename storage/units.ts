/** Organisational units: what users, rooms and mailboxes belong to. */
import type { Actor } from './actor.ts'
import type { UnitId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

export interface Unit {
  id: UnitId
  name: string
  createdAt: Date
}

export interface Units {
  /** @throws StorageError `storage/already-exists` the name is taken */
  create(unit: { name: string }, by: Actor): Promise<Unit>
  byId(id: UnitId): Promise<Unit>
  byName(name: string): Promise<Unit | null>
  list(page?: PageRequest): Promise<Page<Unit>>
  change(id: UnitId, patch: { name?: string }, by: Actor): Promise<Unit>
}
