/** Small facts of the installation, as JSON by key. */
import { StorageError } from './errors.ts'
import type { RowDeps } from './rows.ts'

export interface Settings {
  /** Null = never set. */
  get(key: string): Promise<unknown>
  /** @param value anything that JSON can say; undefined is not */
  set(key: string, value: unknown): Promise<void>
  remove(key: string): Promise<void>
}

export function createSettings({ db }: RowDeps): Settings {
  return {
    get: async (key) => {
      const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst()
      return row === undefined ? null : (JSON.parse(row.value) as unknown)
    },
    set: async (key, given) => {
      const value = JSON.stringify(given) as string | undefined
      if (value === undefined) throw new StorageError('storage/bad-value', 'a setting that JSON cannot say')
      await db
        .insertInto('setting')
        .values({ key, value })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
        .execute()
    },
    remove: async (key) => {
      await db.deleteFrom('setting').where('key', '=', key).execute()
    },
  }
}
