/**
 * What the embedded intermediary keeps: MessageIds given out, open dialogs, deliveries with their process cards.
 *
 * Rows only; what they mean in OSCI is the mailbox module's. Certificates are named by the hex SHA-256 of their DER.
 * Intermediary state is no act of a person, so nothing here writes the audit log.
 */
import type { Selectable } from 'kysely'

import type { ContentId } from './ids.ts'
import type { OsciDeliveryTable, OsciDialogTable } from './metadata/tables/mailboxes.ts'
import type { RowDeps } from './rows.ts'

export interface Delivery {
  messageId: string
  addressee: string
  originator: string
  subject: string | null
  contentId: ContentId
  inspection: string
  createdAt: Date
  forwardedAt: Date | null
  receivedAt: Date | null
  modifiedAt: Date
}

export interface OpenDialog {
  /** digits */
  conversationId: string
  /** DER */
  cipherCertificate: Buffer
  /** null = InitDialog was unsigned */
  signer: string | null
  encrypted: boolean
  /** -1 = no request yet */
  lastSequence: number
  /** Challenge of the last answer */
  expectedResponse: string
  /** MessageId that the next request confirms */
  pendingMessageId: string | null
  expiresAt: Date
}

/** Which deliveries a client asks for. Dates are inclusive. */
export interface DeliveryFilter {
  /** cipher certificate of a party that may see it */
  client: string
  role: 'addressee' | 'originator' | 'either'
  messageIds?: readonly string[]
  createdSince?: Date
  modifiedSince?: Date
  /** only those without Reception */
  unreceived?: boolean
  /** at most this many, oldest first; 1 to 1,000 */
  limit: number
}

export interface Deliveries {
  /** Remembers a MessageId for the client that asked for it. */
  issueId(messageId: string, client: string, now: Date): Promise<void>
  /** Marks an issued id as used. @returns false = never issued to this client, or used before */
  useId(messageId: string, client: string, now: Date): Promise<boolean>
  /** @throws StorageError `storage/already-exists` */
  add(delivery: Delivery): Promise<void>
  /** Oldest first (by Creation; by RecentModification when `modifiedSince` is given). */
  find(filter: DeliveryFilter): Promise<Delivery[]>
  /** Sets Forwarding unless it is set. */
  markForwarded(messageId: string, now: Date): Promise<void>
  /** Sets Reception unless it is set. */
  markReceived(messageId: string, now: Date): Promise<void>
  openDialog(dialog: OpenDialog): Promise<void>
  dialog(conversationId: string): Promise<OpenDialog | null>
  /**
   * Takes the next step of a dialog: last sequence, expected response and pending MessageId at once, and only when
   * the dialog still stands where `seen` says. @returns false = another request was faster
   */
  advanceDialog(seen: OpenDialog, next: OpenDialog): Promise<boolean>
  closeDialog(conversationId: string): Promise<void>
  /** Removes dialogs that ended before `now` and unused ids older than `idsBefore`. @returns rows removed */
  sweep(now: Date, idsBefore: Date): Promise<number>
}

