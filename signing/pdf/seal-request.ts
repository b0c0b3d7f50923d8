/**
 * What a caller asks of a seal, and what comes back.
 */
import type { CertificateKind } from '../certificate.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import type { SealMark } from './mark/mark.ts'

export interface SealRequest {
  /** claimed time of the seal; written to /M, and the certificate must be valid then */
  signedAt: Date
  /** why it is sealed, readable by everybody; at most 200 characters */
  reason?: string
  /** where, readable by everybody; at most 200 characters */
  location?: string
  /** gives the seal a time-stamp (B-T); without it, the seal is B-B */
  timestamps?: TimestampSource
  /** of an encrypted document; the owner's allows a seal whatever the permissions are */
  password?: string
  /** fully qualified name of an empty signature field of the document; left out, the seal gets a field of its own */
  field?: string
  /** a visible mark; left out, the seal is not to be seen on the page */
  mark?: SealMark
  /**
   * Makes the seal a certification: from now on forms may be filled in and signatures added, nothing else (DocMDP P=2).
   * Only the first signature of a document can be one. Left out, it is an approval.
   */
  certify?: 'form-filling'
  /** Confirms that a document is sealed although an earlier signature of it does not fit (any more). */
  brokenSignatures?: 'accept'
}

/** Worth telling somebody; the seal holds all the same. */
export type SealNotice =
  /** an earlier signature does not fit, and `brokenSignatures` accepted that */
  | 'earlier-signature-broken'
  /** Acrobat's usage rights end with any change that it did not make (§12.8.2.3) */
  | 'usage-rights'
  /** the seal is invisible: the document claims PDF/UA, where all must be tagged, or is certified against new marks */
  | 'mark-omitted'

export interface SealedPdf {
  /**
   * bytes of the sealed document; final when `bytes` were read: a time-stamp that is larger than its authority's were
   * before makes the document grow
   */
  readonly size: number
  /** what the seal is by its certificate */
  kind: CertificateKind
  /** name of the form field that holds it */
  field: string
  notices: SealNotice[]
  /**
   * The sealed document from its first byte. With `sealPdf`, the key signs when the last byte of the original went out,
   * and iterating again signs again. Throws SigningError `signing/signature-failed`, `signing/source-changed`,
   * `signing/timestamp-unavailable`, `signing/no-room`.
   */
  bytes: AsyncIterable<Buffer>
}
