/**
 * Judges whether a certificate is revoked, from CRLs and OCSP answers that are at hand (RFC 5280 §6.3, RFC 6960 §3.2).
 *
 * Pure: nothing is fetched, no clock is read. All evidence is weighed. A revocation that anybody entitled has stated
 * outweighs every "good"; otherwise the newest statement counts.
 */
import { SigningError } from '../../errors.ts'
import { parseCertificate } from '../certificate.ts'
import type { Certificate } from '../certificate.ts'
import type { TrustAnchor } from '../path.ts'
import { judgeLists } from './crl-judgement.ts'
import { judgeOcsp } from './ocsp-judgement.ts'
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
}

/** Judges one certificate. Never throws for what is in evidence or certificates. */
export function judgeRevocation(question: RevocationQuestion): RevocationVerdict {
  return inquire(question, [])
}

/** The same for the signer of some evidence; a question that leads back to itself has no answer. */
export function judgeSigner(inquiry: Inquiry, certificate: Certificate, issuer: Certificate): RevocationVerdict {
  const circular = inquiry.asking.includes(certificate.sha256) || inquiry.asking.length >= MAX_DEPTH
  if (circular) return { kind: 'unavailable', refused: [] }
  const { nonce, ...question } = inquiry
  return inquire({ ...question, certificate, issuer }, inquiry.asking)
}

function inquire(question: RevocationQuestion, asking: readonly string[]): RevocationVerdict {
  const refused: RefusedEvidence[] = []
  const inquiry: Inquiry = {
    ...question,
    now: question.now ?? question.controlTime,
    pool: [...question.pool, ...readable(question.evidence.certificates)],
    trustedResponders: question.trustedResponders ?? [],
    nonce: question.nonce ?? null,
    skewMs: question.skewMs ?? DEFAULT_SKEW_MS,
    maxAgeMs: question.maxAgeMs ?? DEFAULT_AGE_MS,
    refuse: (kind, sha256, reason) => refused.push({ kind, sha256, reason }),
    asking: [...asking, question.certificate.sha256],
  }
  return { ...weigh([...judgeOcsp(inquiry), ...judgeLists(inquiry)]), refused }
}

function weigh(statements: readonly Statement[]): Unrefused {
  const revoked = statements
    .filter((statement) => statement.kind === 'revoked')
    .filter(({ reason }) => reason !== 'certificateHold' && reason !== 'removeFromCRL')
    .sort((a, b) => a.time.getTime() - b.time.getTime())[0]
  if (revoked !== undefined) return revoked
  const [newest] = [...statements].sort(
    (a, b) => Number(b.fresh) - Number(a.fresh) || b.source.thisUpdate.getTime() - a.source.thisUpdate.getTime(),
  )
  if (newest === undefined) return { kind: 'unavailable' }
  if (!newest.fresh) return { kind: 'stale', source: newest.source }
  if (newest.kind !== 'revoked') return newest
  return newest.reason === 'removeFromCRL' ? { kind: 'good', source: newest.source } : { ...newest, kind: 'hold' }
}

type Unrefused = RevocationVerdict extends infer V ? (V extends unknown ? Omit<V, 'refused'> : never) : never

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

/** The result of a parser, or null for damaged input. */
export function readOrNull<T>(parse: () => T): T | null {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

const DEFAULT_SKEW_MS = 5 * 60 * 1000
const DEFAULT_AGE_MS = 24 * 60 * 60 * 1000
const MAX_DEPTH = 4
const MAX_CERTIFICATES = 2000
