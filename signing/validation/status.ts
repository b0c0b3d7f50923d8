/**
 * The revocation status of the certificates of a path, from what is at hand, and how long it counts (ETSI EN 319 102-1
 * §5.2.5, revocation freshness).
 */
import type { Certificate } from '../trust/certificate.ts'
import { judgeRevocation } from '../trust/revocation/judgement.ts'
import type { RevocationSource, RevocationVerdict } from '../trust/revocation/verdict.ts'
import type { Path } from '../trust/trust-anchor.ts'
import { objectId } from './object-id.ts'
import type { Workbench } from './workbench.ts'

export interface CertificateStatus {
  readonly certificate: Certificate
  readonly issuer: Certificate
  /** null: nobody asks about this one */
  readonly verdict: RevocationVerdict | null
}

/** For every certificate of the path, the signer first; none for an anchor that signs itself. */
export function statusesOf(bench: Workbench, path: Path): CertificateStatus[] {
  const { certificates, anchor } = path
  if (certificates[0].sha256 === anchor.certificate.sha256) return []
  return certificates.map((certificate, index) => {
    const issuer = certificates[index + 1] ?? anchor.certificate
    const verdict = needsNoStatus(certificate) ? null : presentStatus(bench, { certificate, issuer })
    return { certificate, issuer, verdict }
  })
}

/** The status at the time of validation does not depend on proofs, and the same issuers stand behind many paths. */
function presentStatus(bench: Workbench, pair: Pick<CertificateStatus, 'certificate' | 'issuer'>): RevocationVerdict {
  const key = `${pair.certificate.sha256} ${pair.issuer.sha256}`
  const verdict = bench.presentStatuses.get(key) ?? statusAt(bench, pair, bench.now)
  bench.presentStatuses.set(key, verdict)
  return verdict
}

/** The status at `at`, by what is proven to have existed then. */
export function statusAt(
  bench: Workbench,
  { certificate, issuer }: Pick<CertificateStatus, 'certificate' | 'issuer'>,
  at: Date,
): RevocationVerdict {
  const { anchors, pool, poe, policy, now } = bench
  const existed = (der: Buffer): boolean => at >= now || poe.of(objectId(der)).time <= at
  return judgeRevocation({
    certificate,
    issuer,
    pool,
    anchors,
    evidence: { certificates: [], crls: bench.crls.filter(existed), ocsps: bench.ocsps.filter(existed) },
    controlTime: at,
    now: at,
    trustedResponders: anchors.flatMap((anchor) =>
      anchor.purposes?.includes('revocation') === true ? [anchor.certificate] : [],
    ),
    skewMs: policy.revocation.skewMs,
    maxAgeMs: policy.revocation.maxAgeMs,
  })
}

/** Until when these data are in force by themselves. */
export function inForceUntil({ policy }: Workbench, { thisUpdate, nextUpdate }: RevocationSource): Date {
  return nextUpdate ?? new Date(thisUpdate.getTime() + policy.revocation.maxAgeMs)
}

/** Until when the policy lets these data count; see RevocationRules. */
export function countsUntil(bench: Workbench, source: RevocationSource, purpose: 'signing' | 'timestamping'): Date {
  const { signatureAgeDays, timestampAgeDays } = bench.policy.revocation
  const days = purpose === 'signing' ? signatureAgeDays : timestampAgeDays
  if (days === null) return END_OF_TIME
  const aged = source.thisUpdate.getTime() + days * DAY_MS
  return new Date(Math.max(aged, inForceUntil(bench, source).getTime()))
}

/**
 * Until when data must be proven to have existed because of the certificates of who signed them: the end of those,
 * unless it is the issuer itself. Where data count without end (time-stamping authorities), their signer needs to have
 * been valid when it signed, no longer.
 */
export function signerEnds(
  { policy }: Workbench,
  { signer, signerPath }: RevocationSource,
  { issuer, purpose }: { issuer: Certificate; purpose: 'signing' | 'timestamping' },
): Date {
  const isEndless = purpose === 'timestamping' && policy.revocation.timestampAgeDays === null
  if (isEndless || signer.sha256 === issuer.sha256) return END_OF_TIME
  const chain = signerPath?.certificates ?? [signer]
  return new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime())))
}

/**
 * RFC 9608 (noRevAvail), ETSI EN 319 412-1 §5.2 (short-term, validity assured). The mark for OCSP responders does not
 * count here: signers and authorities cannot give it to themselves.
 */
export function needsNoStatus({ extensions, isCa }: Certificate): boolean {
  return !isCa && NO_STATUS.some((id) => extensions.has(id))
}

const NO_STATUS = ['2.5.29.56', '0.4.0.194121.2.1'] as const
const END_OF_TIME = new Date(8.64e15)
const DAY_MS = 24 * 3_600_000
