/** Messages (Nachrichten) sent and received: rows and states; their meaning is the mailbox module's. */
import type { Actor } from './actor.ts'
import type { ContentId, MailboxId, MessageId, UserId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

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
