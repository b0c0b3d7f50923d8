/**
 * Faults of the signing module: something that keeps us from doing the job.
 *
 * A wrong signature is not a fault; it is a verdict, a value (validation/report.ts).
 */

/** Every code that this module throws. The code is the contract, the message is for a person who reads the log. */
export type SigningErrorCode =
  /** the bytes do not begin with a PDF header */
  | 'signing/not-a-pdf'
  /** a PDF whose structure is broken, truncated or contradicts itself; nothing is guessed or repaired */
  | 'signing/pdf-damaged'
  /** the PDF is encrypted: a password is needed or wrong, or it is encrypted for certificates; the message says which */
  | 'signing/pdf-encrypted'
  /** an earlier signature or certification, or the permissions of an encrypted PDF, forbid a further one */
  | 'signing/pdf-locked'
  /** the signature field asked for is not there or signed already, or demands something that the seal does not have */
  | 'signing/field-unusable'
  /** deeper, longer or larger than the limits of this reader allow */
  | 'signing/pdf-too-complex'
  /** well-formed, but uses something that this reader does not know (a filter, a dynamic form) */
  | 'signing/pdf-unsupported'
  /** to validate this document takes more time or memory than one document may take */
  | 'signing/too-complex'
  /** the thread that validated has ended, or too many validations wait; trying later may help */
  | 'signing/validation-lost'
  /** the document changed or shrank while it was read */
  | 'signing/source-changed'
  /** a text for the seal (reason, location) is too long or has control characters */
  | 'signing/bad-text'
  /** the logo of a visible mark cannot be used, or the mark does not fit its place */
  | 'signing/bad-mark'
  /** the passphrase does not open the key file */
  | 'signing/bad-passphrase'
  /** the key file cannot be read, or holds no usable pair of key and certificate */
  | 'signing/key-file-damaged'
  /** the key must not be used for this: expired, not yet valid, wrong usage, or too weak by policies/algorithms.ts */
  | 'signing/key-unusable'
  /** a token or service that holds the key cannot be reached or asked, or has no such key; trying later may help */
  | 'signing/key-unavailable'
  /** the token refused the PIN; it is not tried again, because a few wrong ones lock the token */
  | 'signing/pin-refused'
  /** the certificate is not a qualified one, and the settings do not allow seals that are only advanced */
  | 'signing/key-not-qualified'
  /** a certificate, CMS object or key structure is not well-formed DER */
  | 'signing/asn1-damaged'
  /** the private-key operation failed, or its result does not verify */
  | 'signing/signature-failed'
  /** a wrapped key cannot be opened with this private key */
  | 'signing/unwrap-failed'
  /** XML that is not well-formed, not UTF-8 or not of the expected structure */
  | 'signing/xml-malformed'
  /** XML with a document type or a processing instruction */
  | 'signing/xml-forbidden'
  /** the XML document bears a signature that a further one would break */
  | 'signing/xml-locked'
  /** XML beyond the limits of bytes, depth or count */
  | 'signing/xml-too-large'
  /** a digest, signature or cipher algorithm that is unknown or not accepted */
  | 'signing/algorithm-refused'
  /** encrypted bytes that do not open with the right key: damaged, or the key is another one */
  | 'signing/decryption-failed'

  /** a ZIP container that cannot be read in one way only, or beyond the limits */
  | 'signing/container-damaged'
  /** names of files that cannot stand in one container: unfit, twice, or reserved */
  | 'signing/bad-file-name'
  /** no time-stamping authority gave a time-stamp that passes the checks */
  | 'signing/timestamp-unavailable'
  /** a time-stamp or signature is larger than the room reserved for it; trying again reserves more */
  | 'signing/no-room'
  /** an address did not answer, not in time, too much, or must not be asked */
  | 'signing/fetch-failed'
  /** certificates or revocation data that the level needs cannot be had (now) */
  | 'signing/evidence-missing'
  /** a signature or time-stamp that is already there does not fit; it is not extended */
  | 'signing/signature-broken'
  /** stored trusted lists are missing or were altered, so nothing can be said about qualification */
  | 'signing/trust-store-damaged'

/** Thrown by every function of this module that cannot do its job; look at `code`. */
export class SigningError extends Error {
  override readonly name = 'SigningError'
  readonly code: SigningErrorCode

  constructor(code: SigningErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The result of a reader of foreign bytes; null where it says that they are damaged. What is no SigningError is thrown on. */
export function readOrNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}
