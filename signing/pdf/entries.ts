/**
 * The signatures and document time-stamps of a PDF one after the other, each with what it covers and what came later.
 */
import { readBer } from '../asn1/ber.ts'
import type { SignedDataParts } from '../cms/container.ts'
import { idsOf, objectsIn, objectsInToken } from '../cms/carried.ts'
import type { CarriedObject } from '../cms/carried.ts'
import type { SignerFacts } from '../cms/facts.ts'
import { readableCertificates } from '../cms/signer-certificate.ts'
import { SigningError } from '../errors.ts'
import { readTokenFacts } from '../timestamp/facts.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { SignatureFacts, SignatureScope, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { numbering } from '../validation/numbering.ts'
import type { Numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import { nameAt } from './fields.ts'
import { createLaterChanges } from './later-changes.ts'
import type { LaterChanges } from './later-changes.ts'
import { createRangeDigests } from './revisions/digests.ts'
import type { RangeDigests } from './revisions/digests.ts'
import type { Revision, Revisions } from './revisions/revisions.ts'
import type { StoreAddition } from './revisions/security-stores.ts'
import { findSignatureSites } from './revisions/signature-sites.ts'
import type { SignatureSite } from './revisions/signature-sites.ts'
import { judgeRange } from './revisions/signed-range.ts'
import type { RangeVerdict } from './revisions/signed-range.ts'
import { readPdfSignature } from './signature-facts.ts'
import { readSignatureTexts } from './signature-texts.ts'
import { wholeNumber } from './values.ts'

/** One signature or document time-stamp with its facts. */
export interface Entry {
  kind: 'signature' | 'timestamp'
  site: SignatureSite
  verdict: RangeVerdict
  /** null: none, or it cannot be read */
  inside: SignedDataParts | null
  signer: SignerFacts | null
  /** counter-signatures come after the signature itself */
  signatures: SignatureFacts[]
  /** those that hang on it, or the document time-stamp itself */
  timestamps: TimestampFacts[]
}

interface Context {
  revisions: Revisions
  stores: readonly StoreAddition[]
  digests: RangeDigests
  numbers: Numbering
  laterChanges: LaterChanges
  /** certificates of the security store */
  others: readonly Certificate[]
}

export async function readEntries(
  revisions: Revisions,
  stores: readonly StoreAddition[],
): Promise<{ entries: Entry[]; sites: SignatureSite[] }> {
  const sites = await findSignatureSites(revisions)
  const drafts = await draftsOf(revisions, sites)
  const context: Context = {
    revisions,
    stores,
    numbers: numbering(),
    laterChanges: createLaterChanges(revisions, oldestOf(revisions, drafts)),
    digests: createRangeDigests(
      revisions.source,
      drafts.flatMap(({ verdict }) => (verdict.kind === 'good' ? [verdict.range] : [])),
    ),
    others: readableCertificates(
      stores.flatMap(({ objects }) => objects.filter(({ kind }) => kind === 'certificate').map(({ bytes }) => bytes)),
    ),
  }
  const entries: Entry[] = []
  for (const draft of drafts) {
    entries.push(
      draft.kind === 'timestamp' ? await readTimestamp(context, draft, entries) : await readSignature(context, draft),
    )
  }
  return { entries, sites }
}

function oldestOf({ newest }: Revisions, drafts: readonly Draft[]): Revision {
  const closed = drafts.flatMap(({ verdict }) => (verdict.kind === 'good' ? [verdict.revision] : []))
  return closed.reduce((oldest, revision) => (revision.index < oldest.index ? revision : oldest), newest)
}

type Draft = Pick<Entry, 'kind' | 'site' | 'verdict'> & { subFilter: string | null }

/**
 * In the order in which they were made, as far as they say so. Of several that say the same place only one can be there;
 * the others come before it, as what is gravest comes first everywhere.
 */
async function draftsOf(revisions: Revisions, sites: readonly SignatureSite[]): Promise<Draft[]> {
  const drafts: Draft[] = []
  for (const site of sites.slice(0, MAX_SIGNATURES)) {
    const { document } = site.first
    const subFilter = site.dictionary === null ? null : await nameAt(document, site.dictionary, 'SubFilter')
    const type = site.dictionary === null ? null : await nameAt(document, site.dictionary, 'Type')
    const isTimestamp = subFilter === 'ETSI.RFC3161' || (subFilter === null && type === 'DocTimeStamp')
    const verdict = await judgeRange(revisions, site)
    drafts.push({ kind: isTimestamp ? 'timestamp' : 'signature', site, verdict, subFilter })
  }
  return withoutRewritten(drafts).sort(
    (a, b) => claimedPlace(a) - claimedPlace(b) || Number(isThere(a)) - Number(isThere(b)),
  )
}

const isThere = ({ verdict }: Draft): boolean => verdict.kind === 'good'

/** Where the hole of a signature is, or where it says so; others where they are written, or behind their revision. */
function claimedPlace({ verdict, site }: Draft): number {
  if (verdict.kind === 'good') return verdict.range.gapStart
  const range = site.written?.dictionary.entries.get('ByteRange')
  const claimed = range?.kind === 'array' ? wholeNumber(range.items[1]) : null
  return claimed ?? site.written?.start ?? site.first.closed
}

/**
 * A signature whose dictionary was written anew at another place, with the same range, is no further signature: the first
 * one counts, and what was changed about it is found by comparing the revisions.
 */
function withoutRewritten(drafts: readonly Draft[]): Draft[] {
  const key = ({ site }: Draft): string =>
    JSON.stringify([[...site.fields].sort(), site.written?.dictionary.entries.get('ByteRange')])
  const sound = new Set(drafts.filter(({ verdict }) => verdict.kind === 'good').map(key))
  return drafts.filter((draft) => draft.verdict.kind === 'good' || !sound.has(key(draft)))
}

async function readSignature(context: Context, { site, verdict, kind, subFilter }: Draft): Promise<Entry> {
  const { numbers, revisions, digests, others, stores } = context
  const id = numbers.nextSignatureId()
  const name = site.fieldName
  const common = { kind, site, verdict }
  if (verdict.kind === 'bad' || site.dictionary === null) {
    const detail = verdict.kind === 'bad' ? verdict.detail : site.problem
    const broken = unreadableSignature({ id, form: 'PAdES', name }, Buffer.from(detail), { code: 'format', detail })
    return { ...common, inside: null, signer: null, signatures: [broken], timestamps: [] }
  }
  const { range, contents } = verdict
  const texts = await readSignatureTexts(site.first.document, site.dictionary)
  const signer = await readPdfSignature({
    id,
    name,
    subFilter,
    texts,
    contents,
    numbers,
    others,
    rangeDigest: (digest) => digests(range, digest),
  })
  const { faults, findings } = await context.laterChanges.of(site, verdict.revision)
  if (site.fields.size > 1) {
    faults.unshift({ code: 'format', detail: 'one signature is the value of several fields' })
  }
  const { signature } = signer
  const isBroken = signature.scope.kind === 'nothing'
  const whole: SignatureFacts = {
    ...signature,
    faults: [...faults, ...signature.faults],
    carriesEvidence: stores.some(({ objects }) => objects.some(({ kind: stored }) => REVOCATION.has(stored))),
    scope: isBroken ? { ...signature.scope, revisionBytes: range.end } : scopeOf(revisions, verdict),
    findings: [...findings, ...signature.findings, ...trailerFinding(verdict)],
  }
  return {
    ...common,
    inside: signer.parts,
    signer,
    signatures: [whole, ...signer.countersignatures],
    timestamps: signer.timestamps,
  }
}

function trailerFinding({ isComplete }: RangeVerdict & { kind: 'good' }): Finding[] {
  if (isComplete) return []
  return [{ severity: 'unclean', code: 'uncovered-bytes', detail: 'the end of the trailer of the signed revision' }]
}

function scopeOf({ newest, source }: Revisions, verdict: RangeVerdict & { kind: 'good' }): SignatureScope {
  const { revision, range, isComplete } = verdict
  const isWhole = revision === newest && isComplete && (range.end === source.size || newest.end === source.size)
  const kind = isWhole ? 'whole' : isComplete ? 'revision' : 'part'
  return { kind, names: [`bytes 0 to ${range.end}`], revisionBytes: range.end }
}

async function readTimestamp(context: Context, draft: Draft, earlier: readonly Entry[]): Promise<Entry> {
  const { site, verdict, kind } = draft
  const id = context.numbers.nextTimestampId()
  const isGood = verdict.kind === 'good'
  const facts = await readTokenFacts({
    bytes: isGood ? verdict.contents : Buffer.alloc(0),
    id,
    kind: 'document',
    contentDigest: isGood ? (digest) => context.digests(verdict.range, digest) : null,
    covers: isGood ? new Set(idsOf(coveredObjects(context, verdict, earlier))) : new Set(),
    others: context.others,
  })
  const faults = isGood ? facts.faults : [{ code: 'form' as const, detail: verdict.detail }]
  return { kind, site, verdict, inside: null, signer: null, signatures: [], timestamps: [{ ...facts, faults }] }
}

/** Everything of use whose bytes are inside the range: what earlier revisions hold, and the store of this one. */
function coveredObjects(
  { stores }: Context,
  { revision }: RangeVerdict & { kind: 'good' },
  earlier: readonly Entry[],
): CarriedObject[] {
  const stored = stores.filter((addition) => addition.revision.index <= revision.index)
  const inside = earlier.filter(({ verdict }) => verdict.kind === 'good' && verdict.revision.index < revision.index)
  return [...stored.flatMap(({ objects }) => objects), ...inside.flatMap(objectsOfEntry)]
}

function objectsOfEntry({ inside, verdict }: Entry): CarriedObject[] {
  if (inside !== null) {
    const values = inside.signers.map(({ value }) => ({ kind: 'value' as const, bytes: value }))
    return [...values, ...objectsIn(inside)]
  }
  return verdict.kind === 'good' ? objectsInToken(withoutPadding(verdict.contents)) : []
}

function withoutPadding(token: Buffer): Buffer {
  try {
    return readBer(token).encoding
  } catch (error) {
    if (error instanceof SigningError) return token
    throw error
  }
}

const REVOCATION: ReadonlySet<string> = new Set(['crl', 'ocsp'])
const MAX_SIGNATURES = 200
