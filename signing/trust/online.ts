/**
 * Gets what a validation or a level LT needs: issuers, OCSP answers, CRLs. The only file of trust/ that waits on a network.
 *
 * What comes in is judged by the same functions that judge it later, and only what counts is handed out. Offline, only
 * what is given and what the cache still holds counts.
 */
import { SigningError, readOrNull } from '../errors.ts'
import type { Http, HttpRequest } from '../http.ts'
import { accessPoints, ocspRequest } from './access.ts'
import { EXTENSION, parseCertificate } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import type { FetchCache } from './fetch-cache.ts'
import { buildPaths, validatePath } from './path.ts'
import type { Path, TrustAnchor } from './path.ts'
import { parseRevocationList } from './revocation/crl.ts'
import { judgeRevocation } from './revocation/judgement.ts'
import { parseOcsp } from './revocation/ocsp.ts'
import type { Evidence, RevocationSource, RevocationVerdict } from './revocation/verdict.ts'

export interface OnlineOptions {
  /** null: offline */
  http: Http | null
  anchors: readonly TrustAnchor[]
  now: () => Date
  random: (bytes: number) => Buffer
  cache: FetchCache
  /** for one exchange; 10 s unless told otherwise */
  timeoutMs?: number
  /** further OCSP services for certificates of this issuer, asked when those that certificates name do not answer */
  formerServices?: (issuer: Certificate) => readonly string[]
}

export interface Leaf {
  certificate: Certificate
  /**
   * its path is judged at this time; its status must be known for it. Absent: the present, or the last moment of a
   * certificate that has expired (an authority whose time-stamp no later one protects yet)
   */
  at?: Date
  /** evidence must be from then or later: older evidence proves nothing about a signature made then */
  issuedAfter?: Date
}

export interface Collected {
  /** what counts, without the anchors: paths, signers of evidence, one piece of evidence per certificate */
  evidence: Evidence
  /** empty when everything is there */
  gaps: Gap[]
}

export interface Gap {
  certificate: Certificate
  /** `too-old`: evidence is there, but from before `issuedAfter`: try again later */
  reason: 'no-path' | 'too-old' | Exclude<RevocationVerdict['kind'], 'good'>
}

export interface EvidenceSource {
  /** @param given evidence that is there already; it is used before anything is fetched */
  collect(leaves: readonly Leaf[], given: Evidence): Promise<Collected>
}

export function createOnline(options: OnlineOptions): EvidenceSource {
  return {
    async collect(leaves, given) {
      const round: Round = {
        options,
        requests: 0,
        pool: given.certificates.flatMap(readable),
        evidence: { certificates: [], crls: [...given.crls], ocsps: [...given.ocsps] },
        used: { certificates: new Map(), crls: new Map(), ocsps: new Map() },
        gaps: [],
      }
      for (const leaf of leaves) await collectLeaf(round, leaf)
      const { certificates, crls, ocsps } = round.used
      const evidence = {
        certificates: [...certificates.values()],
        crls: [...crls.values()],
        ocsps: [...ocsps.values()],
      }
      return { evidence, gaps: round.gaps }
    },
  }
}

interface Round {
  options: OnlineOptions
  requests: number
  pool: Certificate[]
  /** to judge by */
  evidence: Evidence
  /** what counted, by its hash */
  used: Record<keyof Evidence, Map<string, Buffer>>
  gaps: Gap[]
}

async function collectLeaf(round: Round, leaf: Leaf): Promise<void> {
  const path = await findPath(round, leaf)
  if (path === null) {
    round.gaps.push({ certificate: leaf.certificate, reason: 'no-path' })
    return
  }
  keepCertificates(round, path.certificates)
  for (const [index, certificate] of path.certificates.entries()) {
    const issuer = path.certificates[index + 1] ?? path.anchor.certificate
    if (certificate.sha256 === issuer.sha256 || needsNoStatus(certificate)) continue
    await collectStatus(round, { certificate, issuer, leaf, isLeaf: index === 0 })
  }
}

