/**
 * Lifts the signatures of a PDF to B-T, B-LT and B-LTA and renews its archive time-stamps (ETSI EN 319 142-1 §6).
 *
 * Only appends: time-stamp, evidence, time-stamp over the evidence, each as an update of its own. A document with a
 * signature that does not fit is not lifted. Memory holds the updates, never the document.
 */
import { createHash } from 'node:crypto'
import { revocationEvidence, missingEvidence, asResponse } from '../cms/evidence.ts'
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { timestampLeaf } from '../cms/signature-timestamp.ts'
import { SigningError } from '../errors.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { appendedAccess } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import type { Leaf } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { fillByteRange, fillContents } from './byte-range.ts'
import { openDocument } from './document.ts'
import type { OpenOptions, PdfDocument } from './document.ts'
import { sealPdf } from './seal.ts'
import type { SealRequest, SealedPdf } from './seal.ts'
import { planTimestamp } from './seal-plan.ts'
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
  let current = source
  let added = Buffer.alloc(0)
  const append = (update: Buffer | null): void => {
    if (update === null) return
    added = Buffer.concat([added, update])
    current = appendedAccess(source, added)
  }
  let signatures = await signaturesOf(current, options)
  if (signatures.some((signature) => timeOf(signature, signatures) === null)) {
    append(await documentTimestamp(current, sources.timestamps, options))
    signatures = await signaturesOf(current, options)
  }
  if (level !== 'B-T') append(await evidenceUpdate(await openDocument(current, options), signatures, sources))
  if (level === 'B-LTA') append(await documentTimestamp(current, sources.timestamps, options))
  return { size: current.size, bytes: { [Symbol.asyncIterator]: () => readAll(current) }, added }
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
  const sealed = await sealPdf(source, key, { ...request, timestamps: sources.timestamps })
  let seen = 0
  const update: Buffer[] = []
  for await (const bytes of sealed.bytes) {
    if (seen >= source.size) update.push(bytes)
    seen += bytes.length
  }
  const seal = Buffer.concat(update)
  if (level === 'B-T') {
    const { size } = sealed
    return { ...sealed, size, bytes: { [Symbol.asyncIterator]: () => readAll(appendedAccess(source, seal)) } }
  }
  const extended = await extendPdf(appendedAccess(source, seal), level, sources, request)
  return { ...sealed, size: extended.size, bytes: extended.bytes }
}

/** A time-stamp over the whole document as it is, as an update. Also for documents without any signature. */
export async function documentTimestamp(
  source: RandomAccess,
  timestamps: TimestampSource,
  options: OpenOptions = {},
): Promise<Buffer> {
  const plan = await planTimestamp(source, timestamps.tokenBytes, options)
  const update = Buffer.from(plan.update)
  const range = fillByteRange(update, plan.signatureAt, source.size)
  const hash = createHash(timestamps.digest)
  for await (const bytes of readAll(source)) hash.update(bytes)
  hash.update(update.subarray(0, range.gapStart - source.size))
  hash.update(update.subarray(range.gapEnd - source.size))
  const token = await timestamps.stamp(hash.digest())
  fillContents(update, range, source.size, token.der)
  return update
}

async function signaturesOf(source: RandomAccess, options: OpenOptions): Promise<PdfSignature[]> {
  const signatures = await readSignatures(await openDocument(source, options))
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

async function* readAll(source: RandomAccess): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < source.size;) {
    const bytes = await source.read(at, Math.min(READ_BYTES, source.size - at))
    if (bytes.length === 0) throw new SigningError('signing/source-changed', 'the document is shorter than its size')
    at += bytes.length
    yield bytes
  }
}

const READ_BYTES = 256 * 1024
