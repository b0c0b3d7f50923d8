/**
 * Port: a private key that opens wrapped content keys (XML Encryption key transport, as OSCI uses it).
 */

/**
 * How the content key was wrapped. OAEP uses MGF1 with the same hash.
 * `rsa-1_5` is off by default in OSCI and only for configured old partners; it needs the length of the content key,
 * because a failed opening answers with a random key of that length (implicit rejection) instead of an error.
 */
export type KeyTransport =
  { kind: 'rsa-oaep'; hash: 'sha1' | 'sha256' | 'sha384' | 'sha512' } | { kind: 'rsa-1_5'; keyBytes: number }

export interface DecryptionKey {
  /** DER of the certificate that the sender encrypted for */
  readonly certificate: Buffer
  /**
   * Opens one wrapped content key; does not say why it failed.
   *
   * @throws SigningError `signing/unwrap-failed` (never for `rsa-1_5` with a wrapped key of the right length)
   */
  unwrap(wrapped: Buffer, transport: KeyTransport): Promise<Buffer>
}