/** A path that is valid at the leaf's time; missing issuers are fetched. */
async function findPath(round: Round, leaf: Leaf): Promise<Path | null> {
  const { anchors } = round.options
  const { certificate } = leaf
  const time = momentOf(round, leaf)
  const tried = new Set<string>()
  for (let depth = 0; depth <= MAX_FETCHED_ISSUERS; depth++) {
    const paths = buildPaths(certificate, round.pool, anchors, 16)
    const valid = paths.find((path) => validatePath(path, { time }).kind === 'valid')
    if (valid !== undefined) return valid
    const fetched = await fetchIssuers(round, [certificate, ...round.pool], tried)
    if (fetched.length === 0) return null
    round.pool.push(...fetched)
  }
  return null
}

function momentOf({ options }: Round, { at, certificate }: Leaf): Date {
  return at ?? new Date(Math.min(options.now().getTime(), certificate.notAfter.getTime()))
}

async function fetchIssuers(round: Round, below: readonly Certificate[], tried: Set<string>): Promise<Certificate[]> {
  const found: Certificate[] = []
  for (const url of below.slice(-MAX_FETCHED_ISSUERS).flatMap((certificate) => accessPoints(certificate).issuers)) {
    if (tried.has(url)) continue
    tried.add(url)
    const bytes = await fetchBytes(
      round,
      { method: 'GET', url, maxBytes: MAX_CERTIFICATE_BYTES },
      `issuer ${url}`,
      dayAfter,
    )
    if (bytes !== null) found.push(...readable(bytes))
  }
  return found
}

interface StatusQuestion {
  certificate: Certificate
  issuer: Certificate
  leaf: Leaf
  isLeaf: boolean
}

async function collectStatus(round: Round, question: StatusQuestion): Promise<void> {
  const { certificate, leaf, isLeaf } = question
  const issuedAfter = isLeaf ? leaf.issuedAfter : undefined
  let verdict = judge(round, question)
  for (const fetchMore of [fetchOcsp, fetchCrls]) {
    if (isSettled(verdict, issuedAfter)) break
    await fetchMore(round, question)
    verdict = judge(round, question)
  }
  if ('source' in verdict) keepSource(round, verdict.source)
  if (verdict.kind !== 'good') round.gaps.push({ certificate, reason: verdict.kind })
  else if (!isSettled(verdict, issuedAfter)) round.gaps.push({ certificate, reason: 'too-old' })
}

function isSettled(verdict: RevocationVerdict, issuedAfter: Date | undefined): boolean {
  if (verdict.kind !== 'good') return verdict.kind === 'revoked'
  // times in evidence are whole seconds
  return issuedAfter === undefined || verdict.source.thisUpdate.getTime() + 999 >= issuedAfter.getTime()
}

function judge(round: Round, { certificate, issuer, leaf }: StatusQuestion): RevocationVerdict {
  return judgeRevocation({
    certificate,
    issuer,
    pool: round.pool,
    anchors: round.options.anchors,
    evidence: round.evidence,
    controlTime: momentOf(round, leaf),
    now: round.options.now(),
  })
}

async function fetchOcsp(round: Round, { certificate, issuer, leaf }: StatusQuestion): Promise<void> {
  for (const url of [...accessPoints(certificate).ocsp, ...(round.options.formerServices?.(issuer) ?? [])]) {
    const nonce = round.options.random(32)
    const body = ocspRequest(certificate, issuer, nonce)
    const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' }
    // an answer from before the signature must not come out of the cache
    const key = `ocsp ${url} ${certificate.sha256} ${leaf.issuedAfter?.toISOString() ?? ''}`
    const request = { method: 'POST', url, headers, body, maxBytes: MAX_OCSP_BYTES } as const
    const bytes = await fetchBytes(round, request, key, (answer, now) => ocspUntil(answer, now, nonce))
    if (bytes === null) continue
    round.evidence.ocsps.push(bytes)
    return
  }
}

