/**
 * What the CRLs at hand say about a certificate together (RFC 5280 §6.3.3).
 *
 * Lists may cover some reasons only, come from another issuer, or be a delta upon a base. "Good" needs lists that
 * cover every reason.
 */
import { createHash } from 'node:crypto'
import type { Certificate } from '../certificate.ts'
import { readDistributionPoints } from '../extensions.ts'
import { buildPaths } from '../path-building.ts'
import { validatePath } from '../path.ts'
import type { Path } from '../path.ts'
import { verifyValue } from '../signature-value.ts'
import { ALL_REASONS, coverage } from './crl-scope.ts'
import { findEntry, parseRevocationList } from './crl.ts'
import type { RevocationList } from './crl.ts'
import { readOrNull } from '../../errors.ts'
import { isFresh } from './inquiry.ts'
import type { Inquiry, Statement } from './inquiry.ts'
import type { RefusalReason, RevocationSource } from './verdict.ts'

/** What the lists at hand say; what does not count is refused by reason. */
export function judgeLists(inquiry: Inquiry): Statement[] {
  const lists = inquiry.evidence.crls.slice(0, MAX_LISTS).flatMap((der) => readList(inquiry, der))
  const candidates = lists.filter(({ list, reasons }) => {
    if (reasons.size === 0) inquiry.refuse('crl', list.sha256, 'other-certificate')
    return reasons.size > 0
  })
  const accepted = candidates.flatMap((candidate) => accept(inquiry, candidate))
  const deltas = accepted.filter(({ list }) => list.baseNumber !== null)
  const statements = accepted
    .filter(({ list }) => list.baseNumber === null)
    .flatMap((base) => {
      const delta = bestDelta(inquiry, base, deltas)
      const result = readOrNull(() => statementOf(inquiry, base, delta)) ?? 'damaged'
      if (typeof result !== 'string') return [result]
      inquiry.refuse('crl', base.list.sha256, result)
      return []
    })
  for (const { list } of deltas) if (!isUsed(list, statements)) inquiry.refuse('crl', list.sha256, 'no-base')
  const combined = combine(statements)
  if (combined.length === 0)
    for (const { statement } of statements) inquiry.refuse('crl', statement.source.sha256, 'some-reasons-only')
  return combined
}

interface Candidate {
  readonly list: RevocationList
  readonly reasons: ReadonlySet<string>
}
interface Accepted extends Candidate {
  readonly signer: Certificate
  readonly signerPath: Path | null
}
interface Partial {
  readonly reasons: ReadonlySet<string>
  readonly statement: Statement
}

function readList(inquiry: Inquiry, der: Buffer): Candidate[] {
  const candidate = readOrNull(() => {
    const list = parseRevocationList(der)
    return { list, reasons: coverage(list, inquiry.certificate) ?? new Set<string>() }
  })
  if (candidate === null) inquiry.refuse('crl', createHash('sha256').update(der).digest('hex'), 'damaged')
  return candidate === null ? [] : [candidate]
}

function accept(inquiry: Inquiry, candidate: Candidate): Accepted[] {
  const { list } = candidate
  const fault = contentFault(inquiry, list)
  const signer = fault ?? findSigner(inquiry, list)
  if (typeof signer !== 'string') return [{ ...candidate, ...signer }]
  inquiry.refuse('crl', list.sha256, signer)
  return []
}

function contentFault({ now, skewMs }: Inquiry, list: RevocationList): RefusalReason | null {
  if (list.hasUnknownCritical) return 'unknown-critical-extension'
  if (list.thisUpdate.getTime() > now.getTime() + skewMs) return 'from-the-future'
  return list.nextUpdate !== null && list.nextUpdate < list.thisUpdate ? 'times-contradict' : null
}

/** §6.3.3 f and g. */
function findSigner(inquiry: Inquiry, list: RevocationList): Pick<Accepted, 'signer' | 'signerPath'> | RefusalReason {
  const candidates = [inquiry.issuer, ...inquiry.anchors.map(({ certificate }) => certificate), ...inquiry.pool]
  const named = candidates.filter(({ subject }) => subject.key === list.issuer.key)
  const tried = new Set<string>()
  let best: RefusalReason = named.length === 0 ? 'unauthorised-signer' : 'signature'
  for (const signer of named) {
    if (tried.has(signer.sha256) || tried.size >= MAX_SIGNERS) continue
    tried.add(signer.sha256)
    if (!isSignedBy(list, signer)) continue
    const result = entitlement(inquiry, list, signer)
    if (typeof result !== 'string') return result
    best = result
  }
  return best
}

function isSignedBy(list: RevocationList, { spki }: Certificate): boolean {
  const { signatureAlgorithm: algorithm, tbs: signed, signature } = list
  return verifyValue({ algorithm, spki, signed }, signature).kind === 'good'
}

function entitlement(
  inquiry: Inquiry,
  list: RevocationList,
  signer: Certificate,
): Pick<Accepted, 'signer' | 'signerPath'> | RefusalReason {
  if (signer.keyUsage?.has('cRLSign') === false) return 'unauthorised-signer'
  if (signer.sha256 === inquiry.issuer.sha256) return { signer, signerPath: null }
  const pool = [...inquiry.pool, inquiry.issuer]
  let best: RefusalReason = 'unauthorised-signer'
  for (const path of buildPaths(signer, pool, inquiry.anchors, MAX_PATHS)) {
    if (validatePath(path, { time: list.thisUpdate }).kind !== 'valid') continue
    const fault = pathStatus(inquiry, list, path)
    if (fault === null) return { signer, signerPath: path }
    best = fault
  }
  return best
}

/** Null: nothing in the path of a CRL issuer is revoked. What is on the way anyhow is not asked for twice. */
function pathStatus(inquiry: Inquiry, list: RevocationList, { certificates, anchor }: Path): RefusalReason | null {
  const issuers = [...certificates.slice(1), anchor.certificate]
  for (const [index, certificate] of certificates.entries()) {
    const issuer = issuers[index]
    const known = [inquiry.issuer.sha256, anchor.certificate.sha256].includes(certificate.sha256)
    if (known || issuer === undefined || (index === 0 && vouchesForItself(list, certificate))) continue
    const { kind } = inquiry.judgeSigner(certificate, issuer)
    if (kind === 'revoked' || kind === 'hold') return 'signer-revoked'
    if (kind !== 'good') return 'signer-status-unknown'
  }
  return null
}

/**
 * A CA may name a CRL issuer as the one that also lists that issuer's own certificate (crlIssuer in its distribution
 * point): then no other list exists, and asking for one would go in a circle.
 */
function vouchesForItself(list: RevocationList, signer: Certificate): boolean {
  const named = readDistributionPoints(signer).some(({ crlIssuer }) =>
    crlIssuer?.some((name) => name.kind === 'directory' && name.name.key === signer.subject.key),
  )
  const complete = coverage(list, signer)?.size === ALL_REASONS.size
  return named && complete && findEntry(list, signer.serial, signer.issuer) === null
}

/** The newest delta that builds upon this base (§5.2.4: same issuer, scope and key; numbers that meet). */
function bestDelta(
  inquiry: Inquiry,
  { list: base, signer }: Accepted,
  deltas: readonly Accepted[],
): RevocationList | null {
  const { number } = base
  if (number === null) return null
  const fitting = deltas.filter(({ list, signer: deltaSigner }) => {
    const sameScope = list.scope?.der.equals(base.scope?.der ?? EMPTY) ?? base.scope === null
    const sameSigner = deltaSigner.spki.equals(signer.spki) && list.issuer.key === base.issuer.key
    const numbersMeet = (list.baseNumber ?? number + 1n) <= number && (list.number ?? -1n) > number
    return sameScope && sameSigner && numbersMeet && isFresh(inquiry, list.thisUpdate, list.nextUpdate)
  })
  return fitting.map(({ list }) => list).sort((a, b) => (a.thisUpdate < b.thisUpdate ? 1 : -1))[0] ?? null
}

function statementOf(inquiry: Inquiry, base: Accepted, delta: RevocationList | null): Partial | RefusalReason {
  const { list, reasons } = base
  const { serial, issuer } = inquiry.certificate
  const newest = delta ?? list
  const entry = (delta === null ? null : findEntry(delta, serial, issuer)) ?? findEntry(list, serial, issuer)
  const source: RevocationSource = {
    kind: 'crl',
    der: list.der,
    sha256: list.sha256,
    thisUpdate: newest.thisUpdate,
    nextUpdate: newest.nextUpdate,
    producedAt: newest.thisUpdate,
    signatureAlgorithm: list.signatureAlgorithm,
    signer: base.signer,
    signerPath: base.signerPath,
    delta: delta?.der ?? null,
  }
  const fresh = isFresh(inquiry, newest.thisUpdate, newest.nextUpdate)
  // §5.3.1: a delta takes a certificate off the list with this reason
  const cleared = entry === null || entry.reason === 'removeFromCRL'
  if (cleared && forgets(list, inquiry.certificate)) return 'issued-after-expiry'
  if (cleared) return { reasons, statement: { kind: 'good', fresh, source } }
  return { reasons, statement: { kind: 'revoked', time: entry.revokedAt, reason: entry.reason, fresh, source } }
}

/** §5.1.2.6: a certificate is taken off the list after it expired, unless the list says that it keeps such. */
function forgets({ thisUpdate, expiredSince }: RevocationList, { notAfter }: Certificate): boolean {
  return thisUpdate > notAfter && (expiredSince === null || expiredSince > notAfter)
}

/** Lists that say "good" say it only together, when they cover every reason; a revocation stands alone. */
function combine(partials: readonly Partial[]): Statement[] {
  const revoked = partials.map(({ statement }) => statement).filter(({ kind }) => kind === 'revoked')
  const complete = partials.filter(({ reasons }) => reasons.size === ALL_REASONS.size).map(({ statement }) => statement)
  return [...revoked, ...complete.filter(({ kind }) => kind === 'good'), ...jointly(partials)]
}

function jointly(partials: readonly Partial[]): Statement[] {
  const parts = partials.filter(
    ({ reasons, statement }) => reasons.size < ALL_REASONS.size && statement.kind === 'good',
  )
  const fresh = parts.filter(({ statement }) => statement.fresh)
  const use = covers(fresh) ? fresh : parts
  // a chain of lists is as fresh as its oldest
  const [oldest] = [...use].sort(
    (a, b) => a.statement.source.thisUpdate.getTime() - b.statement.source.thisUpdate.getTime(),
  )
  return oldest !== undefined && covers(use) ? [{ ...oldest.statement, fresh: use === fresh }] : []
}

function covers(parts: readonly Partial[]): boolean {
  return new Set(parts.flatMap(({ reasons }) => [...reasons])).size === ALL_REASONS.size
}

const isUsed = (delta: RevocationList, statements: readonly Partial[]): boolean =>
  statements.some(({ statement }) => statement.source.delta === delta.der)

const MAX_LISTS = 1000
const MAX_SIGNERS = 20
const MAX_PATHS = 8
const EMPTY = Buffer.alloc(0)
