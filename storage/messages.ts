/** Messages (Nachrichten) sent and received: rows and states; their meaning is the mailbox module's. */
import type { Selectable, Updateable } from 'kysely'

import { userOf } from './actor.ts'
import type { Actor } from './actor.ts'
import { StorageError } from './errors.ts'
import { newRowId } from './ids.ts'
import type { ContentId, MailboxId, MessageId, UserId } from './ids.ts'
import type { MessageTable } from './metadata/tables/mailboxes.ts'
import { decodeCursor, encodeCursor, pageLimit, toPage } from './page.ts'
import type { Page, PageRequest } from './page.ts'
import type { RowDeps } from './rows.ts'

export interface MessageAttachment {
  name: string
  mediaType: string | null
  contentId: ContentId
  size: number
  sha256: string
}

export interface Message {
  id: MessageId
  mailboxId: MailboxId
  direction: 'out' | 'in'
  partner: string
  subject: string
  state: string
  /** MessageId that the intermediary gave; null = not reserved yet */
  osciMessageId: string | null
  intermediary: string
  contentId: ContentId | null
  attachments: MessageAttachment[]
  /** out: wire bytes of the answer with the first Laufzettel */
  receipt: Buffer | null
  /** out: wire bytes of the answer whose Laufzettel shows Reception */
  receptionReceipt: Buffer | null
  /** Creation and Reception of the Laufzettel; null = not known */
  acceptedAt: Date | null
  receivedAt: Date | null
  /** out: StoreDelivery requests that left and whose outcome is not known */
  uncertain: number
  /** out: failed tries since the last step forward */
  failures: number
  /** out: when a person takes over */
  deadline: Date | null
  /** out: confirmation against the frozen list: complete, incomplete, unclear */
  control: string | null
  /** in: verdict over the author's signature: valid, invalid, unsigned */
  author: string | null
  /** MessageId that this one answers */
  answers: string | null
  lastError: string | null
  createdAt: Date
  createdBy: UserId | null
}

type Defaulted =
  | 'id'
  | 'createdAt'
  | 'createdBy'
  | 'receipt'
  | 'receptionReceipt'
  | 'acceptedAt'
  | 'receivedAt'
  | 'uncertain'
  | 'failures'
  | 'deadline'
  | 'control'
  | 'author'
  | 'answers'
  | 'lastError'

export type NewMessage = Omit<Message, Defaulted> & Partial<Omit<Pick<Message, Defaulted>, 'createdAt' | 'createdBy'>>

export type MessagePatch = Partial<
  Omit<Message, 'id' | 'mailboxId' | 'direction' | 'partner' | 'subject' | 'attachments' | 'createdAt' | 'createdBy'>
>

export interface Messages {
  /** @throws StorageError `storage/already-exists` this MessageId was received before */
  add(message: NewMessage, by: Actor): Promise<Message>
  byId(id: MessageId): Promise<Message>
  /** The one of this mailbox, direction and MessageId; null = none. */
  byOsciId(mailboxId: MailboxId, direction: 'out' | 'in', osciMessageId: string): Promise<Message | null>
  /** Changes the row when its state is still `from`. @returns false = somebody else was faster */
  advance(id: MessageId, from: string, patch: MessagePatch, by: Actor): Promise<boolean>
  /** Newest first. */
  list(page: PageRequest & { mailboxId?: MailboxId; direction?: 'out' | 'in' }): Promise<Page<Message>>
}

/** Row verbs for messages. Audit entries name ids, states and sizes, never subjects, partners or names of files. */
export function createMessages(deps: RowDeps): Messages {
  const { db } = deps
  const select = () => db.selectFrom('message').selectAll()
  return {
    add: (message, by) => add(deps, message, by),
    byId: async (id) => {
      const row = await select().where('id', '=', id).executeTakeFirst()
      if (row === undefined) throw new StorageError('storage/not-found', 'no such message')
      return toMessage(row)
    },
    byOsciId: async (mailboxId, direction, osciMessageId) => {
      const row = await select()
        .where('mailbox_id', '=', mailboxId)
        .where('direction', '=', direction)
        .where('osci_message_id', '=', osciMessageId)
        .executeTakeFirst()
      return row === undefined ? null : toMessage(row)
    },
    advance: (id, from, patch, by) => advance(deps, { id, from }, patch, by),
    list: (page) => listMessages(deps, page),
  }
}

