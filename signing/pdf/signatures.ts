/**
 * The signatures and document time-stamps of a PDF as they are before something is added: what they cover, and
 * whether they fit. Integrity only; whether the document was changed between them is a matter of validation.
 */
import { readSignedData } from '../cms/container.ts'
import type { SignedDataParts } from '../cms/container.ts'
import { ATTRIBUTE } from '../cms/oids.ts'
import { tokensOf } from '../cms/signature-timestamp.ts'
import { verifySigner } from '../cms/signer.ts'
import { SigningError } from '../errors.ts'
import { parseToken } from '../timestamp/token.ts'
import type { TimestampToken } from '../timestamp/token.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import type { SignatureFaultCode } from '../validation/facts.ts'
import { numbering } from '../validation/numbering.ts'
import { digestRanges } from './digests.ts'
import type { Ranges } from './digests.ts'
import type { PdfDocument } from './document.ts'
import { nameAt } from './fields.ts'
import { readForm } from './form.ts'
import type { Form, SignatureField } from './form.ts'
import { readPdfSignature } from './signature-facts.ts'
import { readSignatureTexts } from './signature-texts.ts'
import { stringBytes, wholeNumber } from './values.ts'
import type { PdfDictionary } from './values.ts'

/** One that fits. `end`: bytes of the document that it covers, its own hole included. */
export type PdfSignature =
  | { kind: 'signature'; end: number; certificate: Certificate; parts: SignedDataParts; timestamps: TimestampToken[] }
  | { kind: 'timestamp'; end: number; token: TimestampToken }

/** Digest of what a signature covers. */
export type RangeDigests = (ranges: Ranges, algorithm: string) => Promise<Buffer>

/**
 * All signatures of the document, in the order in which they were made.
 *
 * @throws SigningError `signing/signature-broken` one does not fit, or is of a kind that cannot be judged
 */
export async function readSignatures(
  document: PdfDocument,
  digests: RangeDigests = (ranges, algorithm) => digestRanges(document.source, ranges, algorithm),
): Promise<PdfSignature[]> {
  const { signatures } = await readForm(document)
  const found: PdfSignature[] = []
  for (const field of signatures) found.push(await readOne(document, field, digests))
  return found.sort((a, b) => a.end - b.end)
}

async function readOne(
  document: PdfDocument,
  field: SignatureField,
  digestOfRanges: RangeDigests,
): Promise<PdfSignature> {
  const { ranges, bytes } = await readPlace(document, field)
  const digests = (digest: string): Promise<Buffer> => digestOfRanges(ranges, digest)
  const kind = await nameAt(document, field.value, 'SubFilter')
  return kind === 'ETSI.RFC3161' ? readTimestamp(bytes, ranges, digests) : readSigner(bytes, ranges, digests)
}

/**
 * What a signature covers, and the octets of its /Contents.
 *
 * @throws SigningError `signing/signature-broken` it leaves out something else than itself
 */
async function readPlace(document: PdfDocument, { value }: SignatureField): Promise<{ ranges: Ranges; bytes: Buffer }> {
  const ranges = await readRanges(document, value)
  const contents = await document.resolve(value.entries.get('Contents'))
  if (ranges === null || contents.kind !== 'string') throw broken('a signature does not say what it covers')
  const bytes = stringBytes(contents.raw)
  const gap = await document.source.read(ranges.gapStart, ranges.gapEnd - ranges.gapStart)
  if (!/^<[0-9A-Fa-f\s]*>$/.test(gap.toString('latin1')) || !stringBytes(gap.toString('latin1')).equals(bytes)) {
    throw broken('a signature leaves out something else than itself')
  }
  return { ranges, bytes }
}

/**
 * Do all signatures fit, of whatever kind? One that cannot be judged here is not called broken.
 *
 * @throws SigningError `signing/signature-broken`
 */
export async function checkSignatures(
  document: PdfDocument,
  { signatures }: Form,
  digestOfRanges: RangeDigests,
): Promise<void> {
  for (const field of signatures) {
    const { ranges, bytes } = await readPlace(document, field)
    const rangeDigest = (digest: string): Promise<Buffer> => digestOfRanges(ranges, digest)
    const subFilter = await nameAt(document, field.value, 'SubFilter')
    if (subFilter === 'ETSI.RFC3161') {
      await readTimestamp(bytes, ranges, rangeDigest)
      continue
    }
    const texts = await readSignatureTexts(document, field.value)
    const reading = { id: '', name: '', subFilter, texts, contents: bytes, rangeDigest }
    const { signature } = await readPdfSignature({ ...reading, numbers: numbering(), others: [] })
    const fault = signature.faults.find(({ code }) => !UNKNOWN.has(code))
    if (fault !== undefined) throw broken(`a signature does not fit: ${fault.detail}`)
  }
}

async function readTimestamp(bytes: Buffer, { end }: Ranges, digests: Digests): Promise<PdfSignature> {
  const token = parseToken(bytes)
  const { algorithm, value } = token.info.imprint
  const digest = digestOf(algorithm)
  if (digest === null || !value.equals(await digests(digest))) throw broken('a document time-stamp does not fit')
  return { kind: 'timestamp', end, token }
}

async function readSigner(bytes: Buffer, { end }: Ranges, digests: Digests): Promise<PdfSignature> {
  const parts = readSignedData(bytes)
  const [signer, ...others] = parts.signers
  if (signer === undefined || others.length > 0) throw broken('a signature has not exactly one signer')
  if (parts.content !== null) throw broken('a signature has a content of its own inside')
  const verdict = await verifySigner(parts, signer, digests)
  if (verdict.kind === 'bad') throw broken(`a signature does not fit: ${verdict.reason}`)
  const timestamps = tokensOf(signer, ATTRIBUTE.signatureTimeStamp)
  for (const { info } of timestamps) {
    const digest = digestOf(info.imprint.algorithm)
    const fits = digest !== null && createDigest(digest).update(signer.value).digest().equals(info.imprint.value)
    if (!fits) throw broken('the time-stamp of a signature does not fit')
  }
  return { kind: 'signature', end, certificate: verdict.certificate, parts, timestamps }
}

type Digests = (digest: string) => Promise<Buffer>

/** Two ranges that begin with the document and leave out one gap; null for everything else. */
async function readRanges(document: PdfDocument, value: PdfDictionary): Promise<Ranges | null> {
  const entry = await document.resolve(value.entries.get('ByteRange'))
  if (entry.kind !== 'array' || entry.items.length !== 4) return null
  const [start, gapStart, gapEnd, rest] = entry.items.map((item) => wholeNumber(item) ?? -1)
  if (start !== 0 || gapStart === undefined || gapEnd === undefined || rest === undefined) return null
  const end = gapEnd + rest
  const length = gapEnd - gapStart
  const isSound = gapStart > 0 && rest >= 0 && length >= 2 && length <= MAX_GAP_BYTES && end <= document.source.size
  return isSound ? { gapStart, gapEnd, end } : null
}

function broken(message: string): SigningError {
  return new SigningError('signing/signature-broken', message)
}

/** Says that it cannot be judged, not that it does not fit. */
const UNKNOWN: ReadonlySet<SignatureFaultCode> = new Set(['constraints', 'policy-missing', 'algorithm'])
const MAX_GAP_BYTES = 4 * 1024 * 1024
