/**
 * Which OCSP answers count for a certificate (RFC 6960 §3.2, §4.2.2.2).
 *
 * An answer is accepted from the CA itself, from a delegate that this CA issued for the purpose, or from a responder
 * that the caller trusts. The same name with another key is nobody. The local configuration that the standard allows
 * (§4.2.2.2, first item) also takes in delegates of the trust anchor that issued the CA: many authorities answer for
 * all their CAs with one responder below the root, and the root could speak through any CA of its own anyway.
 */
import { createHash } from 'node:crypto'
import { TAG, childrenOf, decode, expect } from '../../asn1/der.ts'
import { readDigest } from '../algorithm-identifier.ts'
import { EXTENSION } from '../certificate.ts'
import { createDigest } from '../digest.ts'
import { readBits } from '../fields.ts'
import type { Certificate } from '../certificate.ts'
import { verifyCertificate, verifyValue } from '../signature-value.ts'
import { hasUnknownCritical } from './crl.ts'
import { readOrNull } from '../../errors.ts'
import { isFresh, readable } from './inquiry.ts'
import type { Inquiry, Statement } from './inquiry.ts'
import { parseOcsp } from './ocsp.ts'
import type { OcspResponse, SingleAnswer } from './ocsp.ts'
import { readGeneralizedTime } from './time.ts'
import type { RefusalReason, RevocationSource } from './verdict.ts'

/** What the OCSP answers at hand say about the certificate; what does not count is refused by reason. */
export function judgeOcsp(inquiry: Inquiry): Statement[] {
  return inquiry.evidence.ocsps.slice(0, MAX_ANSWERS).flatMap((der) => {
    const parsed = readOrNull(() => parseOcsp(der))
    const sha256 = parsed?.kind === 'answered' ? parsed.sha256 : createHash('sha256').update(der).digest('hex')
    const result =
      parsed === null ? 'damaged' : parsed.kind === 'failed' ? 'responder-failed' : judgeAnswer(inquiry, parsed)
    if (typeof result !== 'string') return [result]
    inquiry.refuse('ocsp', sha256, result)
    return []
  })
}

function judgeAnswer(inquiry: Inquiry, response: OcspResponse): Statement | RefusalReason {
  // several answers about the same certificate in one response: the newest
  const [answer] = response.answers
    .filter(({ certificate }) => isAbout(certificate, inquiry))
    .sort((a, b) => b.thisUpdate.getTime() - a.thisUpdate.getTime())
  if (answer === undefined) return 'other-certificate'
  const fault = contentFault(inquiry, response, answer)
  if (fault !== null) return fault
  const signer = findSigner(inquiry, response)
  if (typeof signer === 'string') return signer
  const source = sourceOf(response, answer, signer)
  const fresh = isFresh(inquiry, answer.thisUpdate, answer.nextUpdate)
  const { status } = answer
  if (status.kind === 'revoked') return { ...status, fresh, source }
  if (status.kind === 'good' && isTooLate(inquiry.certificate, answer)) return 'issued-after-expiry'
  return { kind: status.kind, fresh, source }
}

/** CertID: hash of the issuer's name, hash of its key, serial; in the digest that it states itself. */
function isAbout(id: SingleAnswer['certificate'], { certificate, issuer }: Inquiry): boolean {
  if (id.digest === null || !id.serial.equals(certificate.serial)) return false
  const hash = (bytes: Buffer): Buffer =>
    createDigest(id.digest ?? 'sha1')
      .update(bytes)
      .digest()
  // the issuer may write its name in another string type than those it issued to
  const names = [issuer.subject.der, certificate.issuer.der]
  return (
    names.some((name) => hash(name).equals(id.issuerNameHash)) && hash(keyBits(issuer.spki)).equals(id.issuerKeyHash)
  )
}

function contentFault(inquiry: Inquiry, response: OcspResponse, answer: SingleAnswer): RefusalReason | null {
  const { certificate, now, nonce, skewMs } = inquiry
  const latest = now.getTime() + skewMs
  const { thisUpdate, nextUpdate, extensions } = answer
  if (thisUpdate.getTime() > latest || response.producedAt.getTime() > latest) return 'from-the-future'
  if (response.producedAt.getTime() + skewMs < thisUpdate.getTime()) return 'times-contradict'
  if (nextUpdate !== null && nextUpdate < thisUpdate) return 'times-contradict'
  if (hasUnknownCritical(response.extensions, KNOWN) || hasUnknownCritical(extensions, KNOWN))
    return 'unknown-critical-extension'
  const echoed = response.extensions.get(OCSP.nonce)
  if (nonce !== null && echoed !== undefined && !isNonce(echoed.value, nonce)) return 'nonce'
  return certificateHash(answer, certificate) === 'other' ? 'other-certificate' : null
}

/** RFC 8954: an OCTET STRING inside; older responders echo the bare octets. */
const isNonce = (value: Buffer, nonce: Buffer): boolean => value.equals(nonce) || value.subarray(2).equals(nonce)

/** Common PKI: the responder proves that it knows this very certificate. */
function certificateHash(answer: SingleAnswer, certificate: Certificate): 'none' | 'same' | 'other' {
  const extension = answer.extensions.get(OCSP.certificateHash)
  if (extension === undefined) return 'none'
  const same = readOrNull(() => {
    const [algorithm, value] = childrenOf(decode(extension.value), TAG.sequence)
    const digest = readDigest(expect(algorithm, TAG.sequence).encoding)
    const hash = digest === null ? null : createDigest(digest).update(certificate.der).digest()
    return hash?.equals(expect(value, TAG.octetString).content) ?? false
  })
  return same === true ? 'same' : 'other'
}