async function fetchCrls(round: Round, { certificate, leaf }: StatusQuestion): Promise<void> {
  for (const url of accessPoints(certificate).crls) {
    const key = `crl ${url} ${leaf.issuedAfter?.toISOString() ?? ''}`
    const bytes = await fetchBytes(round, { method: 'GET', url, maxBytes: MAX_CRL_BYTES }, key, crlUntil)
    if (bytes === null) continue
    round.evidence.crls.push(bytes)
    return
  }
}

/** From the cache, else from the network. Null: not to be had. */
async function fetchBytes(
  round: Round,
  request: Omit<HttpRequest, 'timeoutMs'>,
  key: string,
  until: (bytes: Buffer, now: Date) => Date | null,
): Promise<Buffer | null> {
  const { http, cache, now, timeoutMs = 10_000 } = round.options
  const known = cache.get(key, now())
  if (known !== undefined) return known
  if (http === null || ++round.requests > MAX_REQUESTS) return null
  const body = await exchange(http, { ...request, timeoutMs })
  const end = body === null ? null : until(body, now())
  if (body === null || end === null) {
    cache.set(key, null, new Date(now().getTime() + MINUTE_MS))
    return null
  }
  cache.set(key, body, new Date(Math.min(end.getTime(), now().getTime() + DAY_MS)))
  return body
}

async function exchange(http: Http, request: HttpRequest): Promise<Buffer | null> {
  try {
    const { status, body } = await http(request)
    return status === 200 ? body : null
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

/** Until when an answer may be used again; null: it is none. Answers without a nonce are usual (RFC 6960 §4.4.1). */
function ocspUntil(bytes: Buffer, now: Date, nonce: Buffer): Date | null {
  const answer = readOrNull(() => parseOcsp(bytes))
  if (answer?.kind !== 'answered') return null
  const echoed = answer.extensions.get(OCSP_NONCE)?.value
  if (echoed !== undefined && !echoed.subarray(-nonce.length).equals(nonce)) return null
  return answer.answers[0]?.nextUpdate ?? new Date(now.getTime() + MINUTE_MS)
}

function crlUntil(bytes: Buffer, now: Date): Date | null {
  const list = readOrNull(() => parseRevocationList(bytes))
  return list === null ? null : (list.nextUpdate ?? new Date(now.getTime() + MINUTE_MS))
}

const dayAfter = (_: Buffer, now: Date): Date => new Date(now.getTime() + DAY_MS)

function keepSource(round: Round, source: RevocationSource): void {
  round.used[source.kind === 'crl' ? 'crls' : 'ocsps'].set(source.sha256, source.der)
  if (source.delta !== null) round.used.crls.set(source.delta.toString('base64'), source.delta)
  keepCertificates(round, source.signerPath?.certificates ?? [source.signer])
}

function keepCertificates(round: Round, certificates: readonly Certificate[]): void {
  for (const certificate of certificates) {
    const isAnchor = round.options.anchors.some((anchor) => anchor.certificate.sha256 === certificate.sha256)
    if (!isAnchor) round.used.certificates.set(certificate.sha256, certificate.der)
  }
}

/** RFC 6960 §4.2.2.2.1 and RFC 9608: nobody asks about these. */
function needsNoStatus({ extensions }: Certificate): boolean {
  return extensions.has(EXTENSION.ocspNoCheck) || extensions.has(NO_REVOCATION_AVAILABLE)
}

/** The certificate in these bytes, if it is one. */
function readable(bytes: Buffer): Certificate[] {
  const certificate = readOrNull(() => parseCertificate(bytes))
  return certificate === null ? [] : [certificate]
}

const NO_REVOCATION_AVAILABLE = '2.5.29.56'
const OCSP_NONCE = '1.3.6.1.5.5.7.48.1.2'
const MAX_FETCHED_ISSUERS = 6
const MAX_REQUESTS = 40
const MAX_CERTIFICATE_BYTES = 256 * 1024
const MAX_OCSP_BYTES = 256 * 1024
const MAX_CRL_BYTES = 20 * 1024 * 1024
const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS
