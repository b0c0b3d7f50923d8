/**
 * Statements that run with every request: each is built and compiled once per dialect, then only its values change.
 *
 * Building and compiling a statement costs more than SQLite needs to run it.
 */
import type { CompiledQuery, Insertable, QueryResult } from 'kysely'

import type { Db, Schema } from './schema.ts'

type Build<P extends readonly unknown[], O> = (db: Db, ...values: P) => { compile(): CompiledQuery<O> }

/**
 * @param build makes the statement; its values become the statement's parameters, each once and in this order, and
 *   nothing else does (constants: `sql.lit`)
 * @returns runs it. @throws TypeError `build` breaks that rule
 */
export function keptStatement<P extends readonly unknown[], O>(
  build: Build<P, O>,
): (db: Db, ...values: P) => Promise<QueryResult<O>> {
  const byAdapter = new WeakMap<object, CompiledQuery<O>>()
  return (db, ...values) => {
    const executor = db.getExecutor()
    const { adapter, plugins } = executor
    // A plugin sees every statement while it is made.
    if (plugins.length > 0) return db.executeQuery(build(db, ...values).compile())
    let kept = byAdapter.get(adapter)
    if (kept === undefined) {
      kept = build(db, ...values).compile()
      requireOrder(kept, values)
      byAdapter.set(adapter, kept)
    }
    const query = { ...kept, parameters: values }
    // Straight to the connection: without plugins the executor would only pass it on, in three more promises.
    return executor.provideConnection((connection) => connection.executeQuery<O>(query))
  }
}

/** By table and columns. */
const inserts = new Map<string, (db: Db, ...values: unknown[]) => Promise<QueryResult<unknown>>>()

/** The same as `db.insertInto(table).values(row).execute()`; no column may be `undefined`. */
export async function insertRow<T extends keyof Schema>(db: Db, table: T, row: Insertable<Schema[T]>): Promise<void> {
  const columns = Object.keys(row)
  const name = `${table}:${columns.join()}`
  let insert = inserts.get(name)
  if (insert === undefined) {
    insert = keptStatement((on, ...values: unknown[]) => {
      const named = Object.fromEntries(columns.map((column, index) => [column, values[index]]))
      return on.insertInto(table).values(named as Insertable<Schema[T]>)
    })
    inserts.set(name, insert)
  }
  await insert(db, ...Object.values(row))
}

function requireOrder({ sql, parameters }: CompiledQuery, values: readonly unknown[]): void {
  const same = parameters.length === values.length && parameters.every((one, index) => Object.is(one, values[index]))
  if (!same) throw new TypeError(`the parameters are not the values in their order: ${sql}`)
}
