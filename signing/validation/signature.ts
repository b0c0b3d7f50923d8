/** Validates one signature by all three processes of ETSI EN 319 102-1 (§5.3, §5.5, §5.6) and reports it. */
import type { Certificate } from '../trust/certificate.ts'
import { certificateRestrictions } from '../trust/restrictions.ts'
import { authorityAsSigner, basicConstraints, usageConstraints } from './basic.ts'
import { conclude } from './checks.ts'
import type { DocumentFacts, SignatureFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { levelOf } from './level.ts'
import { orderConstraint } from './order.ts'
import type { Proof } from './poe.ts'
import type { ValidationPolicy } from './policy.ts'
import type { Qualifier } from './qualifier.ts'
import type { Conclusion, ConstraintReport, QualificationReport, SignatureReport } from './report.ts'
import { algorithmReport } from './suitability.ts'
import type { JudgedTimestamp } from './timestamps.ts'
import { judgeTrust } from './trust.ts'
import type { Trust } from './trust.ts'
import type { Workbench } from './workbench.ts'

export interface JudgedSignature {
  readonly report: SignatureReport
  readonly trust: Trust | null
}

export interface SignatureCase {
  readonly document: DocumentFacts
  readonly timestamps: ReadonlyMap<string, JudgedTimestamp>
  readonly qualifier: Qualifier | null
}

export function judgeSignature(bench: Workbench, given: SignatureFacts, context: SignatureCase): JudgedSignature {
  const facts = tolerate(given, bench.policy)
  const { certificate, valueId, algorithms } = facts
  const best = facts.faults.some(({ code }) => code === 'format') ? bench.poe.now : bench.poe.of(valueId)
  const madeAfter = lastContentProof(facts, context.timestamps)
  const trust =
    certificate === null ? null : judgeTrust(bench, { certificate, valueId, algorithms, purpose: 'signing', madeAfter })
  const constraints = inOrder([
    ...basicConstraints(facts),
    ...(certificate === null ? [] : usage(certificate, trust)),
    ...(trust?.constraints ?? []),
    ...orderConstraint(facts, context.timestamps, bench.policy.timestampSkewMs),
  ])
  const conclusion = conclude(constraints)
  const level = levelOf(facts, { ...context, trust })
  const report: SignatureReport = {
    ...conclusion,
    ...described(facts),
    level: level.name,
    levelGap: level.gap,
    qualification: qualification(conclusion, { facts, trust, best }, context.qualifier),
    path: trust === null ? [] : pathIds(trust),
    anchorSource: trust?.path?.anchor.source ?? null,
    bestTime: { time: best.time.toISOString(), source: best.source },
    constraints,
    findings: [...facts.findings, ...(trust?.aged === true ? [AGED] : []), ...restrictions(certificate)],
  }
  return { report, trust }
}

/** What is taken over from the facts as it is. */
function described(facts: SignatureFacts) {
  const { id, form, name, countersigns, claimed, timestampIds, scope } = facts
  return {
    id,
    form,
    name,
    countersigns,
    certificate: facts.certificate?.sha256 ?? null,
    claimedTime: claimed.time?.toISOString() ?? null,
    reason: claimed.reason,
    location: claimed.location,
    algorithms: facts.algorithms.map(algorithmReport),
    timestampIds: [...timestampIds],
    scope,
  }
}

/** Where the policy says so, a change that the signature forbids is a remark beside it. */
function tolerate(facts: SignatureFacts, { forbiddenChanges }: ValidationPolicy): SignatureFacts {
  if (forbiddenChanges === 'fail') return facts
  const changes = facts.faults.filter(({ code }) => code === 'forbidden-change')
  const remarks = changes.map(({ detail }): Finding => ({ severity: 'warning', code: 'unclear-change', detail }))
  return {
    ...facts,
    faults: facts.faults.filter((fault) => !changes.includes(fault)),
    findings: [...facts.findings, ...remarks],
  }
}

function usage(certificate: Certificate, trust: Trust | null): ConstraintReport[] {
  // who is an anchor by itself was chosen as a signer
  const isAnchor = trust?.path?.anchor.certificate.sha256 === certificate.sha256
  return isAnchor ? [] : [...usageConstraints(certificate), ...authorityAsSigner(certificate)]
}

function lastContentProof(
  { timestampIds }: SignatureFacts,
  judged: ReadonlyMap<string, JudgedTimestamp>,
): Proof | null {
  const proofs = timestampIds
    .map((id) => judged.get(id))
    .flatMap((timestamp) => (timestamp?.facts.kind === 'content' ? (timestamp.proof ?? []) : []))
  return proofs.sort((a, b) => b.time.getTime() - a.time.getTime())[0] ?? null
}

function qualification(
  { indication }: Conclusion,
  { facts, trust, best }: { facts: SignatureFacts; trust: Trust | null; best: Proof },
  qualifier: Qualifier | null,
): QualificationReport {
  const { certificate } = facts
  if (indication === 'TOTAL-FAILED' || certificate === null) return nothing('none', 'there is no valid signature')
  const path = trust?.path ?? null
  if (path === null) return { ...nothing('undetermined', 'there is no path to a trust anchor'), provisional: true }
  if (qualifier === null) return nothing('undetermined', 'no trusted lists are at hand')
  const { certificates, anchor } = path
  const { notBefore: issuedAt } = certificate
  const question = {
    certificate,
    path: certificates,
    anchor,
    form: 'signature',
    issuedAt,
    bestTime: best.time,
  } as const
  return { ...qualifier.qualify(question), provisional: indication === 'INDETERMINATE' }
}

function nothing(kind: 'none' | 'undetermined', remark: string): QualificationReport {
  return { kind, provisional: false, proof: null, remarks: [remark] }
}

/** sha256, signer first, anchor last. */
export function pathIds({ path }: Trust): string[] {
  if (path === null) return []
  const all = [...path.certificates, path.anchor.certificate]
  return [...new Set(all.map(({ sha256 }) => sha256))]
}

/** Limits that the certificate states itself stand beside every good verdict. */
function restrictions(certificate: Certificate | null): Finding[] {
  const texts = certificate === null ? [] : certificateRestrictions(certificate)
  return texts.map((detail) => ({ severity: 'warning', code: 'certificate-restricted', detail }))
}

function inOrder(constraints: readonly ConstraintReport[]): ConstraintReport[] {
  return BLOCKS.flatMap((block) => constraints.filter((constraint) => constraint.block === block))
}

const BLOCKS = [
  'format',
  'certificate',
  'context',
  'chain',
  'revocation',
  'crypto',
  'acceptance',
  'past',
  'poe',
] as const
const AGED: Finding = { severity: 'warning', code: 'revocation-aged', detail: '' }
