/**
 * The highest baseline level whose demands hold, and why not the next (ETSI EN 319 122-1 §6, EN 319 132-1 §6, EN 319
 * 142-1 §6). By what holds together, not by what is merely there; whether anybody is trusted is another answer.
 */
import type { DocumentFacts, SignatureFacts, TimestampFacts } from './facts.ts'
import { objectId } from './object-id.ts'
import type { Trust } from './trust.ts'

export interface Level {
  readonly name: string
  /** empty at the highest */
  readonly gap: string
}

export function levelOf(signature: SignatureFacts, facts: DocumentFacts, trust: Trust | null): Level {
  const [fault] = signature.profileFaults
  if (fault !== undefined) return { name: 'not-baseline', gap: fault }
  const name = (level: string): string => `${signature.form}-BASELINE-${level}`
  const intact = facts.timestamps.filter((timestamp) => isIntactProof(timestamp, signature))
  const end = signature.certificate?.notAfter
  if (intact.length === 0) return { name: name('B'), gap: 'no time-stamp over the signature value holds together' }
  const inTime = intact.some(({ info }) => info !== null && end !== undefined && info.genTime <= end)
  if (!inTime) return { name: name('B'), gap: 'the time-stamp is from after the end of the certificate' }
  const missing = missingEvidence(signature, facts, trust)
  if (missing !== null) return { name: name('T'), gap: missing }
  if (!intact.some((timestamp) => isArchival(timestamp, facts)))
    return { name: name('LT'), gap: 'no time-stamp over the revocation data holds together' }
  return { name: name('LTA'), gap: '' }
}

function isIntactProof({ kind, faults, covers, info }: TimestampFacts, { valueId }: SignatureFacts): boolean {
  return kind !== 'content' && faults.length === 0 && info !== null && covers.has(valueId)
}

/** Is the status of every certificate of the path inside the document? */
function missingEvidence(signature: SignatureFacts, facts: DocumentFacts, trust: Trust | null): string | null {
  if (!signature.carriesEvidence) return 'no revocation data where this level has them'
  const own = new Set([...facts.evidence.crls, ...facts.evidence.ocsps].map(objectId))
  const isThere = trust?.statuses.every(
    ({ verdict }) => verdict === null || ('source' in verdict && own.has(verdict.source.sha256)),
  )
  return isThere === false ? 'revocation data are missing for a certificate of the path' : null
}

/** Covers revocation data of the document; where it has none, the signature alone. */
function isArchival({ kind, covers }: TimestampFacts, { evidence }: DocumentFacts): boolean {
  if (kind === 'signature') return false
  const data = [...evidence.crls, ...evidence.ocsps]
  return data.length === 0 || data.some((der) => covers.has(objectId(der)))
}
