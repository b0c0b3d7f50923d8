/** Rows about mailboxes, messages and the intermediary's own state. Times are ms since epoch, UTC. */
import type { ContentId, MailboxId, MessageId, UnitId, UserId } from '../../ids.ts'

/** A Postfach of ours. Its key scope has the same id. */
export interface MailboxTable {
  id: MailboxId
  /** unique, as shown */
  name: string
  unit_id: UnitId | null
  /** address by which the transport knows it */
  address: string
  /** DER of the certificate that others encrypt to */
  cipher_certificate: Buffer
  /** DER of the certificate that its signatures verify with */
  signature_certificate: Buffer
  created_at: number
}

/** A sent or received Nachricht. */
export interface MessageTable {
  id: MessageId
  mailbox_id: MailboxId
  direction: 'out' | 'in'
  /** address of the other side */
  partner: string
  subject: string
  /** out: queued, reserved, storing, accepted, received, failed, rejected, held; in: received */
  state: string
  /** MessageId that the intermediary gave; null = not reserved yet */
  osci_message_id: string | null
  /** which intermediary it went through (its address) */
  intermediary: string
  /** sealed bytes of the message as sent or received; null = none yet */
  content_id: ContentId | null
  /** JSON array: what it carries, with content id, media type, size and SHA-256 */
  attachments: string
  /** Laufzettel exactly as received; null = none */
  receipt: Buffer | null
  /** code of the last failure; null = none */
  last_error: string | null
  created_at: number
  created_by: UserId | null
}

/** A delivery that the embedded intermediary keeps for an addressee. */
export interface OsciDeliveryTable {
  /** MessageId of OSCI; unique */
  message_id: string
  /** SHA-256 of the addressee's cipher certificate, hex */
  addressee: string
  sender: string
  subject: string
  /** the content containers exactly as received, sealed under the system scope; null = fetched and removed */
  body: ContentId | null
  /** process card (Laufzettel), XML */
  process_card: Buffer
  created_at: number
  /** when the addressee first fetched it; null = not yet */
  fetched_at: number | null
  /** when the addressee's next request confirmed it; null = not yet */
  received_at: number | null
}

/** An open explicit dialog at the embedded intermediary. */
export interface OsciDialogTable {
  conversation_id: string
  /** SHA-256 of the client's signature certificate, hex */
  client: string
  /** JSON: challenge, response expected and sequence number */
  state: string
  /** MessageId handed out by the last answer, to be confirmed by the next request; null = none */
  pending_message_id: string | null
  expires_at: number
  created_at: number
}

/** A MessageId that the intermediary gave out, so that it is used once. */
export interface OsciMessageIdTable {
  message_id: string
  /** SHA-256 of the client's signature certificate, hex */
  client: string
  created_at: number
  /** when a StoreDelivery used it; null = not yet */
  used_at: number | null
}
