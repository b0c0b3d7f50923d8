/** One suite for both databases: a fresh SQLite file, and a fresh database on a PostgreSQL server of our own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { openInstallation } from '../../installation.ts'
import type { Actor } from '../../actor.ts'
import type { KeyRing } from '../../cipher/key-ring.ts'
import { openDatabase, type Database, type DatabaseConfig } from '../../metadata/database.ts'
import { filesystemObjects } from '../../objects/filesystem.ts'
import { createStorage, type Storage } from '../../storage.ts'
import type { World } from '../../world.ts'
import { handClock, memoryLog, type HandClock } from './job-desk.ts'
import { describeWithPostgresql, sharedPostgresql } from './postgresql-server.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Runs `suite` once per database. What it is given makes a new, empty database at every call. */
export function onBothDatabases(title: string, suite: (fresh: () => Promise<DatabaseConfig>) => void): void {
  describe(`${title} on SQLite`, () => {
    suite(() => Promise.resolve(freshSqlite()))
  })
  describeWithPostgresql(`${title} on PostgreSQL`, () => {
    before(async function () {
      this.timeout(60_000)
      await sharedPostgresql()
    })
    suite(freshPostgresql)
  })
}

export function freshSqlite(): DatabaseConfig {
  return { kind: 'sqlite', path: join(temporaryFolder(), 'amtsbote.db') }
}

export async function freshPostgresql(): Promise<DatabaseConfig> {
  return { kind: 'postgresql', url: await (await sharedPostgresql()).createDatabase() }
}

export interface House {
  storage: Storage
  database: Database
  keyRing: KeyRing
  clock: HandClock
  log: ReturnType<typeof memoryLog>
  world: World
  /** folder of master keys */
  keys: string
  /** folder of sealed objects */
  objects: string
  config: DatabaseConfig
}

/** A whole storage over the given database; keys and objects in new folders unless told. End it with `storage.close()`. */
export async function openHouse(
  config: DatabaseConfig,
  folders: { keys?: string; objects?: string } = {},
): Promise<House> {
  const [clock, log] = [handClock(), memoryLog()]
  const world: World = { clock, log, random: randomBytes }
  const { keys = join(temporaryFolder(), 'master'), objects = join(temporaryFolder(), 'objects') } = folders
  const database = await openDatabase(config, log)
  const keyRing = await openInstallation({ database, folder: keys, ...world })
  const store = await filesystemObjects({ root: objects })
  const limits = { reserveBytes: 0, sealingThreads: 1 }
  const storage = createStorage({ database, objects: store, keyRing, ...world, limits })
  return { storage, database, keyRing, clock, log, world, keys, objects, config }
}

export const OPERATOR: Actor = { kind: 'operator', name: 'anna' }
