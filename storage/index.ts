/**
 * The face of storage: bytes, keys and rows.
 *
 * `createStorage` binds the row verbs to a database; `transact` gives the same verbs bound to one transaction.
 * Knows nothing of HTTP, tus, OSCI or signatures. Adapters are not in here: cli/compose.ts names them, and loads only what is used.
 */
export type { Actor } from './actor.ts'
export type { Audit, AuditDetail, AuditEntry, AuditVerdict, NewAuditEntry } from './audit-log.ts'
export { openBackup, restoreMasterKeys } from './cipher/key-backup.ts'
export type { BackupLock } from './cipher/key-backup.ts'
export type { KeyRing, KeyRingDeps, RotationResult } from './cipher/key-ring.ts'
export type { Delivery, DeliveryFilter, OpenDialog } from './deliveries.ts'
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
export { openInstallation } from './installation.ts'
export type { Invitations, NewInvitation, OpenInvitation } from './invitations.ts'
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
export type { BackupState, Keys } from './keys.ts'
export type { LeftoverReport, Leftovers } from './leftovers.ts'
export type { Mailbox, Mailboxes, NewMailbox } from './mailboxes.ts'
export type { Message, MessageAttachment, MessagePatch, Messages, NewMessage } from './messages.ts'
export { openDatabase } from './metadata/database.ts'
export type { Database, DatabaseConfig } from './metadata/database.ts'
export { migrate, schemaState } from './metadata/migrate.ts'
export type { Db, Schema } from './metadata/schema.ts'
export type { ObjectStore } from './objects/object-store.ts'
export type { Page, PageRequest } from './page.ts'
export type { Member, Room, Rooms } from './rooms.ts'
export type { NewSession, ProvenFactors, Session, Sessions } from './sessions.ts'
export type { Settings } from './settings.ts'
export { createStorage } from './storage.ts'
export type { Rows, Storage, StorageDeps } from './storage.ts'
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
