/**
 * What the embedded intermediary keeps: MessageIds given out, open dialogs, deliveries with their process cards.
 *
 * Rows only; what they mean in OSCI is the mailbox module's. Certificates are named by the hex SHA-256 of their DER.
 * Intermediary state is no act of a person, so nothing here writes the audit log.
 */
import type { ContentId } from './ids.ts'

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