/** "Good" after expiry means something only from responders that say how long they remember. */
function isTooLate(certificate: Certificate, answer: SingleAnswer): boolean {
  if (answer.thisUpdate <= certificate.notAfter || certificateHash(answer, certificate) === 'same') return false
  const extension = answer.extensions.get(OCSP.archiveCutoff)
  const cutoff = extension === undefined ? null : readOrNull(() => readGeneralizedTime(decode(extension.value)))
  return cutoff === null || cutoff > certificate.notAfter
}

/** The certificate whose key signed the response, if it may speak for the issuer. */
function findSigner(inquiry: Inquiry, response: OcspResponse): Certificate | RefusalReason {
  const candidates = [
    inquiry.issuer,
    ...inquiry.trustedResponders,
    ...readable([...response.certificates]),
    ...inquiry.pool,
  ]
  const named = candidates.filter((candidate) => isResponder(response, candidate))
  const tried = new Set<string>()
  let best: RefusalReason = 'unauthorised-signer'
  for (const candidate of named) {
    if (tried.has(candidate.sha256) || tried.size >= MAX_SIGNERS) continue
    tried.add(candidate.sha256)
    const right = entitlement(inquiry, response, candidate)
    const signed = right === 'unauthorised-signer' ? false : isSignedBy(response, candidate)
    if (signed && right === null) return candidate
    if (right !== 'unauthorised-signer') best = signed ? (right ?? best) : 'signature'
  }
  return best
}

function isResponder({ responder }: OcspResponse, candidate: Certificate): boolean {
  if (responder.name !== null) return responder.name.key === candidate.subject.key
  return createHash('sha1')
    .update(keyBits(candidate.spki))
    .digest()
    .equals(responder.keyHash ?? EMPTY)
}

function isSignedBy(response: OcspResponse, { spki }: Certificate): boolean {
  const { signatureAlgorithm: algorithm, tbs: signed, signature } = response
  return verifyValue({ algorithm, spki, signed }, signature).kind === 'good'
}

/** Null: may sign for the issuer (RFC 6960 §4.2.2.2). */
function entitlement(inquiry: Inquiry, { producedAt }: OcspResponse, candidate: Certificate): RefusalReason | null {
  const { issuer, trustedResponders } = inquiry
  if (candidate.spki.equals(issuer.spki) && candidate.subject.key === issuer.subject.key) return null
  if (trustedResponders.some(({ sha256 }) => sha256 === candidate.sha256)) return null
  const delegator = delegatorOf(inquiry, candidate, producedAt)
  if (delegator === null) return 'unauthorised-signer'
  // §4.2.2.2.1: with nocheck the CA vouches for the delegate for its whole lifetime
  if (candidate.extensions.has(EXTENSION.ocspNoCheck)) return null
  const { kind } = inquiry.judgeSigner(candidate, delegator)
  if (kind === 'good') return null
  return kind === 'revoked' || kind === 'hold' ? 'signer-revoked' : 'signer-status-unknown'
}

/** Who made this certificate a responder for the issuer: the issuer, or the anchor above it; null: nobody. */
function delegatorOf({ issuer, anchors }: Inquiry, candidate: Certificate, at: Date): Certificate | null {
  if (isDelegate(candidate, issuer, at)) return issuer
  const above = anchors.find(
    ({ certificate }) => isDelegate(candidate, certificate, at) && isIssuedBy(issuer, certificate),
  )
  return above?.certificate ?? null
}

/** Issued for the purpose, by this CA itself, and in force when it signed. */
function isDelegate(candidate: Certificate, issuer: Certificate, at: Date): boolean {
  if (candidate.extendedKeyUsage?.has(OCSP.signing) !== true) return false
  if (at < candidate.notBefore || at > candidate.notAfter) return false
  return !hasUnknownCritical(candidate.extensions, KNOWN_IN_DELEGATE) && isIssuedBy(candidate, issuer)
}

function isIssuedBy(candidate: Certificate, issuer: Certificate): boolean {
  return candidate.issuer.key === issuer.subject.key && verifyCertificate(candidate, issuer.spki).kind === 'good'
}

function sourceOf(response: OcspResponse, answer: SingleAnswer, signer: Certificate): RevocationSource {
  const { der, sha256, producedAt, signatureAlgorithm } = response
  const { thisUpdate, nextUpdate } = answer
  return {
    kind: 'ocsp',
    der,
    sha256,
    thisUpdate,
    nextUpdate,
    producedAt,
    signatureAlgorithm,
    signer,
    signerPath: null,
    delta: null,
  }
}

/** The octets of the key without the header of its BIT STRING: what OCSP hashes. */
const keyBits = (spki: Buffer): Buffer => readBits(childrenOf(decode(spki), TAG.sequence)[1])

const OCSP = {
  signing: '1.3.6.1.5.5.7.3.9',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  archiveCutoff: '1.3.6.1.5.5.7.48.1.6',
  certificateHash: '1.3.36.8.3.13',
} as const
const KNOWN: ReadonlySet<string> = new Set([
  OCSP.nonce,
  OCSP.archiveCutoff,
  OCSP.certificateHash,
  '1.3.6.1.5.5.7.48.1.3', // CRL references
  '1.3.6.1.5.5.7.48.1.9', // extended revoke
  '2.5.29.21', // reason code
  '2.5.29.24', // invalidity date
])
const KNOWN_IN_DELEGATE: ReadonlySet<string> = new Set(Object.values(EXTENSION))
const MAX_ANSWERS = 2000
const MAX_SIGNERS = 20
const EMPTY = Buffer.alloc(0)
