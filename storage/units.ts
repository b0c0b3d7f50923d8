/** Organisational units: what users, rooms and mailboxes belong to. */
import type { Selectable } from 'kysely'

import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { UnitId } from './ids.ts'
import type { UnitTable } from './metadata/tables/people.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import type { RowDeps } from './rows.ts'
import { checkName } from './text.ts'

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

const COLUMNS = ['id', 'name', 'created_at'] as const

export function createUnits(deps: RowDeps): Units {
  const { db } = deps
  return {
    create: (unit, by) =>
      deps.within(async (tx) => {
        const row = {
          id: newRowId<UnitId>(deps),
          name: checkName('unit', unit.name),
          created_at: deps.clock().getTime(),
        }
        await tx.insertInto('unit').values(row).execute()
        await deps.record(tx, { action: 'unit.created', subject: row.id, by })
        return toUnit(row)
      }),
    byId: async (id) => found(await db.selectFrom('unit').select(COLUMNS).where('id', '=', id).executeTakeFirst()),
    byName: async (name) => {
      const row = await db
        .selectFrom('unit')
        .select(COLUMNS)
        .where('name', '=', name.normalize('NFC').trim())
        .executeTakeFirst()
      return row === undefined ? null : toUnit(row)
    },
    list: (page = {}) => listUnits(deps, page),
    change: (id, patch, by) =>
      deps.within(async (tx) => {
        const update = tx.updateTable('unit').where('id', '=', id)
        const named =
          patch.name === undefined ? update.set({ id }) : update.set({ name: checkName('unit', patch.name) })
        const unit = found(await named.returning(COLUMNS).executeTakeFirst())
        await deps.record(tx, { action: 'unit.changed', subject: id, by })
        return unit
      }),
  }
}

async function listUnits({ db }: RowDeps, page: PageRequest): Promise<Page<Unit>> {
  const limit = pageLimit(page)
  const [name] = decodeCursor(page.after, 1) ?? []
  let query = db.selectFrom('unit').select(COLUMNS)
  if (name !== undefined) query = query.where('name', '>', name)
  const rows = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toUnit, (row) => encodeCursor([row.name]))
}

function found(row: Selectable<UnitTable> | undefined): Unit {
  if (row === undefined) throw new StorageError('storage/not-found', 'no such unit')
  return toUnit(row)
}

function toUnit(row: Selectable<UnitTable>): Unit {
  return { id: row.id, name: row.name, createdAt: new Date(row.created_at) }
}
