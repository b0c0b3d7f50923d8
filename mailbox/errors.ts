/**
 * Faults of the mailbox: bytes that are no OSCI message, peers that cannot be understood, orders that cannot be sent.
 *
 * The code is the contract; messages carry ids, sizes and limits, never names of files or parties.
 * Verdicts (a signature that does not hold, an outcome that is not known) are values, not faults; see osci/security.ts
 * and relay/delivery.ts.
 */
export type MailboxErrorCode =
  /** the bytes are no OSCI 1.2 message: MIME, XML or structure (OSCI 9100) */
  | 'mailbox/malformed'
  /** a message, part or count beyond the limits of this server */
  | 'mailbox/too-large'
  /** encrypted for a certificate whose private key is not here (OSCI 9200) */
  | 'mailbox/wrong-recipient'
  /** the key fits but the bytes do not open (OSCI 9202); says no more on purpose */
  | 'mailbox/undecryptable'
  /** the message type is unknown or has no place here (OSCI 9300) */
  | 'mailbox/type-refused'
  /** ConversationId, SequenceNumber, Challenge or Response do not fit the dialog (OSCI 9400) */
  | 'mailbox/control-block'
  /** a request that is allowed in an explicit dialog only (OSCI 9802) */
  | 'mailbox/dialog-needed'
  /** a certificate that the answer needs is absent (OSCI 9500) */
  | 'mailbox/certificate-missing'
  /** a certificate is not trusted here (OSCI 9501) */
  | 'mailbox/certificate-refused'
  /** a certificate is revoked (OSCI 9502) */
  | 'mailbox/certificate-revoked'
  /** the peer answered in an unexpected way: other type, unencrypted, unsigned, other challenge */
  | 'mailbox/peer-misbehaved'
  /** no connection to the intermediary: nothing left this machine */
  | 'mailbox/unreachable'
  /** the request left, no whole answer came back: the outcome must be asked about */
  | 'mailbox/no-answer'
  /** no mailbox of this id or name, or it has no keys on this server */
  | 'mailbox/unknown-mailbox'
  /** the addressee is in no directory of this server */
  | 'mailbox/unknown-addressee'
  /** an attachment name that cannot stand in a MIME header, is reserved or occurs twice */
  | 'mailbox/bad-attachment-name'
  /** the order names no file, too many files, or a file that is not released */
  | 'mailbox/nothing-to-send'

export class MailboxError extends Error {
  override readonly name = 'MailboxError'
  readonly code: MailboxErrorCode

  constructor(code: MailboxErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
