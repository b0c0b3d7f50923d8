/**
 * The highest baseline level whose demands hold, and why not the next (ETSI EN 319 122-1 §6, EN 319 132-1 §6, EN 319
 * 142-1 §6). By what holds together, not by what is merely there; whether anybody is trusted is another answer.
 */
import type { DocumentFacts, SignatureFacts, SignatureFaultCode, TimestampFacts } from './facts.ts'
import { objectId } from './object-id.ts'
import type { JudgedTimestamp } from './timestamps.ts'
import type { Trust } from './trust.ts'

export interface Level {
  readonly name: string
  /** empty at the highest */
  readonly gap: string
}

/** What the level is told from. */
export interface LevelCase {
  readonly document: DocumentFacts
  readonly trust: Trust | null
  readonly timestamps: ReadonlyMap<string, JudgedTimestamp>
}

export function levelOf(signature: SignatureFacts, { document, trust, timestamps }: LevelCase): Level {
  const unbased = unbasedReason(signature)
  if (unbased !== null) return { name: 'not-baseline', gap: unbased }
  const name = (level: string): string => `${signature.form}-BASELINE-${level}`
  const intact = document.timestamps.filter((timestamp) => isIntactProof(timestamp, signature))
  const [first] = intact.sort((a, b) => timeOf(a) - timeOf(b))
  if (first === undefined) return { name: name('B'), gap: 'no time-stamp over the signature value holds together' }
  if (!signature.carriesEvidence) return { name: name('T'), gap: 'no revocation data where this level has them' }
  const own = new Set([...document.evidence.crls, ...document.evidence.ocsps].map(objectId))
  if (!isComplete(trust, own))
    return { name: name('T'), gap: 'revocation data are missing for a certificate of the path' }
  if (!isComplete(timestamps.get(first.id)?.trust ?? null, own))
    return { name: name('T'), gap: 'revocation data are missing for the authority of the first time-stamp' }
  if (!intact.some((timestamp) => isArchival(timestamp, own)))
    return { name: name('LT'), gap: 'no time-stamp over the revocation data holds together' }
  return { name: name('LTA'), gap: '' }
}

function unbasedReason({ form, claimed, faults, profileFaults }: SignatureFacts): string | null {
  const [fault] = [...profileFaults, ...faults.flatMap(({ code }) => UNBASED.get(code) ?? [])]
  if (fault !== undefined) return fault
  return form !== 'PAdES' && claimed.time === null ? 'no signing time is claimed' : null
}

/** Whether the authority may make time-stamps is a matter of trust. */
function isIntactProof({ kind, faults, covers, info }: TimestampFacts, { valueId }: SignatureFacts): boolean {
  const isIntact = faults.every(({ code }) => code === 'form')
  return kind !== 'content' && isIntact && info !== null && covers.has(valueId)
}

/** Is the status of every certificate of the path inside the document? Without a path nothing is known to be missing. */
function isComplete(trust: Trust | null, own: ReadonlySet<string>): boolean {
  const statuses = trust?.statuses ?? []
  return statuses.every(({ verdict }) => verdict === null || ('source' in verdict && own.has(verdict.source.sha256)))
}

/** Covers revocation data of the document; where it has none, the signature alone. */
function isArchival({ kind, covers }: TimestampFacts, own: ReadonlySet<string>): boolean {
  return kind !== 'signature' && (own.size === 0 || [...own].some((id) => covers.has(id)))
}

const timeOf = ({ info }: TimestampFacts): number => info?.genTime.getTime() ?? 0

/** Faults with which nobody knows whose signature it is, or of which kind. */
const UNBASED: ReadonlyMap<SignatureFaultCode, string> = new Map([
  ['format', 'its structure is broken'],
  ['certificate-missing', 'the signing certificate is not there'],
  ['certificate-reference', 'the reference to the signing certificate is wrong'],
])
