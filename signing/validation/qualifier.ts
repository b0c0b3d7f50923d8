/**
 * The question that trusted lists answer: how qualified were this certificate and this time-stamp (ETSI TS 119 615)?
 *
 * trust/lists/ has the answers; a validation without lists asks nobody and reports advanced signatures at most.
 * Answers are pure: the lists that they rest upon were read before.
 */
import type { Certificate } from '../trust/certificate.ts'
import type { TrustAnchor } from '../trust/trust-anchor.ts'
import type { ListReport, QualificationReport } from './report.ts'

export interface QualificationQuestion {
  certificate: Certificate
  /** the signer first; the anchor's own certificate is not in it, unless the signer is the anchor */
  path: readonly Certificate[]
  anchor: TrustAnchor
  form: 'signature'
  /** notBefore of the certificate */
  issuedAt: Date
  /** the earliest proven time of the signature */
  bestTime: Date
}

export interface TimestampQuestion {
  certificate: Certificate
  path: readonly Certificate[]
  anchor: TrustAnchor
  genTime: Date
}

export interface Qualifier {
  /** What the lists say, taking the technical verdict for granted; the judge marks what is provisional. */
  qualify(question: QualificationQuestion): QualificationReport
  /** null: not to be told */
  isQualifiedTimestamp(question: TimestampQuestion): boolean | null
  /** the lists that answers rest upon, for the report */
  readonly lists: readonly ListReport[]
}
