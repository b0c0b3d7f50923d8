/**
 * The metadata database as types. Each column is documented where its table is declared (tables/*.ts):
 * unit, meaning of null, who writes it. Ids are text, times ms since epoch in UTC, booleans 0 or 1, JSON is text.
 */
import type { Kysely } from 'kysely'

import type { ContentTable, SegmentTable, UploadTable } from './tables/contents.ts'
import type { JobPartnerTable, JobTable } from './tables/jobs.ts'
import type {
  MailboxTable,
  MessageTable,
  OsciDeliveryTable,
  OsciDialogTable,
  OsciMessageIdTable,
} from './tables/mailboxes.ts'
import type { InvitationTable, LockoutTable, SessionTable, UnitTable, UserAccountTable } from './tables/people.ts'
import type { FileTable, FileVersionTable, KeyScopeTable, RoomMemberTable, RoomTable } from './tables/rooms.ts'
import type { SealBatchItemTable, SealBatchTable } from './tables/sealing.ts'
import type { AuditEntryTable, AuditHeadTable, SchemaVersionTable, SettingTable } from './tables/work.ts'

export interface Schema {
  unit: UnitTable
  user_account: UserAccountTable
  lockout: LockoutTable
  invitation: InvitationTable
  session: SessionTable
  room: RoomTable
  room_member: RoomMemberTable
  key_scope: KeyScopeTable
  content: ContentTable
  segment: SegmentTable
  file: FileTable
  file_version: FileVersionTable
  upload: UploadTable
  job: JobTable
  job_partner: JobPartnerTable
  audit_entry: AuditEntryTable
  audit_head: AuditHeadTable
  mailbox: MailboxTable
  message: MessageTable
  osci_delivery: OsciDeliveryTable
  osci_dialog: OsciDialogTable
  osci_message_id: OsciMessageIdTable
  setting: SettingTable
  seal_batch: SealBatchTable
  seal_batch_item: SealBatchItemTable
  schema_version: SchemaVersionTable
}

/** Where row functions run: on the root, or bound to one transaction. */
export type Db = Kysely<Schema>
