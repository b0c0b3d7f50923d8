/**
 * Lifts the signatures of a PDF to B-T, B-LT and B-LTA and renews its archive time-stamps (ETSI EN 319 142-1 §6).
 *
 * Only appends: time-stamp, evidence, time-stamp over the evidence, each as an update of its own. A document with a
 * signature that does not fit is not lifted. Memory holds the updates, never the document.
 */
import { revocationEvidence, missingEvidence, asResponse } from '../cms/evidence.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { contentHash } from '../cms/signed-data.ts'
import { timestampLeaf } from '../cms/signature-timestamp.ts'
import { SigningError } from '../errors.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import type { RandomAccess } from '../random-access.ts'
import type { Leaf } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { OpenOptions, PdfDocument } from './document.ts'
import { timestampUpdate } from './document-timestamp.ts'
import { growingDocument } from './growing-document.ts'
import type { GrowingDocument } from './growing-document.ts'
import { signUpdate } from './seal.ts'
import { layOutSeal } from './seal-layout.ts'
import type { SealRequest, SealedPdf } from './seal-request.ts'
import { planSecurityStore, readSecurityStore } from './security-store.ts'
import { readSignatures } from './signatures.ts'
import type { PdfSignature } from './signatures.ts'

export interface ExtendedPdf {
  /** bytes of the document with what was added */
  size: number
  /** from its first byte; may be read again, the additions stay the same */
  bytes: AsyncIterable<Buffer>
  /** what was appended */
  added: Buffer
}

/**
 * Lifts all signatures of `source` to `level`; what is there already stays. B-LTA again renews: evidence for the last
 * document time-stamp, then a new one over everything.
 *
 * @throws SigningError `signing/signature-broken`, `signing/evidence-missing`, `signing/timestamp-unavailable`,
 * `signing/no-room`; codes as sealPdf
 */
export async function extendPdf(
  source: RandomAccess,
  level: AdesLevel,
  sources: LevelSources,
  options: OpenOptions = {},
): Promise<ExtendedPdf> {
  const document = growingDocument(source, options)
  await lift(document, level, sources)
  return { size: document.current().size, bytes: document.bytes(), added: document.added() }
}

/**
 * Seals and lifts in one go. The document is read twice: once to make the seal, once to hand it out.
 *
 * @throws SigningError as sealPdf and extendPdf
 */
export async function sealPdfToLevel(
  source: RandomAccess,
  key: SigningKey,
  request: Omit<SealRequest, 'timestamps'>,
  { level, sources }: { level: AdesLevel; sources: LevelSources },
): Promise<SealedPdf> {
  const document = growingDocument(source, request)
  const stamped = { ...request, timestamps: sources.timestamps }
  const layout = await layOutSeal(source, key, stamped)
  const hash = await document.original.hash(contentHash(key))
  document.append(await signUpdate(source, key, stamped, { layout, hash }))
  if (level !== 'B-T') await lift(document, level, sources)
  return {
    size: document.current().size,
    kind: key.kind,
    field: layout.field,
    notices: layout.notices,
    bytes: document.bytes(),
  }
}

async function lift(document: GrowingDocument, level: AdesLevel, sources: LevelSources): Promise<void> {
  let signatures = await signaturesOf(document)
  if (signatures.some((signature) => timeOf(signature, signatures) === null)) {
    document.append(await timestampUpdate(document, sources.timestamps))
    signatures = await signaturesOf(document)
  }
  if (level !== 'B-T') document.append(await evidenceUpdate(await document.open(), signatures, sources))
  if (level === 'B-LTA') document.append(await timestampUpdate(document, sources.timestamps))
}

/** @throws SigningError `signing/signature-broken` nothing is built upon what does not fit */
async function signaturesOf(document: GrowingDocument): Promise<PdfSignature[]> {
  const signatures = await readSignatures(await document.open(), (ranges, algorithm) =>
    document.digest(ranges, algorithm),
  )
  if (signatures.length === 0) throw new SigningError('signing/signature-broken', 'the document has no signature')
  return signatures
}

/** Earliest proven time of a signature: its own time-stamps, or a document time-stamp made after it. */
function timeOf(signature: PdfSignature, all: readonly PdfSignature[]): Date | null {
  if (signature.kind === 'timestamp') return signature.token.info.genTime
  const later = all.flatMap((other) => (other.kind === 'timestamp' && other.end > signature.end ? [other.token] : []))
  const times = [...signature.timestamps, ...later].map(({ info }) => info.genTime.getTime())
  return times.length === 0 ? null : new Date(Math.min(...times))
}

async function evidenceUpdate(
  document: PdfDocument,
  signatures: readonly PdfSignature[],
  sources: LevelSources,
): Promise<Buffer | null> {
  const store = await readSecurityStore(document)
  const given: Evidence = { certificates: [...store.certificates], crls: [...store.crls], ocsps: [...store.ocsps] }
  const leaves: Leaf[] = []
  for (const signature of signatures) leaves.push(...(await leavesOf(signature, signatures, given)))
  const { evidence, gaps } = await sources.evidence.collect(leaves, given)
  if (gaps.length > 0) throw missingEvidence(gaps)
  return planSecurityStore(document, { ...evidence, ocsps: evidence.ocsps.map(asResponse) })
}

/** What of this signature needs evidence; what it carries itself goes into `given`. */
async function leavesOf(signature: PdfSignature, all: readonly PdfSignature[], given: Evidence): Promise<Leaf[]> {
  const tokens = signature.kind === 'timestamp' ? [signature.token] : signature.timestamps
  given.certificates.push(...tokens.flatMap(({ certificates }) => certificates.map(({ der }) => der)))
  const leaves: Leaf[] = []
  const isProtected = all.some((other) => other.kind === 'timestamp' && other.end > signature.end)
  for (const token of tokens) leaves.push(await timestampLeaf(token, isProtected))
  const at = timeOf(signature, all)
  if (signature.kind === 'timestamp' || at === null) return leaves
  const inside = revocationEvidence(signature.parts.crls)
  given.certificates.push(...signature.parts.certificates)
  given.crls.push(...inside.crls)
  given.ocsps.push(...inside.ocsps)
  return [{ certificate: signature.certificate, at, issuedAfter: at }, ...leaves]
}
