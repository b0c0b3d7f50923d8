/**
 * Judges one certification path (RFC 5280 §6.1), from the trust anchor down to the signer.
 *
 * Pure: time, policies and anchor are arguments. All faults are collected, not only the first, because the validation
 * after EN 319 102-1 weighs them differently (an expired certificate may be excused by a time-stamp, a wrong
 * signature never). Revocation and the strength of algorithms are judged elsewhere.
 */
import { TAG, childrenOf, decode, readOid, sequence as derSequence } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { EXTENSION, sameName } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { ANY_POLICY, readPolicies, readPolicyLimits, readPolicyMappings } from './extensions.ts'
import type { NameConstraints } from './extensions.ts'
import { constraintsOf, namesAllowed } from './name-constraints.ts'
import { PolicyGraph } from './policy-graph.ts'
import { verifyCertificate } from './signature-value.ts'
import type { Path } from './trust-anchor.ts'

export { buildPaths } from './path-building.ts'
export type { Path, TrustAnchor } from './trust-anchor.ts'

export interface PathConditions {
  /** every certificate is judged at this time */
  time: Date
  /**
   * - `shell` (the rule): all certificates are valid at `time`
   * - `chain` (German signatures before 2017): each is valid when the one below it was issued
   */
  model?: 'shell' | 'chain'
  /** policies that the caller accepts; absent: any */
  initialPolicies?: ReadonlySet<string>
  requireExplicitPolicy?: boolean
  inhibitPolicyMapping?: boolean
  inhibitAnyPolicy?: boolean
}

export type PathFaultReason =
  | 'anchor-not-in-force'
  | 'path-too-long'
  | 'not-yet-valid'
  | 'expired'
  | 'signature'
  | 'unsupported-algorithm'
  | 'name-chaining'
  | 'name-constraints'
  | 'policy'
  | 'policy-mapping'
  | 'not-a-ca'
  | 'path-length'
  | 'key-usage'
  | 'unknown-critical-extension'
  | 'malformed-extension'

export interface PathFault {
  reason: PathFaultReason
  /** where it is: 0 is the signer */
  index: number
  certificate: Certificate
}

export interface PathVerdict {
  kind: 'valid' | 'invalid'
  /** empty exactly when valid; the anchor's side first */
  faults: readonly PathFault[]
  /** policies under which the path is valid; `2.5.29.32.0` for all */
  policies: ReadonlySet<string>
  /** SubjectPublicKeyInfo of the signer, with parameters that it may inherit */
  spki: Buffer
}

/** Judges `path`. Never throws for what is in certificates. */
export function validatePath(path: Path, conditions: PathConditions): PathVerdict {
  const { anchor, certificates } = path
  const [signer] = certificates
  const faults = anchorFaults(path, conditions.time)
  if (signer.sha256 === anchor.certificate.sha256) return finish(faults, new Set([ANY_POLICY]), signer.spki)
  if (certificates.length > MAX_PATH) return finish([fault('path-too-long', 0, signer)], new Set(), signer.spki)
  const state = initialState(path, conditions)
  for (let index = certificates.length - 1; index >= 0; index--) {
    const certificate = certificates[index]
    if (certificate === undefined) continue
    const found = new Set<PathFaultReason>()
    const report = (reason: PathFaultReason): Set<PathFaultReason> => found.add(reason)
    guarded(report, () => {
      checkBasics(certificate, momentFor(path, index, conditions), state, report)
      checkPolicies(certificate, index === 0, state, report)
    })
    guarded(report, () => {
      if (index > 0) prepareNext(certificate, state, report)
      else wrapUp(certificate, state, report)
    })
    state.spki = inheritParameters(certificate.spki, state.spki)
    state.issuer = certificate
    faults.push(...[...found].map((reason) => fault(reason, index, certificate)))
  }
  const policies = state.graph.result(conditions.initialPolicies ?? null)
  // §6.1.5 g: where a policy is demanded, one of the accepted must be left
  if (state.explicitPolicy === 0 && policies.size === 0 && !faults.some(({ reason }) => reason === 'policy'))
    faults.push(fault('policy', 0, signer))
  return finish(faults, policies, state.spki)
}

interface State {
  graph: PolicyGraph
  constraints: NameConstraints[]
  explicitPolicy: number
  policyMapping: number
  inhibitAny: number
  maxPathLength: number
  /** working public key, with inherited parameters */
  spki: Buffer
  issuer: Certificate
  signer: Certificate
}
type Report = (reason: PathFaultReason) => unknown

function initialState({ anchor, certificates }: Path, conditions: PathConditions): State {
  const unlimited = certificates.length + 1
  return {
    graph: new PolicyGraph(),
    constraints: [],
    explicitPolicy: conditions.requireExplicitPolicy === true ? 0 : unlimited,
    policyMapping: conditions.inhibitPolicyMapping === true ? 0 : unlimited,
    inhibitAny: conditions.inhibitAnyPolicy === true ? 0 : unlimited,
    maxPathLength: certificates.length,
    spki: anchor.certificate.spki,
    issuer: anchor.certificate,
    signer: certificates[0],
  }
}

