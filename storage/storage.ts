/**
 * Storage as a whole: row verbs bound to the database or to one transaction, contents, uploads, keys, jobs.
 */
import { createAuditLog } from './audit-log.ts'
import type { Audit, AuditLog } from './audit-log.ts'
import { createBytes } from './bytes.ts'
import type { ByteLimits } from './bytes.ts'
import type { ByteJobHandlers } from './byte-jobs.ts'
import type { KeyRing } from './cipher/key-ring.ts'
import type { Contents } from './contents.ts'
import { createDeliveries } from './deliveries.ts'
import type { Deliveries } from './deliveries.ts'
import { createFiles } from './files.ts'
import type { Files } from './files.ts'
import { AUDIT_KEY } from './installation.ts'
import { createInvitations } from './invitations.ts'
import type { Invitations } from './invitations.ts'
import { createClaims } from './jobs/claims.ts'
import type { Claims } from './jobs/claims.ts'
import { createJobs } from './jobs/outbox.ts'
import type { Jobs } from './jobs/outbox.ts'
import type { JobQueue } from './jobs/queue.ts'
import { createKeys } from './keys.ts'
import type { Keys } from './keys.ts'
import type { Leftovers } from './leftovers.ts'
import { createMailboxes } from './mailboxes.ts'
import type { Mailboxes } from './mailboxes.ts'
import { createMessages } from './messages.ts'
import type { Messages } from './messages.ts'
import type { Database } from './metadata/database.ts'
import type { Db } from './metadata/schema.ts'
import type { ObjectStore } from './objects/object-store.ts'
import { createRooms } from './rooms.ts'
import type { Rooms } from './rooms.ts'
import type { RowDeps } from './rows.ts'
import { createSealBatches } from './seal-batches.ts'
import type { SealBatches } from './seal-batches.ts'
import { createSessions } from './sessions.ts'
import type { Sessions } from './sessions.ts'
import { createSettings } from './settings.ts'
import type { Settings } from './settings.ts'
import { createUnits } from './units.ts'
import type { Units } from './units.ts'
import type { Uploads } from './uploads.ts'
import { createUsers } from './users.ts'
import type { Users } from './users.ts'
import type { World } from './world.ts'

/** The row verbs, bound to the database or to one transaction. */
export interface Rows {
  /** where these verbs run; for storage's own functions that take it, such as `StoredContent.commit` */
  db: Db
  units: Units
  users: Users
  sessions: Sessions
  invitations: Invitations
  rooms: Rooms
  files: Files
  mailboxes: Mailboxes
  messages: Messages
  deliveries: Deliveries
  jobs: Jobs
  audit: Audit
  settings: Settings
  sealBatches: SealBatches
}

export interface Storage extends Rows {
  /**
   * Runs `work` with row verbs bound to one transaction; see `Database.transaction`. Inside, only these verbs may be used:
   * those of the storage itself would wait for the transaction to end.
   */
  transact<T>(work: (rows: Rows) => Promise<T>): Promise<T>
  contents: Contents
  uploads: Uploads
  keyRing: KeyRing
  /** rotation and backup of the master key, with their audit entries */
  keys: Keys
  database: Database
  /** what a worker claims from */
  claims: Claims
  /** handlers of the jobs that are storage's own: fingerprint, expire, erase */
  handlers: ByteJobHandlers
  /** objects without rows and rows without objects, for `doctor` */
  leftovers: Leftovers
  /** Lets go of leases, ends the threads, closes object store and database. */
  close(): Promise<void>
}

export interface StorageDeps extends World {
  database: Database
  objects: ObjectStore
  keyRing: KeyRing
  /** told of new jobs after their commit; absent = a worker finds them at its next look */
  queue?: Pick<JobQueue, 'wake'>
  limits?: Partial<ByteLimits>
}

/** Takes over `database` and `objects`: its `close` closes them. */
export function createStorage(deps: StorageDeps): Storage {
  const { database, objects, keyRing, clock, random, log } = deps
  const world = { clock, random, log }
  const audit = createAuditLog((db) => keyRing.hmacKey(db, AUDIT_KEY), clock)
  const bind = (db: Db): Rows => bindRows(rowDeps(deps, audit, db), audit)
  const { limits } = deps
  const bytes = createBytes({
    database,
    objects,
    keyRing,
    ...world,
    rows: bind,
    ...(limits === undefined ? {} : { limits }),
  })
  return {
    ...bind(database.kysely),
    transact: (work) => database.transaction((db) => work(bind(db))),
    contents: bytes.contents,
    uploads: bytes.uploads,
    keyRing,
    keys: createKeys(rowDeps(deps, audit, database.kysely)),
    database,
    claims: createClaims(database, world),
    handlers: bytes.jobHandlers,
    leftovers: bytes.leftovers,
    close: async () => {
      await bytes.close()
      await objects.close()
      await database.close()
    },
  }
}

function rowDeps(deps: StorageDeps, audit: AuditLog, db: Db): RowDeps {
  const { database, keyRing, queue, clock, random, log } = deps
  return {
    ...{ database, db, keyRing, clock, random, log },
    within: (work) => (db === database.kysely ? database.transaction(work) : work(db)),
    wake: (job, at, where = db) => {
      database.afterCommit(where, () => queue?.wake(job, at))
    },
    record: (where, entry) => audit.append(where, entry),
  }
}

function bindRows(deps: RowDeps, audit: AuditLog): Rows {
  const { db } = deps
  return {
    db,
    units: createUnits(deps),
    users: createUsers(deps),
    sessions: createSessions(deps),
    invitations: createInvitations(deps),
    rooms: createRooms(deps),
    files: createFiles(deps),
    mailboxes: createMailboxes(deps),
    messages: createMessages(deps),
    deliveries: createDeliveries(deps),
    jobs: createJobs(deps),
    audit: {
      append: (entry) => deps.within((where) => audit.append(where, entry)),
      verify: () => audit.verify(db),
      list: (page = {}) => audit.list(db, page),
    },
    settings: createSettings(deps),
    sealBatches: createSealBatches(deps),
  }
}
