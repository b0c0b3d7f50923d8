/** A database that fails once, at the n-th call: before the statement runs, or after it (the answer is lost). */
import type { KyselyPlugin, PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely'

import { StorageError } from '../../errors.ts'
import type { Database } from '../../metadata/database.ts'

/** `statement`: it never reaches the database · `answer`: it runs, nobody hears · `commit`: a transaction commits, nobody hears */
export const FAULTS = ['statement', 'answer', 'commit'] as const
export type Fault = (typeof FAULTS)[number]

/** @returns the database, and whether the fault has happened */
export function failingDatabase(
  whole: Database,
  fault: Fault,
  at: number,
): { database: Database; fired: () => boolean } {
  let calls = 0
  const fail = (kind: Fault): void => {
    if (kind === fault && ++calls === at) throw new StorageError('storage/database-unavailable', 'connection lost')
  }
  const plugin: KyselyPlugin = {
    transformQuery({ node }: PluginTransformQueryArgs) {
      fail('statement')
      return node
    },
    transformResult({ result }: PluginTransformResultArgs) {
      return new Promise((resolve) => {
        fail('answer')
        resolve(result)
      })
    },
  }
  const kysely = whole.kysely.withPlugin(plugin)
  const database: Database = {
    ...whole,
    kysely,
    async transaction(work) {
      const result = await whole.transaction((db) => work(db.withPlugin(plugin)))
      fail('commit')
      return result
    },
  }
  return { database, fired: () => calls >= at }
}
