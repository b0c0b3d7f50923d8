/**
 * Seals a PDF after PAdES baseline B or T (ETSI EN 319 142-1): an invisible approval signature in an incremental update.
 *
 * Not a byte of the document changes and no byte of it stays in memory: it flows through, is hashed on the way, and the
 * update follows it. Earlier signatures stay valid; a document that forbids a further one is refused.
 */
import { createHash } from 'node:crypto'
import { withSignatureTimestamps } from '../cms/signature-timestamp.ts'
import { contentHash, signDigest, signedDataBytes } from '../cms/signed-data.ts'
import type { CertificateKind } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import { checkUsable } from '../keys/usable.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import type { RandomAccess } from '../random-access.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { fillByteRange, fillContents } from './byte-range.ts'
import type { ByteRange } from './byte-range.ts'
import { planSeal } from './seal-plan.ts'

export interface SealRequest {
  /** claimed time of the seal; written to /M, and the certificate must be valid then */
  signedAt: Date
  /** why it is sealed, readable by everybody; at most 200 characters */
  reason?: string
  /** where, readable by everybody; at most 200 characters */
  location?: string
  /** gives the seal a time-stamp (B-T); without it, the seal is B-B */
  timestamps?: TimestampSource
  /** of an encrypted document; the owner's allows a seal whatever the permissions are */
  password?: string
}

export interface SealedPdf {
  /** bytes of the sealed document */
  size: number
  /** what the seal is by its certificate */
  kind: CertificateKind
  /** name of the new form field */
  field: string
  /**
   * The sealed document from its first byte. The key signs when the last byte of the original went out; iterating again
   * reads and signs again. Throws SigningError `signing/signature-failed`, `signing/source-changed`,
   * `signing/timestamp-unavailable`, `signing/no-room`.
   */
  bytes: AsyncIterable<Buffer>
}

/**
 * Prepares the seal: reads the structure of the document, checks document and key, lays out the update.
 *
 * @throws SigningError `signing/not-a-pdf`, `signing/pdf-damaged`, `signing/pdf-encrypted`, `signing/pdf-locked`,
 * `signing/pdf-too-complex`, `signing/pdf-unsupported`, `signing/key-unusable`, `signing/bad-text`
 */
export async function sealPdf(source: RandomAccess, key: SigningKey, request: SealRequest): Promise<SealedPdf> {
  const signer = checkUsable(key, request.signedAt)
  const { timestamps } = request
  const reserved = signedDataBytes(key) + (timestamps === undefined ? 0 : timestamps.tokenBytes + FRAME_BYTES)
  const plan = await planSeal(source, { ...request, signerName: signer.commonName }, reserved, request)
  const { update, field } = plan
  const range = fillByteRange(update, plan.signatureAt, source.size)
  return {
    size: source.size + update.length,
    kind: key.kind,
    field,
    bytes: { [Symbol.asyncIterator]: () => sealedBytes(source, { update, range, key, timestamps }) },
  }
}

interface Prepared {
  /** with /ByteRange filled and /Contents empty; shared by iterations, so never written to */
  update: Buffer
  range: ByteRange
  key: SigningKey
  timestamps: TimestampSource | undefined
}

async function* sealedBytes(source: RandomAccess, prepared: Prepared): AsyncGenerator<Buffer, void> {
  const { update, range, key, timestamps } = prepared
  const hash = createHash(contentHash(key))
  for (let at = 0; at < source.size;) {
    const bytes = await source.read(at, Math.min(READ_BYTES, source.size - at))
    if (bytes.length === 0) throw new SigningError('signing/source-changed', 'the document is shorter than its size')
    hash.update(bytes)
    at += bytes.length
    yield bytes
  }
  hash.update(update.subarray(0, range.gapStart - source.size))
  hash.update(update.subarray(range.gapEnd - source.size))
  const sealed = Buffer.from(update)
  const cms = await signDigest(hash.digest(), key, null)
  const contents = timestamps === undefined ? cms : await withSignatureTimestamps(cms, timestamps)
  fillContents(sealed, range, source.size, contents)
  yield sealed
}

/** tags and lengths around the time-stamp */
const FRAME_BYTES = 64
const READ_BYTES = 256 * 1024