export function createDeliveries(deps: RowDeps): Deliveries {
  const { db } = deps
  return {
    issueId: async (messageId, client, now) => {
      const row = { message_id: messageId, client, created_at: now.getTime(), used_at: null }
      await db.insertInto('osci_message_id').values(row).execute()
    },
    useId: async (messageId, client, now) => {
      const result = await db
        .updateTable('osci_message_id')
        .set({ used_at: now.getTime() })
        .where('message_id', '=', messageId)
        .where('client', '=', client)
        .where('used_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
    add: async (delivery) => {
      await db.insertInto('osci_delivery').values(fromDelivery(delivery)).execute()
    },
    find: (filter) => findDeliveries(deps, filter),
    markForwarded: (messageId, now) => stamp(deps, messageId, 'forwarded_at', now),
    markReceived: (messageId, now) => stamp(deps, messageId, 'received_at', now),
    openDialog: async (dialog) => {
      await db.insertInto('osci_dialog').values(fromDialog(dialog)).execute()
    },
    dialog: async (conversationId) => {
      const row = await db
        .selectFrom('osci_dialog')
        .selectAll()
        .where('conversation_id', '=', conversationId)
        .executeTakeFirst()
      return row === undefined ? null : toDialog(row)
    },
    advanceDialog: (seen, next) => advanceDialog(deps, seen, next),
    closeDialog: async (conversationId) => {
      await db.deleteFrom('osci_dialog').where('conversation_id', '=', conversationId).execute()
    },
    sweep: (now, idsBefore) => sweep(deps, now, idsBefore),
  }
}

async function findDeliveries({ db }: RowDeps, filter: DeliveryFilter): Promise<Delivery[]> {
  const { client, role } = filter
  let query = db.selectFrom('osci_delivery').selectAll()
  if (role === 'either') {
    query = query.where((where) => where.or([where('addressee', '=', client), where('originator', '=', client)]))
  } else query = query.where(role, '=', client)
  if (filter.messageIds) query = query.where('message_id', 'in', [...filter.messageIds])
  if (filter.createdSince) query = query.where('created_at', '>=', filter.createdSince.getTime())
  if (filter.modifiedSince) query = query.where('modified_at', '>=', filter.modifiedSince.getTime())
  if (filter.unreceived === true) query = query.where('received_at', 'is', null)
  const order = filter.modifiedSince ? 'modified_at' : 'created_at'
  const rows = await query.orderBy(order).orderBy('message_id').limit(filter.limit).execute()
  return rows.map(toDelivery)
}

async function stamp(
  { db }: RowDeps,
  messageId: string,
  column: 'forwarded_at' | 'received_at',
  now: Date,
): Promise<void> {
  const at = now.getTime()
  await db
    .updateTable('osci_delivery')
    .set({ [column]: at, modified_at: at })
    .where('message_id', '=', messageId)
    .where(column, 'is', null)
    .execute()
}

async function advanceDialog({ db }: RowDeps, seen: OpenDialog, next: OpenDialog): Promise<boolean> {
  const result = await db
    .updateTable('osci_dialog')
    .set({
      last_sequence: next.lastSequence,
      expected_response: next.expectedResponse,
      pending_message_id: next.pendingMessageId,
      expires_at: next.expiresAt.getTime(),
    })
    .where('conversation_id', '=', seen.conversationId)
    .where('last_sequence', '=', seen.lastSequence)
    .where('expected_response', '=', seen.expectedResponse)
    .executeTakeFirst()
  return result.numUpdatedRows === 1n
}

async function sweep({ db }: RowDeps, now: Date, idsBefore: Date): Promise<number> {
  const dialogs = await db.deleteFrom('osci_dialog').where('expires_at', '<=', now.getTime()).executeTakeFirst()
  const ids = await db
    .deleteFrom('osci_message_id')
    .where('used_at', 'is', null)
    .where('created_at', '<', idsBefore.getTime())
    .executeTakeFirst()
  return Number(dialogs.numDeletedRows + ids.numDeletedRows)
}

function fromDelivery(delivery: Delivery): Selectable<OsciDeliveryTable> {
  return {
    message_id: delivery.messageId,
    addressee: delivery.addressee,
    originator: delivery.originator,
    subject: delivery.subject,
    content_id: delivery.contentId,
    inspection: delivery.inspection,
    created_at: delivery.createdAt.getTime(),
    forwarded_at: delivery.forwardedAt?.getTime() ?? null,
    received_at: delivery.receivedAt?.getTime() ?? null,
    modified_at: delivery.modifiedAt.getTime(),
  }
}

function toDelivery(row: Selectable<OsciDeliveryTable>): Delivery {
  return {
    messageId: row.message_id,
    addressee: row.addressee,
    originator: row.originator,
    subject: row.subject,
    contentId: row.content_id,
    inspection: row.inspection,
    createdAt: new Date(row.created_at),
    forwardedAt: row.forwarded_at === null ? null : new Date(row.forwarded_at),
    receivedAt: row.received_at === null ? null : new Date(row.received_at),
    modifiedAt: new Date(row.modified_at),
  }
}

function fromDialog(dialog: OpenDialog): Selectable<OsciDialogTable> {
  return {
    conversation_id: dialog.conversationId,
    cipher_certificate: dialog.cipherCertificate,
    signer: dialog.signer,
    encrypted: dialog.encrypted ? 1 : 0,
    last_sequence: dialog.lastSequence,
    expected_response: dialog.expectedResponse,
    pending_message_id: dialog.pendingMessageId,
    expires_at: dialog.expiresAt.getTime(),
  }
}

function toDialog(row: Selectable<OsciDialogTable>): OpenDialog {
  return {
    conversationId: row.conversation_id,
    cipherCertificate: row.cipher_certificate,
    signer: row.signer,
    encrypted: row.encrypted === 1,
    lastSequence: row.last_sequence,
    expectedResponse: row.expected_response,
    pendingMessageId: row.pending_message_id,
    expiresAt: new Date(row.expires_at),
  }
}
