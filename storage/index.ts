/**
 * The face of storage: bytes, keys and rows.
 *
 * `createStorage` binds the row verbs to a database; `transact` gives the same verbs bound to one transaction.
 * Knows nothing of HTTP, tus, OSCI or signatures.
 */
import type { Audit } from './audit-log.ts'
import type { KeyRing } from './cipher/key-ring.ts'
import type { Contents } from './contents.ts'
import type { Deliveries } from './deliveries.ts'
import type { Files } from './files.ts'
import type { Invitations } from './invitations.ts'
import type { Jobs } from './jobs/outbox.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Messages } from './messages.ts'
import type { Database } from './metadata/database.ts'
import type { Db } from './metadata/schema.ts'
import type { Rooms } from './rooms.ts'
import type { Sessions } from './sessions.ts'
import type { Settings } from './settings.ts'
import type { Units } from './units.ts'
import type { Uploads } from './uploads.ts'
import type { Users } from './users.ts'

export type { Actor } from './actor.ts'
export { userOf } from './actor.ts'
export type { Audit, AuditDetail, AuditEntry, AuditVerdict, NewAuditEntry } from './audit-log.ts'
export type { KeyRing, RotationResult } from './cipher/key-ring.ts'
export type { Deliveries, Delivery, DeliveryFilter, OpenDialog } from './deliveries.ts'
export { StorageError, isStorageError } from './errors.ts'
export type { StorageErrorCode } from './errors.ts'
export type { File, FileVersion, Files, NewVersion } from './files.ts'
export { newId, parseId } from './ids.ts'
export type {
  ContentId,
  FileId,
  InvitationId,
  JobId,
  MailboxId,
  MessageId,
  ObjectId,
  RoomId,
  ScopeId,
  SegmentId,
  SessionId,
  UnitId,
  UploadId,
  UserId,
} from './ids.ts'
export type { Invitations, NewInvitation, OpenInvitation } from './invitations.ts'
export { createClaims } from './jobs/claims.ts'
export type { Claims, PartnerRule } from './jobs/claims.ts'
export { JOB_KINDS } from './jobs/job.ts'
export type {
  ClaimedJob,
  Job,
  JobHandler,
  JobHandlers,
  JobKind,
  JobOutcome,
  JobPayload,
  NewJob,
  StandingJob,
} from './jobs/job.ts'
export type { JobFilter, Jobs } from './jobs/outbox.ts'
export type { JobQueue } from './jobs/queue.ts'
export { createWorker } from './jobs/worker.ts'
export type { Worker, WorkerDeps, WorkerOptions } from './jobs/worker.ts'
export type { Mailbox, MailboxKind, Mailboxes, NewMailbox } from './mailboxes.ts'
export type { Message, MessageAttachment, MessagePatch, Messages, NewMessage } from './messages.ts'
export type { Database, DatabaseConfig } from './metadata/database.ts'
export type { Db, Schema } from './metadata/schema.ts'
export type { Page, PageRequest } from './page.ts'
export type { Member, Room, Rooms } from './rooms.ts'
export type { NewSession, ProvenFactors, Session, Sessions } from './sessions.ts'
export type { Settings } from './settings.ts'
export type { Unit, Units } from './units.ts'
export type { CountedFactor, NewUser, User, UserPatch, Users } from './users.ts'
export type {
  AppendOptions,
  BegunUpload,
  ChecksumAlgorithm,
  Lease,
  UploadSpec,
  UploadState,
  Uploads,
} from './uploads.ts'
export type { Contents, OpenContent, RandomAccess, StoredContent } from './contents.ts'
export type { Logger, Random, World } from './world.ts'

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
}

export interface Storage extends Rows {
  /** Runs `work` with row verbs bound to one transaction; see `Database.transaction`. */
  transact<T>(work: (rows: Rows) => Promise<T>): Promise<T>
  contents: Contents
  uploads: Uploads
  keyRing: KeyRing
  database: Database
  close(): Promise<void>
}
