/** An account as the rest of the house sees it. */
import type { Selectable } from 'kysely'

import type { UnitId, UserId } from './ids.ts'
import type { UserAccountTable } from './metadata/tables/people.ts'

export interface User {
  id: UserId
  email: string
  name: string
  audience: 'staff' | 'external'
  unitId: UnitId | null
  admin: boolean
  state: 'invited' | 'active' | 'disabled'
  hasPassword: boolean
  hasTotp: boolean
  createdAt: Date
}

export const USER_COLUMNS = [
  'id',
  'email',
  'email_key',
  'name',
  'audience',
  'unit_id',
  'admin',
  'state',
  'password_hash',
  'totp_secret',
  'created_at',
] as const satisfies readonly (keyof UserAccountTable)[]
export type UserRow = Pick<Selectable<UserAccountTable>, (typeof USER_COLUMNS)[number]>

export function toUser(row: Omit<UserRow, 'email_key'>): User {
  const { id, email, name, audience, state } = row
  return {
    ...{ id, email, name, audience, state },
    unitId: row.unit_id,
    admin: row.admin === 1,
    hasPassword: row.password_hash !== null,
    hasTotp: row.totp_secret !== null,
    createdAt: new Date(row.created_at),
  }
}
