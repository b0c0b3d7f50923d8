/**
 * Port: a private key that signs. Software key files (pkcs12.ts), hardware tokens and remote services answer it.
 *
 * The key sees the few bytes to be signed (signed attributes, SignedInfo), never a document, and hashes them itself:
 * so it can work off the main thread, and a token or service is free to take the hash only.
 */
import type { CertificateKind } from '../certificate.ts'

/**
 * What the signature value is made with. RSASSA-PSS: MGF1 with the same hash, salt as long as the hash. ECDSA: the value
 * is DER, SEQUENCE { r, s }; who needs r‖s converts it (ecdsa-value.ts).
 */
export type SignatureAlgorithm =
  | 'rsa-pkcs1-sha256'
  | 'rsa-pkcs1-sha384'
  | 'rsa-pkcs1-sha512'
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384'
  | 'rsa-pss-sha512'
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'

/** What of a key is known without using it: enough to lay out a signature that somebody else's key will make. */
export interface SigningIdentity {
  /** DER; the signer's own certificate first, then its issuers towards the root as far as they are known */
  readonly certificateChain: readonly [Buffer, ...Buffer[]]
  /** used when `sign` is not told otherwise */
  readonly algorithm: SignatureAlgorithm
  /** what a signature with this key is, by its certificate */
  readonly kind: CertificateKind
  /** length of one signature value in bytes (RSA: the length of the modulus; ECDSA: the longest DER) */
  readonly signatureBytes: number
}

export interface SigningKey extends SigningIdentity {
  /**
   * Signs many short messages under one authorisation; does not block the event loop.
   *
   * That the key belongs to the certificate was proved at its opening, or every value is verified with the certificate
   * before it is returned (ADR 20).
   *
   * @returns one signature value per message, in the same order
   * @throws SigningError `signing/signature-failed`, `signing/algorithm-refused` the key cannot sign so
   */
  sign(messages: readonly Buffer[], algorithm?: SignatureAlgorithm): Promise<Buffer[]>
}

/** A key that holds on to something outside of this process. */
export interface OpenedKey {
  signing: SigningKey
  close: () => Promise<void>
}
