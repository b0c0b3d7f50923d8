/**
 * X.509 validation of whoever signed something, with all that proofs of existence can heal (ETSI EN 319 102-1 §5.2.6,
 * §5.5.4, §5.6.2): for signatures and for time-stamps alike.
 *
 * Every path to an anchor is tried; the one with the fewest grave doubts counts.
 */
import type { Certificate } from '../trust/certificate.ts'
import { buildPaths, validatePath } from '../trust/path.ts'
import type { PathFaultReason, PathVerdict } from '../trust/path.ts'
import type { Path } from '../trust/trust-anchor.ts'
import { conclude, gravity, informed, missed, passed } from './checks.ts'
import { at, openDoubt, settle } from './doubt.ts'
import type { Doubt } from './doubt.ts'
import type { AlgorithmInUse } from './facts.ts'
import { objectId } from './object-id.ts'
import { slide } from './past.ts'
import { formDoubts, statusDoubts } from './path-doubts.ts'
import type { PathCase } from './path-doubts.ts'
import { earlier } from './poe.ts'
import type { Proof } from './poe.ts'
import type { ConstraintReport } from './report.ts'
import { inForceUntil, statusesOf } from './status.ts'
import type { CertificateStatus } from './status.ts'
import { suitability, useOf } from './suitability.ts'
import { anchorsFor } from './workbench.ts'
import type { Workbench } from './workbench.ts'

/** Something that was signed, as far as trust in its signer goes. */
export interface SignedValue {
  readonly certificate: Certificate
  /** objectId of the signature value, or of the time-stamp token */
  readonly valueId: string
  readonly algorithms: readonly AlgorithmInUse[]
  readonly purpose: 'signing' | 'timestamping'
  /** proof that it was not made before; null: none */
  readonly madeAfter: Proof | null
}

export interface Trust {
  /** null: none was found */
  readonly path: Path | null
  readonly statuses: readonly CertificateStatus[]
  readonly constraints: readonly ConstraintReport[]
  /** revocation data count although they were no longer in force when the value is first proven */
  readonly aged: boolean
}

export function judgeTrust(bench: Workbench, signed: SignedValue): Trust {
  const valueProof = bench.poe.of(signed.valueId)
  const crypto = signed.algorithms.map(({ place, use }) =>
    suitability({ block: 'crypto', name: `algorithm of ${place}` }, use, context(bench, valueProof, signed.madeAfter)),
  )
  let best: Trust | null = null
  for (const [path, verdict] of candidatePaths(bench, signed)) {
    const trust = judgePath(bench, signed, path, verdict)
    if (best === null || weight(trust) > weight(best)) best = trust
    if (conclude(trust.constraints).subIndication === null) break
  }
  if (best !== null) return { ...best, constraints: [...best.constraints, ...crypto] }
  const none = missed({ block: 'chain', name: 'path-found' }, 'NO_CERTIFICATE_CHAIN_FOUND', 'no path to a trust anchor')
  return { path: null, statuses: [], constraints: [none, ...crypto], aged: false }
}

/** Paths whose names and signatures chain; the others are none. */
function* candidatePaths(bench: Workbench, { certificate, purpose }: SignedValue): Generator<[Path, PathVerdict]> {
  for (const path of buildPaths(certificate, bench.pool, anchorsFor(bench, purpose), MAX_PATHS)) {
    const verdict = validatePath(path, { time: bench.now, model: bench.policy.pathModel })
    if (!verdict.faults.some(({ reason }) => NO_CHAIN.has(reason))) yield [path, verdict]
  }
}

function judgePath(bench: Workbench, signed: SignedValue, path: Path, verdict: PathVerdict): Trust {
  const { purpose, madeAfter, valueId } = signed
  const valueProof = bench.poe.of(valueId)
  const statuses = statusesOf(bench, path)
  const subject: PathCase = { path, statuses, valueProof, purpose }
  const doubts = [...formDoubts(bench, subject, verdict), ...statusDoubts(bench, subject)]
  const crypto = statuses.flatMap((status, index) => suitabilities(bench, status, index === 0 ? valueProof : null))
  const constraints = [
    passed({ block: 'chain', name: 'path-found', subject: path.anchor.certificate.sha256 }),
    ...notYetValid(bench, subject),
    ...weighDoubts(bench, subject, doubts, madeAfter),
    ...settledStatuses(subject, doubts),
    ...crypto,
  ]
  return { path, statuses, constraints, aged: statuses.some((status) => isAged(bench, status, valueProof)) }
}

