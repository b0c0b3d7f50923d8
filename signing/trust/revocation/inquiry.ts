/**
 * A question about revocation on its way to an answer: what was asked, and the words in which evidence answers.
 *
 * Below crl-judgement.ts and ocsp-judgement.ts, which weigh one kind of evidence each; judgement.ts puts them together.
 */
import { readOrNull } from '../../errors.ts'
import { parseCertificate } from '../certificate.ts'
import type { Certificate } from '../certificate.ts'
import type { TrustAnchor } from '../trust-anchor.ts'
import type { Evidence, RefusalReason, RefusedEvidence, RevocationSource, RevocationVerdict } from './verdict.ts'

export interface RevocationQuestion {
  certificate: Certificate
  /** whose key verified the certificate */
  issuer: Certificate
  /** certificates among which signers of evidence are looked for, besides those inside the evidence */
  pool: readonly Certificate[]
  /** where paths of separate CRL issuers must end */
  anchors: readonly TrustAnchor[]
  evidence: Evidence
  /** evidence must be in force at this time or be newer: the moment whose status matters */
  controlTime: Date
  /** evidence from after this time is from the future; absent: `controlTime` */
  now?: Date
  /** responders that are trusted by name and key (a trusted list), for all issuers */
  trustedResponders?: readonly Certificate[]
  /** the nonce of our own request: an answer with another one is refused, one without is usual */
  nonce?: Buffer
  /** how far clocks may differ; absent: 5 minutes */
  skewMs?: number
  /** how long evidence without nextUpdate counts; absent: 24 hours */
  maxAgeMs?: number
}

/** What one piece of evidence says, once it was accepted. */
export type Statement =
  | { readonly kind: 'good' | 'unknown'; readonly fresh: boolean; readonly source: RevocationSource }
  | (Pick<RevocationVerdict & { kind: 'revoked' }, 'kind' | 'time' | 'reason' | 'source'> & { readonly fresh: boolean })

/** A question on its way: limits, refusals so far, and how deep the questions about signers of evidence go. */
export interface Inquiry extends Required<Omit<RevocationQuestion, 'nonce'>> {
  readonly nonce: Buffer | null
  readonly refuse: (kind: RefusedEvidence['kind'], sha256: string, reason: RefusalReason) => void
  /** sha256 of the certificates whose status is being asked for, outermost first */
  readonly asking: readonly string[]
  /** The same question about the signer of some evidence; one that leads back to itself has no answer. */
  readonly judgeSigner: (certificate: Certificate, issuer: Certificate) => RevocationVerdict
}

/** Is evidence with these times in force at the control time, or newer? */
export function isFresh(inquiry: Inquiry, thisUpdate: Date, nextUpdate: Date | null): boolean {
  const until = nextUpdate?.getTime() ?? thisUpdate.getTime() + inquiry.maxAgeMs
  return inquiry.controlTime.getTime() <= until
}

/** The certificates among these that can be read; the others are nobody's. */
export function readable(ders: readonly Buffer[]): Certificate[] {
  return ders.slice(0, MAX_CERTIFICATES).flatMap((der) => {
    const certificate = readOrNull(() => parseCertificate(der))
    return certificate === null ? [] : [certificate]
  })
}

const MAX_CERTIFICATES = 2000