function add({ within, random, clock, record }: RowDeps, message: NewMessage, by: Actor): Promise<Message> {
  return within(async (tx) => {
    const row: Selectable<MessageTable> = {
      ...FRESH,
      ...toColumns(message),
      id: message.id ?? newRowId<MessageId>({ clock, random }),
      mailbox_id: message.mailboxId,
      direction: message.direction,
      partner: message.partner,
      subject: message.subject,
      attachments: JSON.stringify(message.attachments),
      created_at: clock().getTime(),
      created_by: userOf(by),
    } as Selectable<MessageTable>
    await tx.insertInto('message').values(row).execute()
    const size = message.attachments.reduce((sum, attachment) => sum + attachment.size, 0)
    await record(tx, {
      action: message.direction === 'out' ? 'message.queued' : 'message.collected',
      subject: row.id,
      by,
      detail: { mailbox: row.mailbox_id, state: row.state, files: message.attachments.length, size },
    })
    return toMessage(row)
  })
}

function advance(
  { within, record }: RowDeps,
  { id, from }: { id: MessageId; from: string },
  patch: MessagePatch,
  by: Actor,
): Promise<boolean> {
  return within(async (tx) => {
    const result = await tx
      .updateTable('message')
      .set({ id, ...toColumns(patch) })
      .where('id', '=', id)
      .where('state', '=', from)
      .executeTakeFirst()
    if (result.numUpdatedRows !== 1n) return false
    // A pause between two tries is no act; a new state, an id or a receipt is.
    const state = patch.state ?? from
    if (state !== from || patch.control !== undefined) {
      const control = patch.control === undefined ? {} : { control: patch.control }
      await record(tx, { action: 'message.advanced', subject: id, by, detail: { from, to: state, ...control } })
    }
    return true
  })
}

async function listMessages(
  { db }: RowDeps,
  page: PageRequest & { mailboxId?: MailboxId; direction?: 'out' | 'in' },
): Promise<Page<Message>> {
  const limit = pageLimit(page)
  const [at, id] = decodeCursor(page.after, 2) ?? []
  let query = db.selectFrom('message').selectAll()
  if (page.mailboxId !== undefined) query = query.where('mailbox_id', '=', page.mailboxId)
  if (page.direction !== undefined) query = query.where('direction', '=', page.direction)
  if (at !== undefined && id !== undefined) {
    const created = Number(at)
    query = query.where((where) =>
      where.or([
        where('created_at', '<', created),
        where.and([where('created_at', '=', created), where('id', '<', id as MessageId)]),
      ]),
    )
  }
  const rows = await query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return toPage(rows, limit, toMessage, (row) => encodeCursor([row.created_at, row.id]))
}

/** Columns that a fresh message starts with. */
const FRESH = {
  osci_message_id: null,
  content_id: null,
  receipt: null,
  reception_receipt: null,
  accepted_at: null,
  received_at: null,
  uncertain: 0,
  failures: 0,
  deadline: null,
  control: null,
  author: null,
  answers: null,
  last_error: null,
}

/** The columns of the fields that are present. */
function toColumns(patch: MessagePatch): Updateable<MessageTable> {
  const columns: Record<string, unknown> = {
    state: patch.state,
    osci_message_id: patch.osciMessageId,
    intermediary: patch.intermediary,
    content_id: patch.contentId,
    receipt: patch.receipt,
    reception_receipt: patch.receptionReceipt,
    accepted_at: patch.acceptedAt instanceof Date ? patch.acceptedAt.getTime() : patch.acceptedAt,
    received_at: patch.receivedAt instanceof Date ? patch.receivedAt.getTime() : patch.receivedAt,
    uncertain: patch.uncertain,
    failures: patch.failures,
    deadline: patch.deadline instanceof Date ? patch.deadline.getTime() : patch.deadline,
    control: patch.control,
    author: patch.author,
    answers: patch.answers,
    last_error: patch.lastError,
  }
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined))
}

function toMessage(row: Selectable<MessageTable>): Message {
  const date = (at: number | null): Date | null => (at === null ? null : new Date(at))
  return {
    id: row.id,
    mailboxId: row.mailbox_id,
    direction: row.direction,
    partner: row.partner,
    subject: row.subject,
    state: row.state,
    osciMessageId: row.osci_message_id,
    intermediary: row.intermediary,
    contentId: row.content_id,
    attachments: JSON.parse(row.attachments) as MessageAttachment[],
    receipt: row.receipt,
    receptionReceipt: row.reception_receipt,
    acceptedAt: date(row.accepted_at),
    receivedAt: date(row.received_at),
    uncertain: row.uncertain,
    failures: row.failures,
    deadline: date(row.deadline),
    control: row.control,
    author: row.author,
    answers: row.answers,
    lastError: row.last_error,
    createdAt: new Date(row.created_at),
    createdBy: row.created_by,
  }
}
