/**
 * Validates the time-stamps of a document, each as a signature of its own (ETSI EN 319 102-1 §5.4), newest first, and
 * takes from those that passed the proofs of existence for everything they cover (§5.6.2.3).
 *
 * A time-stamp that does not pass proves nothing, and makes no signature fail.
 */
import { tsaFaults } from '../timestamp/token.ts'
import { conclude, missed, passed } from './checks.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts, TimestampFaultCode } from './facts.ts'
import type { Proof } from './poe.ts'
import type { Conclusion, ConstraintReport, SubIndication } from './report.ts'
import { judgeTrust } from './trust.ts'
import type { Trust } from './trust.ts'
import type { Workbench } from './workbench.ts'

export interface JudgedTimestamp {
  readonly facts: TimestampFacts
  readonly conclusion: Conclusion
  readonly constraints: readonly ConstraintReport[]
  readonly trust: Trust | null
  /** null unless it passed */
  readonly proof: Proof | null
}

/** By id. Proofs are added to the workbench. */
export function judgeTimestamps(bench: Workbench, facts: DocumentFacts): ReadonlyMap<string, JudgedTimestamp> {
  const judged = new Map<string, JudgedTimestamp>()
  const inside = new Map(facts.timestamps.map(({ tokenId, certificates }) => [tokenId, certificates]))
  for (const timestamp of newestFirst(facts.timestamps)) {
    if (timestamp.kind === 'content') proveContent(bench, timestamp, facts.signatures)
    const result = judgeTimestamp(bench, timestamp)
    judged.set(timestamp.id, result)
    if (result.proof === null) continue
    bench.poe.add(timestamp.covers, result.proof)
    // a token that is covered is covered with the certificates in it
    const certificates = [...timestamp.covers].flatMap((id) => inside.get(id) ?? [])
    bench.poe.add(
      certificates.map(({ sha256 }) => sha256),
      result.proof,
    )
  }
  return judged
}

/** Those over content last: they are older than the signature that holds them. */
function newestFirst(timestamps: readonly TimestampFacts[]): TimestampFacts[] {
  const time = ({ info }: TimestampFacts): number => info?.genTime.getTime() ?? 0
  return [...timestamps].sort(
    (a, b) => Number(a.kind === 'content') - Number(b.kind === 'content') || time(b) - time(a) || covering(a, b),
  )
}

function covering(a: TimestampFacts, b: TimestampFacts): number {
  return Number(b.covers.has(a.tokenId)) - Number(a.covers.has(b.tokenId))
}

/** A content time-stamp lies under the signature, so it existed with the signature value. */
function proveContent(bench: Workbench, timestamp: TimestampFacts, signatures: readonly SignatureFacts[]): void {
  for (const { timestampIds, valueId, faults } of signatures) {
    const proof = bench.poe.of(valueId)
    if (faults.length === 0 && proof.source !== 'now' && timestampIds.includes(timestamp.id))
      bench.poe.add([timestamp.tokenId, ...timestamp.certificates.map(({ sha256 }) => sha256)], proof)
  }
}

function judgeTimestamp(bench: Workbench, facts: TimestampFacts): JudgedTimestamp {
  const { info, certificate, faults, algorithms, tokenId } = facts
  const form = FORM_CHECKS.map((check) => {
    const fault = faults.find(({ code }) => code === check.code)
    const checked = { block: check.block, name: check.name } as const
    return fault === undefined ? passed(checked) : missed(checked, check.sub, fault.detail)
  })
  if (info === null || certificate === null) {
    const constraints = faults.length > 0 ? form : [...form, missed(NO_TSA, 'NO_SIGNING_CERTIFICATE_FOUND', '')]
    return { facts, conclusion: conclude(constraints), constraints, trust: null, proof: null }
  }
  const usage = tsaFaults(certificate, info).map((fault) =>
    missed(
      { block: 'acceptance', name: `authority-${fault}`, subject: certificate.sha256 },
      'CHAIN_CONSTRAINTS_FAILURE',
      fault,
    ),
  )
  const trust = judgeTrust(bench, {
    certificate,
    valueId: tokenId,
    algorithms,
    purpose: 'timestamping',
    madeAfter: null,
  })
  const constraints = [...form, ...trust.constraints, ...usage]
  const conclusion = conclude(constraints)
  const hasPassed = conclusion.indication === 'TOTAL-PASSED'
  return { facts, conclusion, constraints, trust, proof: hasPassed ? { time: info.genTime, source: facts.id } : null }
}

const NO_TSA = { block: 'certificate', name: 'certificate-found' } as const

interface FormCheck {
  code: TimestampFaultCode
  block: ConstraintReport['block']
  name: string
  sub: SubIndication
}
const FORM_CHECKS: readonly FormCheck[] = [
  { code: 'unreadable', block: 'format', name: 'token-readable', sub: 'FORMAT_FAILURE' },
  { code: 'certificate', block: 'certificate', name: 'authority-certificate', sub: 'NO_SIGNING_CERTIFICATE_FOUND' },
  { code: 'data-missing', block: 'crypto', name: 'stamped-data-found', sub: 'SIGNED_DATA_NOT_FOUND' },
  { code: 'imprint', block: 'crypto', name: 'imprint', sub: 'HASH_FAILURE' },
  { code: 'index', block: 'crypto', name: 'hash-index', sub: 'HASH_FAILURE' },
  { code: 'value', block: 'crypto', name: 'token-signature', sub: 'SIG_CRYPTO_FAILURE' },
  { code: 'form', block: 'acceptance', name: 'token-form', sub: 'SIG_CONSTRAINTS_FAILURE' },
  { code: 'algorithm', block: 'crypto', name: 'token-algorithm', sub: 'CRYPTO_CONSTRAINTS_FAILURE' },
]
