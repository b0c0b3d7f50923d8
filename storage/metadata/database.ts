/** Opening the metadata database at the schema of this program. */
import type { Logger } from '../world.ts'
import { connectDatabase } from './connection.ts'
import type { Database, DatabaseConfig } from './connection.ts'
import { migrate } from './migrate.ts'

export { connectDatabase } from './connection.ts'
export type { Database, DatabaseConfig } from './connection.ts'

/**
 * Opens the database and brings it to the schema of this program.
 *
 * @throws StorageError `storage/database-unavailable`; `storage/schema-newer` a newer program wrote it
 */
export async function openDatabase(config: DatabaseConfig, log: Logger): Promise<Database> {
  const database = connectDatabase(config, log)
  try {
    await migrate(database, log)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