/** §6.1.3 a to c. */
function checkBasics(certificate: Certificate, moment: Date, state: State, report: Report): void {
  const value = verifyCertificate(certificate, state.spki)
  if (value.kind === 'bad') report('signature')
  if (value.kind === 'unsupported') report('unsupported-algorithm')
  if (moment < certificate.notBefore) report('not-yet-valid')
  if (moment > certificate.notAfter) report('expired')
  if (!sameName(certificate.issuer, state.issuer.subject)) report('name-chaining')
  // §6.1.3 b: self-issued certificates between anchor and signer are free of name constraints
  if (certificate.selfIssued && certificate !== state.signer) return
  if (!namesAllowed(certificate, state.constraints)) report('name-constraints')
}

/** §6.1.3 d to f. */
function checkPolicies(certificate: Certificate, isLast: boolean, state: State, report: Report): void {
  const anyAllowed = state.inhibitAny > 0 || (!isLast && certificate.selfIssued)
  state.graph.addCertificate(readPolicies(certificate), anyAllowed)
  if (state.explicitPolicy === 0 && state.graph.isEmpty) report('policy')
}

/** §6.1.4: what a CA certificate hands on to the next one. */
function prepareNext(certificate: Certificate, state: State, report: Report): void {
  const mappings = readPolicyMappings(certificate)
  if (mappings.some(({ issuer, subject }) => issuer === ANY_POLICY || subject === ANY_POLICY)) report('policy-mapping')
  else state.graph.map(mappings, state.policyMapping > 0)
  const constraints = constraintsOf(certificate)
  if (constraints !== null) state.constraints.push(constraints)
  if (!certificate.selfIssued) {
    state.explicitPolicy = Math.max(0, state.explicitPolicy - 1)
    state.policyMapping = Math.max(0, state.policyMapping - 1)
    state.inhibitAny = Math.max(0, state.inhibitAny - 1)
  }
  const limits = readPolicyLimits(certificate)
  state.explicitPolicy = Math.min(state.explicitPolicy, limits.requireExplicitPolicy ?? Infinity)
  state.policyMapping = Math.min(state.policyMapping, limits.inhibitPolicyMapping ?? Infinity)
  state.inhibitAny = Math.min(state.inhibitAny, limits.inhibitAnyPolicy ?? Infinity)
  checkAuthority(certificate, state, report)
  checkCriticalExtensions(certificate, report)
}

/** §6.1.4 k to n: may this certificate issue others? */
function checkAuthority(certificate: Certificate, state: State, report: Report): void {
  if (certificate.version !== 3 || !certificate.isCa) report('not-a-ca')
  if (!certificate.selfIssued) {
    if (state.maxPathLength <= 0) report('path-length')
    state.maxPathLength--
  }
  state.maxPathLength = Math.min(state.maxPathLength, certificate.basicConstraints?.pathLength ?? Infinity)
  if (certificate.keyUsage?.has('keyCertSign') === false) report('key-usage')
}

/** §6.1.5 a, b, c to f. */
function wrapUp(certificate: Certificate, state: State, report: Report): void {
  state.explicitPolicy = Math.max(0, state.explicitPolicy - 1)
  if (readPolicyLimits(certificate).requireExplicitPolicy === 0) state.explicitPolicy = 0
  checkCriticalExtensions(certificate, report)
}

function checkCriticalExtensions(certificate: Certificate, report: Report): void {
  for (const [id, { critical }] of certificate.extensions)
    if (critical && !KNOWN.has(id)) report('unknown-critical-extension')
}

/** When certificate `index` must be valid: see `PathConditions.model`. */
function momentFor(path: Path, index: number, { model, time }: PathConditions): Date {
  return model === 'chain' && index > 0 ? (path.certificates[index - 1]?.notBefore ?? time) : time
}

function anchorFaults({ anchor, certificates }: Path, time: Date): PathFault[] {
  const early = anchor.from !== undefined && time < anchor.from
  const late = anchor.until !== undefined && time > anchor.until
  return early || late ? [fault('anchor-not-in-force', certificates.length, anchor.certificate)] : []
}

/** An extension that cannot be read is a fault of the certificate, not of the program. */
function guarded(report: Report, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
    report('malformed-extension')
  }
}

/** §6.1.4 d–f: a key without parameters inherits those of the same algorithm above it (DSA only; RFC 3279 §2.3.2). */
function inheritParameters(spki: Buffer, above: Buffer): Buffer {
  const [algorithm, bits] = childrenOf(decode(spki), TAG.sequence)
  const [id, parameters] = childrenOf(algorithm, TAG.sequence)
  if (readOid(id) !== DSA || parameters !== undefined || bits === undefined) return spki
  const [aboveAlgorithm] = childrenOf(decode(above), TAG.sequence)
  const inherited = readOid(childrenOf(aboveAlgorithm, TAG.sequence)[0]) === DSA
  return inherited && aboveAlgorithm !== undefined ? derSequence(aboveAlgorithm.encoding, bits.encoding) : spki
}

function finish(faults: readonly PathFault[], policies: ReadonlySet<string>, spki: Buffer): PathVerdict {
  return { kind: faults.length === 0 ? 'valid' : 'invalid', faults, policies, spki }
}

const fault = (reason: PathFaultReason, index: number, certificate: Certificate): PathFault => ({
  reason,
  index,
  certificate,
})

/** Critical extensions that this judgement obeys, or that do not bear on it (QcStatements and usages: the validation). */
const KNOWN: ReadonlySet<string> = new Set(Object.values(EXTENSION))
const DSA = '1.2.840.10040.4.1'
const MAX_PATH = 32
