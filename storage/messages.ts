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
  /** Laufzettel exactly as received */
  receipt: Buffer | null
  lastError: string | null
  createdAt: Date
  createdBy: UserId | null
}

export type NewMessage = Omit<Message, 'id' | 'createdAt' | 'createdBy' | 'receipt' | 'lastError'> & {
  id?: MessageId
  receipt?: Buffer | null
}

export type MessagePatch = Partial<Pick<Message, 'state' | 'osciMessageId' | 'contentId' | 'receipt' | 'lastError'>>

export interface Messages {
  /** @throws StorageError `storage/already-exists` this MessageId was received before */
  add(message: NewMessage, by: Actor): Promise<Message>
  byId(id: MessageId): Promise<Message>
  /** Changes the row when its state is still `from`. @returns false = somebody else was faster */
  advance(id: MessageId, from: string, patch: MessagePatch, by: Actor): Promise<boolean>
  /** Newest first. */
  list(page: PageRequest & { mailboxId?: MailboxId; direction?: 'out' | 'in' }): Promise<Page<Message>>
}
