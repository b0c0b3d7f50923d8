/**
 * The material of one judgement, laid out once: certificates, revocation data, anchors, proofs, rules and the time.
 */
import type { Certificate } from '../trust/certificate.ts'
import { readable } from '../trust/revocation/inquiry.ts'
import type { Evidence, RevocationVerdict } from '../trust/revocation/verdict.ts'
import type { TrustAnchor, TrustPurpose } from '../trust/trust-anchor.ts'
import type { DocumentFacts } from './facts.ts'
import { objectId } from './object-id.ts'
import { ProofsOfExistence } from './poe.ts'
import type { ValidationPolicy } from './policy.ts'

export interface Workbench {
  readonly anchors: readonly TrustAnchor[]
  readonly policy: ValidationPolicy
  readonly now: Date
  /** of the document and of the evidence beside it; none of them is trusted */
  readonly pool: readonly Certificate[]
  readonly crls: readonly Buffer[]
  readonly ocsps: readonly Buffer[]
  /** grows while time-stamps are judged, newest first */
  readonly poe: ProofsOfExistence
  /** filled by status.ts */
  readonly presentStatuses: Map<string, RevocationVerdict>
}

export function layOut(
  facts: DocumentFacts,
  { anchors, evidence, policy, now }: Pick<Workbench, 'anchors' | 'policy' | 'now'> & { evidence: Evidence },
): Workbench {
  const named = [...facts.signatures, ...facts.timestamps].flatMap(({ certificate }) => certificate ?? [])
  const inTokens = facts.timestamps.flatMap(({ certificates }) => certificates)
  const loose = readable([...facts.evidence.certificates, ...evidence.certificates])
  return {
    anchors,
    policy,
    now,
    pool: distinct([...named, ...inTokens, ...loose], ({ sha256 }) => sha256),
    crls: distinct([...facts.evidence.crls, ...evidence.crls], objectId),
    ocsps: distinct([...facts.evidence.ocsps, ...evidence.ocsps], objectId),
    poe: new ProofsOfExistence(now),
    presentStatuses: new Map(),
  }
}

/** Those that are trusted for this purpose. */
export function anchorsFor({ anchors }: Workbench, purpose: TrustPurpose): TrustAnchor[] {
  return anchors.filter(({ purposes }) => purposes?.includes(purpose) ?? true)
}

function distinct<T>(list: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(list.map((item) => [key(item), item])).values()]
}
