/**
 * Is a certificate revoked? The evidence that is given, and the answer with the evidence that it rests upon.
 */
import type { Certificate } from '../certificate.ts'
import type { Path } from '../path.ts'

/** DER, each as it was received; nothing in it is trusted. */
export interface Evidence {
  certificates: Buffer[]
  crls: Buffer[]
  /** OCSPResponse, or BasicOCSPResponse as old CMS signatures carry it */
  ocsps: Buffer[]
}

export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'unknownReason',
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const
/** CRLReason (RFC 5280 §5.3.1); `unknownReason`: a number that no standard gives a meaning. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number]

/** The reason with this number. */
export function reasonOf(content: Buffer): RevocationReason {
  return (content.length === 1 ? REVOCATION_REASONS[content[0] ?? 7] : undefined) ?? 'unknownReason'
}

/** One CRL or OCSP answer that was accepted, with what a report and the algorithm policy need. */
export interface RevocationSource {
  readonly kind: 'crl' | 'ocsp'
  /** as it was received */
  readonly der: Buffer
  readonly sha256: string
  readonly thisUpdate: Date
  /** null: not given */
  readonly nextUpdate: Date | null
  /** OCSP: when the answer was signed; CRL: thisUpdate */
  readonly producedAt: Date
  readonly signatureAlgorithm: Buffer
  readonly signer: Certificate
  /** path of the signer when it is not the issuer of the certificate itself */
  readonly signerPath: Path | null
  /** the delta list that was read together with this CRL */
  readonly delta: Buffer | null
}

/** Evidence that was looked at and not used. */
export interface RefusedEvidence {
  readonly kind: 'crl' | 'ocsp'
  readonly sha256: string
  readonly reason: RefusalReason
}

export type RefusalReason =
  | 'damaged'
  /** OCSP: tryLater, internalError, unauthorized … */
  | 'responder-failed'
  /** speaks about other certificates */
  | 'other-certificate'
  | 'signature'
  /** nobody who may speak for this issuer signed it */
  | 'unauthorised-signer'
  | 'signer-revoked'
  /** the delegated signer's own status is not known */
  | 'signer-status-unknown'
  | 'from-the-future'
  | 'times-contradict'
  | 'unknown-critical-extension'
  /** a delta list without its base */
  | 'no-base'
  /** lists that together cover some revocation reasons only */
  | 'some-reasons-only'
  | 'nonce'
  /** says "good" about a certificate that had expired by then, and does not say that it still watches such */
  | 'issued-after-expiry'

interface Common {
  readonly refused: readonly RefusedEvidence[]
}

/**
 * - `good`: covered by fresh evidence and not revoked
 * - `revoked`: since `time`, which may lie after the moment that matters
 * - `hold`: suspended; may be lifted again
 * - `unknown`: the responder does not know the certificate
 * - `stale`: would be good, but the newest evidence was outdated at the control time
 * - `unavailable`: no usable evidence; `refused` says why each was not usable
 */
export type RevocationVerdict =
  | (Common & { readonly kind: 'good' | 'unknown' | 'stale'; readonly source: RevocationSource })
  | (Common & {
      readonly kind: 'revoked' | 'hold'
      readonly time: Date
      readonly reason: RevocationReason
      readonly source: RevocationSource
    })
  | (Common & { readonly kind: 'unavailable' })
