/**
 * When a time-stamp needs a successor: before its certificate or its algorithms end, whichever comes first.
 *
 * Only a new time-stamp made in good time carries the proof on (ETSI EN 319 102-1 §5.6); afterwards nothing heals it.
 */
import { judgeAlgorithm, judgeDigest } from '../../policies/index.ts'
import type { AlgorithmPolicy, AlgorithmVerdict } from '../../policies/index.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import type { TimestampToken } from './token.ts'

export interface Renewal {
  /** renew from here on */
  from: Date
  /** the proof ends here */
  end: Date
  reason: 'certificate' | 'algorithm'
}

/**
 * Judges by the dates known at `now`; ask again whenever the policy changes.
 *
 * @param tsa the certificate that the token was signed with
 */
export function nextRenewal(token: TimestampToken, tsa: Certificate, policy: AlgorithmPolicy, now: Date): Renewal {
  const certificate: Renewal = {
    from: new Date(tsa.notAfter.getTime() - CERTIFICATE_MARGIN_MS),
    end: tsa.notAfter,
    reason: 'certificate',
  }
  const ends = verdicts(token, tsa, policy, now).flatMap((verdict) => endOf(verdict, now) ?? [])
  const earliest = Math.min(...ends.map((end) => end.getTime()))
  if (earliest - ALGORITHM_MARGIN_MS >= certificate.from.getTime()) return certificate
  return { from: new Date(earliest - ALGORITHM_MARGIN_MS), end: new Date(earliest), reason: 'algorithm' }
}

/** The token's own signature, and the digest of its imprint. */
function verdicts(token: TimestampToken, tsa: Certificate, policy: AlgorithmPolicy, now: Date): AlgorithmVerdict[] {
  const { signer, info } = token
  const use = algorithmFacts(signer.signatureAlgorithm, tsa.spki, signer.digestAlgorithm)
  return [judgeAlgorithm(use, policy, now), judgeDigest(digestOf(info.imprint.algorithm) ?? '', policy, now)]
}

/** Null: no end is set. What is refused has ended already. */
function endOf(verdict: AlgorithmVerdict, now: Date): Date | null {
  return verdict.kind === 'refused' ? now : verdict.until
}

const DAY_MS = 24 * 60 * 60 * 1000
const CERTIFICATE_MARGIN_MS = 90 * DAY_MS
const ALGORITHM_MARGIN_MS = 180 * DAY_MS