function weighDoubts(
  bench: Workbench,
  { path, valueProof, purpose }: PathCase,
  doubts: readonly Doubt[],
  madeAfter: Proof | null,
): ConstraintReport[] {
  const settled = doubts.map((doubt) => [doubt, settle(doubt, madeAfter)] as const)
  const mayHelp = settled.some(([{ past }, report]) => report === null && past) && valueProof.time < bench.now
  if (!mayHelp) return settled.map(([doubt, report]) => report ?? openDoubt(doubt))
  const answer = slide(bench, path, { purpose, valueProof })
  const checked = { block: 'past', name: 'past-certificate-validation' } as const
  if (answer.kind === 'blocked') {
    const note = informed({ ...checked, subject: answer.certificate.sha256 }, answer.detail)
    return [...settled.map(([doubt, report]) => report ?? openDoubt(doubt)), note]
  }
  const reached = valueProof.time <= answer.time
  const note = informed(checked, `reliable until ${answer.time.toISOString()}; existed at ${at(valueProof)}`)
  const late = (doubt: Doubt): ConstraintReport =>
    doubt.past && reached ? informed(doubt.checked, `${doubt.detail}; healed by past validation`) : openDoubt(doubt)
  return [...settled.map(([doubt, report]) => report ?? late(doubt)), note]
}

/** The value existed before its certificate was valid: nobody can have signed it then (§5.5.4). */
function notYetValid({ now }: Workbench, { path, statuses, valueProof }: PathCase): ConstraintReport[] {
  const [{ notBefore, sha256 }] = path.certificates
  if (statuses.length === 0 || valueProof.time >= notBefore || valueProof.time >= now) return []
  const checked = { block: 'chain', name: 'made-within-validity', subject: sha256 } as const
  return [missed(checked, 'NOT_YET_VALID', `existed at ${at(valueProof)}, valid from ${notBefore.toISOString()}`)]
}

/** What is well about the statuses, for the report. */
function settledStatuses({ statuses }: PathCase, doubts: readonly Doubt[]): ConstraintReport[] {
  return statuses
    .filter(({ certificate }) => !doubts.some(({ checked }) => checked.subject === certificate.sha256))
    .map(({ certificate, verdict }) => {
      const checked = { block: 'revocation', name: 'not-revoked', subject: certificate.sha256 } as const
      return verdict === null ? informed(checked, 'needs no status') : passed(checked)
    })
}

/** Of a certificate below the anchor, and of the data about its status. `valueProof`: the signer's own. */
function suitabilities(
  bench: Workbench,
  { certificate, issuer, verdict }: CertificateStatus,
  valueProof: Proof | null,
): ConstraintReport[] {
  const own = bench.poe.of(certificate.sha256)
  // a signature names its certificate by a digest under the signature: both existed together
  const proof = valueProof === null ? own : earlier(own, valueProof)
  const judged = (name: string, algorithm: Buffer, spki: Buffer, since: Proof): ConstraintReport => {
    const checked = { block: 'crypto', name, subject: certificate.sha256 } as const
    const use = useOf(algorithm, spki)
    if (use === null) return missed(checked, 'CRYPTO_CONSTRAINTS_FAILURE', 'identifiers cannot be read')
    return suitability(checked, use, context(bench, since, null))
  }
  const list = [judged('algorithm of certificate', certificate.signatureAlgorithm, issuer.spki, proof)]
  if (verdict === null || verdict.kind === 'unavailable') return list
  const { source } = verdict
  const since = bench.poe.of(objectId(source.der))
  return [...list, judged('algorithm of revocation data', source.signatureAlgorithm, source.signer.spki, since)]
}

function isAged(bench: Workbench, { verdict }: CertificateStatus, { time }: Proof): boolean {
  return verdict !== null && 'source' in verdict && time > inForceUntil(bench, verdict.source)
}

const context = (bench: Workbench, proof: Proof, madeAfter: Proof | null) =>
  ({ view: bench.policy.algorithms, proof, madeAfter }) as const

/** The higher, the better. */
function weight({ constraints }: Trust): number {
  const { subIndication } = conclude(constraints)
  return subIndication === null ? Infinity : gravity(subIndication)
}

const NO_CHAIN: ReadonlySet<PathFaultReason> = new Set<PathFaultReason>(['signature', 'name-chaining'])
const MAX_PATHS = 16
