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
  /** own = its keys are here; partner = somebody we write to; practice-court = own, and answers by itself */
  kind: 'own' | 'partner' | 'practice-court'
  /** name of the intermediary in the configuration; 'embedded' = the one of this server */
  intermediary: string
  /** name of the opened keys; null = a partner */
  key_name: string | null
  created_at: number
}

/** A sent or received Nachricht. Unique: (mailbox_id, direction, intermediary, osci_message_id). */
export interface MessageTable {
  id: MessageId
  mailbox_id: MailboxId
  direction: 'out' | 'in'
  /** address of the other side */
  partner: string
  subject: string
  /** out: queued, reserved, storing, accepted, received, checked, rejected, failed, held; in: received, tray (cannot be read) */
  state: string
  /** MessageId that the intermediary gave; null = not reserved yet */
  osci_message_id: string | null
  /** which intermediary it went through (its address) */
  intermediary: string
  /** sealed bytes of the message as sent or received; null = none yet */
  content_id: ContentId | null
  /** JSON array: what it carries, with content id, media type, size and SHA-256 */
  attachments: string
  /** out: answer that carried the first Laufzettel, wire bytes exactly as received; null = none */
  receipt: Buffer | null
  /** out: answer whose Laufzettel shows Reception, wire bytes exactly as received; null = none */
  reception_receipt: Buffer | null
  /** when the intermediary had the delivery (Creation of its Laufzettel); null = not known */
  accepted_at: number | null
  /** when the addressee confirmed it (Reception of its Laufzettel); null = not known */
  received_at: number | null
  /** out: StoreDelivery requests that left and whose outcome is not known */
  uncertain: number
  /** out: failed tries since the last step forward; decides the pause */
  failures: number
  /** out: when a person takes over; null for received messages */
  deadline: number | null
  /** out: the addressee's confirmation against the frozen list: complete, incomplete, unclear; null = none yet */
  control: string | null
  /** in: verdict over the author's signature: valid, invalid, unsigned; null for sent messages */
  author: string | null
  /** in: MessageId of ours that it answers; out: MessageId that it answers; null = none */
  answers: string | null
  /** code of the last failure; null = none */
  last_error: string | null
  created_at: number
  created_by: UserId | null
}

/** A delivery that the embedded intermediary keeps for an addressee. Certificates are named by the hex SHA-256 of their DER. */
export interface OsciDeliveryTable {
  /** MessageId that the intermediary gave out; unique */
  message_id: string
  /** cipher certificate of the addressee: the mailbox */
  addressee: string
  /** cipher certificate of the originator; may read the process card */
  originator: string
  /** null = none */
  subject: string | null
  /** certificates, content package and parts as verified, sealed under the system scope */
  content_id: ContentId
  /** InspectionReport of the process card, XML */
  inspection: string
  /** Creation: when the request was here */
  created_at: number
  /** Forwarding: when the first answer with it was built; null = not yet */
  forwarded_at: number | null
  /** Reception: when the addressee's next request came; null = not yet */
  received_at: number | null
  /** RecentModification */
  modified_at: number
}

/** An open explicit dialog at the embedded intermediary. */
export interface OsciDialogTable {
  /** ConversationId, digits */
  conversation_id: string
  /** DER of the client's cipher certificate */
  cipher_certificate: Buffer
  /** hex SHA-256 of the client's signature certificate; null = InitDialog was unsigned */
  signer: string | null
  /** 1 = ResponseToInitDialog was encrypted, so that the challenge proves the mailbox */
  encrypted: 0 | 1
  /** SequenceNumber of the last request; -1 = none yet */
  last_sequence: number
  /** Challenge of the last answer, which the next request must return */
  expected_response: string
  /** MessageId handed out by the last answer, to be confirmed by the next request; null = none */
  pending_message_id: string | null
  expires_at: number
}

/** A MessageId that the intermediary gave out, so that it is used once. */
export interface OsciMessageIdTable {
  message_id: string
  /** hex SHA-256 of the cipher certificate that asked for it */
  client: string
  created_at: number
  /** when a StoreDelivery used it; null = not yet */
  used_at: number | null
}
