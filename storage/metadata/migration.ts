/** A step of the schema, as text in SQLite's spelling; migrate.ts gives PostgreSQL's. */
export interface Migration {
  version: number
  statements: readonly string[]
}
