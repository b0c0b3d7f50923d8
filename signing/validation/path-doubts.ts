/**
 * What a path leaves open at the time of validation (ETSI EN 319 102-1 §5.2.6): its form, validity and status.
 */
import type { PathFault, PathFaultReason, PathVerdict } from '../trust/path.ts'
import type { RevocationSource, RevocationVerdict } from '../trust/revocation/verdict.ts'
import type { Path } from '../trust/trust-anchor.ts'
import type { Doubt } from './doubt.ts'
import { objectId } from './object-id.ts'
import { earlier } from './poe.ts'
import type { Proof } from './poe.ts'
import type { SubIndication } from './report.ts'
import { countsUntil, signerEnds } from './status.ts'
import type { CertificateStatus } from './status.ts'
import type { Workbench } from './workbench.ts'

/** What the doubts are about: the path, and when the value that it stands behind existed. */
export interface PathCase {
  readonly path: Path
  readonly statuses: readonly CertificateStatus[]
  readonly valueProof: Proof
  readonly purpose: 'signing' | 'timestamping'
}

export function formDoubts(bench: Workbench, subject: PathCase, { faults }: PathVerdict): Doubt[] {
  return faults.map((fault) => {
    if (fault.reason === 'expired' || fault.reason === 'not-yet-valid') return validityDoubt(bench, subject, fault)
    if (fault.reason === 'anchor-not-in-force') return anchorDoubt(subject, fault)
    return plain(fault, FORM_SUBS[fault.reason] ?? 'CHAIN_CONSTRAINTS_FAILURE')
  })
}

export function statusDoubts(bench: Workbench, subject: PathCase): Doubt[] {
  return subject.statuses.flatMap((status, index) => {
    const { verdict, certificate } = status
    const about = (name: string): Doubt['checked'] => ({ block: 'revocation', name, subject: certificate.sha256 })
    if (verdict === null) return []
    if (verdict.kind === 'unavailable' || verdict.kind === 'unknown') {
      const detail = verdict.kind === 'unknown' ? 'the responder does not know it' : refusals(verdict)
      return [{ ...NO_CURE, checked: about('revocation-known'), sub: 'CERTIFICATE_CHAIN_GENERAL_FAILURE', detail }]
    }
    const doubts = signerDoubt(bench, status, { ...subject, source: verdict.source })
    if (verdict.kind === 'revoked' || verdict.kind === 'hold')
      return [revokedDoubt(subject, verdict, index, about('not-revoked')), ...doubts]
    const until = countsUntil(bench, verdict.source, subject.purpose)
    if (bench.now <= until) return doubts
    const detail = `data of ${verdict.source.thisUpdate.toISOString()} counted until ${until.toISOString()}`
    const cure = { proof: subject.valueProof, until }
    return [{ checked: about('revocation-fresh'), sub: 'TRY_LATER', detail, cure, past: true, proven: null }, ...doubts]
  })
}

/** In the chain model (old German signatures) a fault above the signer is one of issuing, which no proof heals. */
function validityDoubt({ policy }: Workbench, { valueProof, statuses }: PathCase, fault: PathFault): Doubt {
  const { certificate, index, reason } = fault
  const isSigner = index === 0
  const status = statuses[index]?.verdict?.kind
  const known = status === 'good' || status === 'stale'
  const base = plain(fault, known ? 'OUT_OF_BOUNDS_NOT_REVOKED' : 'OUT_OF_BOUNDS_NO_POE')
  if (reason === 'not-yet-valid' || (policy.pathModel === 'chain' && !isSigner)) return base
  const cure = { proof: valueProof, until: certificate.notAfter }
  const detail = `expired ${certificate.notAfter.toISOString()}`
  return { ...base, detail, cure, past: true, proven: isSigner ? 'EXPIRED' : null }
}

function anchorDoubt({ path: { anchor }, valueProof }: PathCase, fault: PathFault): Doubt {
  const base = plain(fault, 'NO_CERTIFICATE_CHAIN_FOUND_NO_POE')
  const { from, until } = anchor
  const tooEarly = from !== undefined && valueProof.time < from
  return tooEarly || until === undefined ? base : { ...base, cure: { proof: valueProof, until }, past: true }
}

function revokedDoubt(
  { valueProof }: PathCase,
  { kind, time, reason }: RevocationVerdict & { kind: 'revoked' | 'hold' },
  index: number,
  checked: Doubt['checked'],
): Doubt {
  const detail = `${kind} since ${time.toISOString()}: ${reason}`
  const cure = { proof: valueProof, until: new Date(time.getTime() - 1) }
  if (kind === 'hold') return { checked, sub: 'TRY_LATER', detail, cure, past: true, proven: null }
  if (index === 0) return { checked, sub: 'REVOKED_NO_POE', detail, cure, past: true, proven: 'REVOKED' }
  return { checked, sub: 'REVOKED_CA_NO_POE', detail, cure: null, past: true, proven: null }
}

/** Whoever signed the data must be valid still, or have been when the data, or what they are needed for, are proven. */
function signerDoubt(
  bench: Workbench,
  { certificate, issuer }: CertificateStatus,
  { source, purpose, valueProof }: PathCase & { source: RevocationSource },
): Doubt[] {
  const until = signerEnds(bench, source, { issuer, purpose })
  if (bench.now <= until) return []
  const checked = { block: 'revocation', name: 'revocation-signer-valid', subject: certificate.sha256 } as const
  const detail = `who signed the revocation data expired ${until.toISOString()}`
  const cure = { proof: earlier(bench.poe.of(objectId(source.der)), valueProof), until }
  return [{ checked, sub: 'REVOCATION_OUT_OF_BOUNDS_NO_POE', detail, cure, past: true, proven: null }]
}

function plain({ reason, certificate }: PathFault, sub: SubIndication): Doubt {
  return {
    ...NO_CURE,
    checked: { block: 'chain', name: `path-${reason}`, subject: certificate.sha256 },
    sub,
    detail: reason,
  }
}

function refusals({ refused }: RevocationVerdict): string {
  const reasons = [...new Set(refused.map(({ reason }) => reason).filter((reason) => reason !== 'other-certificate'))]
  return reasons.length === 0 ? 'no revocation data' : `no usable revocation data: ${reasons.join(', ')}`
}

const NO_CURE = { cure: null, past: false, proven: null } as const
const FORM_SUBS: Partial<Record<PathFaultReason, SubIndication>> = {
  'unsupported-algorithm': 'CRYPTO_CONSTRAINTS_FAILURE',
}
