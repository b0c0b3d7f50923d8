/**
 * Facts about the signatures and time-stamps of a PDF: which there are or were, whether they hold together, what they
 * cover, and what was changed behind them (ISO 32000-2 §12.8, ETSI EN 319 142-1, EN 319 102-1 §5.2). No trust.
 */
import { joinEvidence, evidenceOf, objectsIn, objectsInToken } from '../cms/carried.ts'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import type { OpenOptions } from './document.ts'
import { readEntries } from './entries.ts'
import type { Entry } from './entries.ts'
import { readRevisions } from './revisions/revisions.ts'
import type { Revisions } from './revisions/revisions.ts'
import { salvageRevisions } from './revisions/salvage.ts'
import { scanForTraces } from './revisions/scan.ts'
import type { Traces } from './revisions/scan.ts'
import { readSecurityStores } from './revisions/security-stores.ts'
import { findRemains } from './revisions/remains.ts'
import { damaged } from './values.ts'

/**
 * Never throws for what a signature looks like. A document with traces of a signature whose structure cannot be read is
 * salvaged, so that more can be told about its signatures than that they are there; where that fails, each trace gets a
 * signature with a `format` fault.
 *
 * Reads the document in pieces: twice, and once more for each further digest algorithm. Memory does not grow with it.
 *
 * @throws SigningError `signing/not-a-pdf`, `signing/pdf-encrypted` (a password is needed or wrong),
 * `signing/source-changed`; `signing/pdf-damaged`, `signing/pdf-too-complex`, `signing/pdf-unsupported` when there is no
 * trace of a signature
 */
export async function readPdfFacts(source: RandomAccess, options: OpenOptions = {}): Promise<DocumentFacts> {
  const traces = await scanForTraces(source)
  const count = traces.byteRanges.length || traces.subFilters.length
  const first = await attempt(() => readRevisions(source, traces.lastStart, options), traces)
  if (first.kind === 'facts') return first.facts
  if (count === 0) throw first.error
  const { error, hidden } = first
  const second =
    error.code === 'signing/pdf-damaged' ? await attempt(() => salvageRevisions(source, options), traces) : first
  return second.kind === 'facts' ? salvaged(second.facts, error.message) : unreadable(hidden ?? count, error.message)
}

type Attempt =
  | { kind: 'facts'; facts: DocumentFacts }
  /** `hidden`: traces of signatures that no form has; null: the structure cannot be read */
  | { kind: 'unread'; error: SigningError; hidden: number | null }

async function attempt(read: () => Promise<Revisions>, traces: Traces): Promise<Attempt> {
  try {
    const { facts, hidden } = await factsOf(await read(), traces)
    if (hidden === 0) return { kind: 'facts', facts }
    return { kind: 'unread', error: damaged('it is not in the form'), hidden }
  } catch (error) {
    if (!(error instanceof SigningError && STRUCTURE.has(error.code))) throw error
    return { kind: 'unread', error, hidden: null }
  }
}

/** What programs show of it, they have repaired, each in its own way: no signature is good for that. */
function salvaged(facts: DocumentFacts, reason: string): DocumentFacts {
  const detail = `the cross-reference is damaged: ${reason}`
  return {
    ...facts,
    signatures: facts.signatures.map((signature) => ({
      ...signature,
      faults: [...signature.faults, { code: 'constraints', detail }],
    })),
    findings: [...facts.findings, { severity: 'unclean', code: 'structure-damaged', detail: reason }],
  }
}

async function factsOf(revisions: Revisions, traces: Traces): Promise<{ facts: DocumentFacts; hidden: number }> {
  const stores = await readSecurityStores(revisions)
  const stored = evidenceOf(stores.flatMap(({ objects }) => objects))
  const { entries, sites } = await readEntries(revisions, stores)
  const signatures = entries.flatMap((entry) => entry.signatures)
  const left = await findRemains(revisions, sites, {
    traces,
    signedEnd: Math.max(0, ...entries.map(endOf)),
  })
  const isBare = entries.length === 0 && traces.byteRanges.length === 0 && traces.subFilters.length === 0
  const facts: DocumentFacts = {
    format: 'pdf',
    signatures,
    timestamps: withoutCopies(entries.flatMap((entry) => entry.timestamps)),
    evidence: joinEvidence([stored, ...entries.map(evidenceInside)]),
    findings: [...(isBare ? left.findings.map(asInfo) : left.findings), ...encryptionFinding(revisions)],
  }
  return { facts, hidden: signatures.length === 0 ? left.signatureLike : 0 }
}

/** Stray bytes are no reason to doubt that a document without any trace of a signature has none. */
const asInfo = (finding: Finding): Finding => ({ ...finding, severity: 'info' })

/** Time-stamps cover bytes without anybody answering for them. */
function endOf({ kind, verdict }: Entry): number {
  return kind === 'signature' && verdict.kind === 'good' ? verdict.range.end : 0
}

function evidenceInside({ signer, verdict, kind, inside }: Entry): DocumentFacts['evidence'] {
  if (kind === 'timestamp') return evidenceOf(verdict.kind === 'good' ? objectsInToken(verdict.contents) : [])
  if (inside === null) return evidenceOf([])
  return joinEvidence([evidenceOf(objectsIn(inside)), ...(signer === null ? [] : [signer.evidence])])
}

/** The same token twice proves nothing more; the first that holds together stays as it is. */
function withoutCopies(timestamps: readonly TimestampFacts[]): TimestampFacts[] {
  const seen = new Set<string>()
  const copied: Finding = { severity: 'warning', code: 'timestamp-copied', detail: '' }
  const sound = new Map(timestamps.filter(({ faults }) => faults.length === 0).map((facts) => [facts.tokenId, facts]))
  return timestamps.map((facts) => {
    const isFirst = sound.has(facts.tokenId) ? sound.get(facts.tokenId) === facts : !seen.has(facts.tokenId)
    seen.add(facts.tokenId)
    return isFirst ? facts : { ...facts, covers: new Set(), findings: [...facts.findings, copied] }
  })
}

function encryptionFinding({ newest }: Revisions): Finding[] {
  return newest.document.encryption === null ? [] : [{ severity: 'info', code: 'encrypted', detail: '' }]
}

function unreadable(count: number, reason: string): DocumentFacts {
  const numbers = numbering()
  const fault = { code: 'format', detail: `something looks like a signature and cannot be read: ${reason}` } as const
  const one = (): SignatureFacts =>
    unreadableSignature({ id: numbers.nextSignatureId(), form: 'PAdES', name: '' }, Buffer.alloc(0), fault)
  return {
    format: 'pdf',
    signatures: Array.from({ length: Math.min(count, MAX_UNREADABLE) }, one),
    timestamps: [],
    evidence: { certificates: [], crls: [], ocsps: [] },
    findings: [],
  }
}

const STRUCTURE: ReadonlySet<string> = new Set([
  'signing/pdf-damaged',
  'signing/pdf-too-complex',
  'signing/pdf-unsupported',
])
const MAX_UNREADABLE = 100
