/** Contents and uploads over a real database and object store, with one room. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'

import type { Actor } from '../../actor.ts'
import { createAuditLog, type NewAuditEntry } from '../../audit-log.ts'
import { createBytes, type ByteLimits, type Bytes } from '../../bytes.ts'
import type { KeyRing } from '../../cipher/key-ring.ts'
import { createFiles } from '../../files.ts'
import { AUDIT_KEY, openInstallation } from '../../installation.ts'
import { createJobs } from '../../jobs/outbox.ts'
import { newId, type ContentId, type FileId, type RoomId } from '../../ids.ts'
import { openDatabase, type Database, type DatabaseConfig } from '../../metadata/database.ts'
import type { Db } from '../../metadata/schema.ts'
import { filesystemObjects } from '../../objects/filesystem.ts'
import type { ObjectStore } from '../../objects/object-store.ts'
import type { PageRequest } from '../../page.ts'
import { createRooms } from '../../rooms.ts'
import type { RowDeps } from '../../rows.ts'
import type { UploadSpec } from '../../uploads.ts'
import type { World } from '../../world.ts'
import { handClock, memoryLog, type HandClock } from './job-desk.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface ByteHouse extends Bytes {
  database: Database
  objects: ObjectStore
  clock: HandClock
  log: ReturnType<typeof memoryLog>
  folder: string
  roomId: RoomId
  rows: ReturnType<ReturnType<typeof verbs>>
  /** the same verbs within a transaction */
  rowsIn: ReturnType<typeof verbs>
  spec(change?: Partial<UploadSpec>): UploadSpec
  /** the version of a file that an upload became */
  version(fileId: FileId | null): Promise<{ contentId: ContentId; state: string; size: number; sha256: string | null }>
  plaintext(content: ContentId): Promise<Buffer>
  /** every object and unfinished object in the store */
  stored(): Promise<string[]>
}

export interface ByteHouseOptions {
  folder?: string
  database?: DatabaseConfig
  objects?: ObjectStore
  limits?: Partial<ByteLimits>
  clock?: HandClock
}

/** Row verbs over this database, as storage binds them. */
function verbs(database: Database, keyRing: KeyRing, world: World) {
  const audit = createAuditLog((db) => keyRing.hmacKey(db, AUDIT_KEY), world.clock)
  return (db: Db) => {
    const deps: RowDeps = {
      ...{ database, db, keyRing, ...world },
      within: (work) => (db === database.kysely ? database.transaction(work) : work(db)),
      wake: () => undefined,
      record: (within, entry) => audit.append(within, entry),
    }
    return {
      files: createFiles(deps),
      rooms: createRooms(deps),
      jobs: createJobs(deps),
      audit: {
        append: (entry: NewAuditEntry) => audit.append(db, entry),
        verify: () => audit.verify(db),
        list: (page: PageRequest = {}) => audit.list(db, page),
      },
    }
  }
}

export async function byteHouse(options: ByteHouseOptions = {}): Promise<ByteHouse> {
  const folder = options.folder ?? temporaryFolder()
  const clock = options.clock ?? handClock()
  const log = memoryLog()
  const world: World = { clock, random: randomBytes, log }
  const database = await openDatabase(options.database ?? { kind: 'sqlite', path: join(folder, 'amtsbote.db') }, log)
  const objects = options.objects ?? (await filesystemObjects({ root: join(folder, 'objects') }))
  const keyRing = await openInstallation({ database, folder: join(folder, 'keys'), ...world })
  const rows = verbs(database, keyRing, world)
  const bytes = createBytes({
    database,
    objects,
    keyRing,
    rows,
    ...world,
    limits: { reserveBytes: 0, ...options.limits },
  })
  const { rooms } = rows(database.kysely)
  const room = (await rooms.byName('Bauakten')) ?? (await rooms.create({ name: 'Bauakten', level: 'SB2' }, OPERATOR))

  return {
    ...bytes,
    ...{ database, objects, clock, log, folder, roomId: room.id, rows: rows(database.kysely), rowsIn: rows },
    spec: (change = {}) => ({
      ...{ roomId: room.id, name: 'plan.pdf', size: null, metadata: '', kind: 'whole', expiresAfterMs: 3_600_000 },
      ...change,
    }),
    version: async (fileId) => {
      const found = await rows(database.kysely).files.versions(fileId ?? newId<FileId>(randomBytes))
      const [version] = found
      if (!version) throw new Error('no such file')
      return version
    },
    plaintext: async (content) => buffer((await bytes.contents.open(content)).stream),
    stored: async () => {
      const names: string[] = []
      for await (const { id } of objects.list()) names.push(id)
      for await (const { id } of objects.listUnfinished()) names.push(`${id} unfinished`)
      return names
    },
    close: async () => {
      await bytes.close()
      await database.close()
      if (!options.objects) await objects.close()
    },
  }
}

export const OPERATOR: Actor = { kind: 'operator', name: 'test' }
