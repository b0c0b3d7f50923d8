/**
 * Integrity check of a seal that this program made. It is no validation: it asks neither who issued the certificate nor
 * whether it was revoked, and knows only the form that seal.ts writes.
 *
 * Says whether every byte of the document but the signature itself is what was signed (ISO 32000-2 §12.8.1).
 */
import { checkSignedData } from '../cms/check-signed-data.ts'
import type { CmsCheck } from '../cms/check-signed-data.ts'
import { readCertificate } from '../certificate.ts'
import type { CertificateFacts } from '../certificate.ts'
import type { RandomAccess } from '../random-access.ts'
import { digestRanges } from './digests.ts'
import type { Ranges } from './digests.ts'
import { openDocument } from './document.ts'
import type { OpenOptions, PdfDocument } from './document.ts'
import { textAt } from './fields.ts'
import { readForm } from './form.ts'
import type { SignatureField } from './form.ts'
import { wholeNumber } from './values.ts'
import type { PdfValue } from './values.ts'

/** Facts about a seal whose signature fits. */
export interface SealFacts {
  /** name of its form field */
  field: string
  certificate: CertificateFacts
  /** time as the sealing side claimed it, in the spelling of PDF (§7.9.4); empty when there is none */
  claimedTime: string
  /** bytes of the document that the seal covers, the signature itself included */
  coveredBytes: number
}

export type SealCheck =
  | { kind: 'unsealed' }
  /** nothing was changed and nothing was added since */
  | { kind: 'intact'; seal: SealFacts }
  /** what the newest seal covers is unchanged, but bytes were appended afterwards */
  | { kind: 'extended'; seal: SealFacts; addedBytes: number }
  /** changed; `byte-range`: a signature of the document does not say properly what it covers */
  | { kind: 'broken'; reason: 'byte-range' | 'digest' | 'certificate' | 'signature' }
  /** the newest signature is of a kind that only a full validation can judge */
  | { kind: 'foreign' }

/**
 * Checks the signature that covers most of the document.
 *
 * @throws SigningError the document itself cannot be read; codes as sealPdf
 */
export async function checkSeal(source: RandomAccess, options: OpenOptions = {}): Promise<SealCheck> {
  const document = await openDocument(source, options)
  const { signatures } = await readForm(document)
  if (signatures.length === 0) return { kind: 'unsealed' }
  const covered: { signature: SignatureField; ranges: SealRanges }[] = []
  for (const signature of signatures) {
    const ranges = await readRanges(document, signature)
    if (ranges === null) return { kind: 'broken', reason: 'byte-range' }
    covered.push({ signature, ranges })
  }
  const newest = covered.reduce((a, b) => (b.ranges.end > a.ranges.end ? b : a))
  return checkOne(document, newest.signature, newest.ranges)
}

interface SealRanges extends Ranges {
  cms: Buffer
}

async function checkOne(
  document: PdfDocument,
  { field, value }: SignatureField,
  ranges: SealRanges,
): Promise<SealCheck> {
  const result: CmsCheck = await checkSignedData(ranges.cms, (hash) => digestRanges(document.source, ranges, hash))
  if (result.kind === 'bad') {
    return result.reason === 'unknown' ? { kind: 'foreign' } : { kind: 'broken', reason: result.reason }
  }
  const seal: SealFacts = {
    field: await textAt(document, field, 'T'),
    certificate: readCertificate(result.certificate),
    claimedTime: await textAt(document, value, 'M'),
    coveredBytes: ranges.end,
  }
  const addedBytes = document.source.size - ranges.end
  return addedBytes === 0 ? { kind: 'intact', seal } : { kind: 'extended', seal, addedBytes }
}

/** Null when /ByteRange does not leave out exactly the hexadecimal string of /Contents and nothing else. */
async function readRanges(document: PdfDocument, { value }: SignatureField): Promise<SealRanges | null> {
  const { source } = document
  const entry = await document.resolve(value.entries.get('ByteRange'))
  const range = entry.kind === 'array' ? readNumbers(entry.items, source.size) : null
  const contents = value.entries.get('Contents')
  if (range === null || contents?.kind !== 'string') return null
  const text = (await source.read(range.gapStart, range.gapEnd - range.gapStart)).toString('latin1')
  if (contents.raw !== text || !/^<[0-9A-Fa-f\s]*>$/.test(text)) return null
  // our own spelling is lower-case digits; another one is a foreign signature or a changed one
  const hex = text.slice(1, -1)
  return { ...range, cms: /^(?:[0-9a-f]{2})*$/.test(hex) ? Buffer.from(hex, 'hex') : Buffer.alloc(0) }
}

/** Two ranges that begin with the document and end inside it, with a gap between them that has room for brackets. */
function readNumbers(items: readonly PdfValue[], size: number): Ranges | null {
  const [start, gapStart, gapEnd, rest, ...more] = items.map((item) => wholeNumber(item) ?? NaN)
  if (start !== 0 || gapStart === undefined || gapEnd === undefined || rest === undefined || more.length > 0)
    return null
  const length = gapEnd - gapStart
  const end = gapEnd + rest
  return length >= 2 && length <= MAX_GAP_BYTES && end <= size ? { gapStart, gapEnd, end } : null
}

const MAX_GAP_BYTES = 4 * 1024 * 1024
