/** What is trusted without a path, and the path that leads to it. */
import type { Certificate } from './certificate.ts'

export type TrustPurpose = 'signing' | 'timestamping' | 'revocation'

/** A certificate that is trusted without a path: by a trusted list or by the operator. */
export interface TrustAnchor {
  certificate: Certificate
  /** absent: for everything */
  purposes?: readonly TrustPurpose[]
  /** trusted not before */
  from?: Date
  /** trusted not after */
  until?: Date
  /** who says so, for reports: the list with its entry, or the operator's file */
  source: string
}

export interface Path {
  /** the signer first; the anchor's own certificate is not in it, unless the signer is the anchor */
  readonly certificates: readonly [Certificate, ...Certificate[]]
  readonly anchor: TrustAnchor
}
