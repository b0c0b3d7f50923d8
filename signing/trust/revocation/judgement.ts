/**
 * Judges whether a certificate is revoked, from CRLs and OCSP answers that are at hand (RFC 5280 §6.3, RFC 6960 §3.2).
 *
 * Pure: nothing is fetched, no clock is read. All evidence is weighed. A revocation that anybody entitled has stated
 * outweighs every "good"; otherwise the newest statement counts.
 */
import type { Certificate } from '../certificate.ts'
import { judgeLists } from './crl-judgement.ts'
import { readable } from './inquiry.ts'
import type { Inquiry, RevocationQuestion, Statement } from './inquiry.ts'
import { judgeOcsp } from './ocsp-judgement.ts'
import type { RefusedEvidence, RevocationVerdict } from './verdict.ts'

export type { RevocationQuestion } from './inquiry.ts'

/** Judges one certificate. Never throws for what is in evidence or certificates. */
export function judgeRevocation(question: RevocationQuestion): RevocationVerdict {
  return inquire(question, [])
}

function judgeSigner(inquiry: Inquiry, certificate: Certificate, issuer: Certificate): RevocationVerdict {
  const circular = inquiry.asking.includes(certificate.sha256) || inquiry.asking.length >= MAX_DEPTH
  if (circular) return { kind: 'unavailable', refused: [] }
  const { nonce: _ofAnother, judgeSigner: _outer, ...question } = inquiry
  return inquire({ ...question, certificate, issuer }, inquiry.asking)
}

function inquire(question: RevocationQuestion, asking: readonly string[]): RevocationVerdict {
  const refused: RefusedEvidence[] = []
  const inquiry: Inquiry = {
    ...question,
    now: question.now ?? question.controlTime,
    pool: [...question.pool, ...readable(question.evidence.certificates)],
    trustedResponders: question.trustedResponders ?? [],
    nonce: question.nonce ?? null,
    skewMs: question.skewMs ?? DEFAULT_SKEW_MS,
    maxAgeMs: question.maxAgeMs ?? DEFAULT_AGE_MS,
    refuse: (kind, sha256, reason) => refused.push({ kind, sha256, reason }),
    asking: [...asking, question.certificate.sha256],
    judgeSigner: (certificate, issuer) => judgeSigner(inquiry, certificate, issuer),
  }
  return { ...weigh([...judgeOcsp(inquiry), ...judgeLists(inquiry)]), refused }
}

function weigh(statements: readonly Statement[]): Unrefused {
  const revoked = statements
    .filter((statement) => statement.kind === 'revoked')
    .filter(({ reason }) => reason !== 'certificateHold' && reason !== 'removeFromCRL')
    .sort((a, b) => a.time.getTime() - b.time.getTime())[0]
  if (revoked !== undefined) return revoked
  const [newest] = [...statements].sort(
    (a, b) => Number(b.fresh) - Number(a.fresh) || b.source.thisUpdate.getTime() - a.source.thisUpdate.getTime(),
  )
  if (newest === undefined) return { kind: 'unavailable' }
  if (!newest.fresh) return { kind: 'stale', source: newest.source }
  if (newest.kind !== 'revoked') return newest
  return newest.reason === 'removeFromCRL' ? { kind: 'good', source: newest.source } : { ...newest, kind: 'hold' }
}

type Unrefused = RevocationVerdict extends infer V ? (V extends unknown ? Omit<V, 'refused'> : never) : never

const DEFAULT_SKEW_MS = 5 * 60 * 1000
const DEFAULT_AGE_MS = 24 * 60 * 60 * 1000
const MAX_DEPTH = 4
