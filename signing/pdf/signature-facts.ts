/**
 * Facts about one signature of a PDF whose byte range is sound: the CMS object inside, and what PAdES demands of the
 * dictionary around it (ISO 32000-2 §12.8.3, ETSI EN 319 142-1 §6.3).
 */
import { readSignedData } from '../cms/container.ts'
import type { SignedDataParts } from '../cms/container.ts'
import { readSignerFacts } from '../cms/facts.ts'
import type { SignerFacts } from '../cms/facts.ts'
import { readOrNull } from '../errors.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import type { ClaimedFacts, SignatureFacts, SignatureFault } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import type { Numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import type { SignatureTexts } from './signature-texts.ts'

export interface PdfSignatureReading {
  id: string
  name: string
  /** /SubFilter; null: none */
  subFilter: string | null
  texts: SignatureTexts
  /** /Contents, padding included */
  contents: Buffer
  /** over what the byte range covers */
  rangeDigest: (digest: Digest) => Promise<Buffer>
  numbers: Numbering
  /** certificates that the document holds elsewhere */
  others: readonly Certificate[]
}

export interface PdfSignatureFacts extends SignerFacts {
  /** null: the CMS object cannot be read */
  parts: SignedDataParts | null
}

export async function readPdfSignature(reading: PdfSignatureReading): Promise<PdfSignatureFacts> {
  const { subFilter, contents } = reading
  if (subFilter === null) return unreadable(reading, { code: 'format', detail: '/SubFilter is missing' })
  // what follows rules of its own is read as CMS, so far as it is that, and never passes
  const foreign: SignatureFault[] = JUDGED.has(subFilter)
    ? []
    : [{ code: 'constraints', detail: `/SubFilter ${subFilter} is not judged` }]
  const parts = readParts(contents)
  if (parts === null)
    return unreadable(reading, foreign[0] ?? { code: 'format', detail: '/Contents is no CMS signature' })
  const [signer, ...others] = parts.signers
  if (signer === undefined) return unreadable(reading, { code: 'format', detail: 'the signature has no signer' })
  const { contentDigest, faults } = await digestsOf(reading, parts)
  faults.push(...foreign)
  if (others.length > 0) faults.unshift({ code: 'format', detail: 'the signature has several signers' })
  const { id, name, numbers } = reading
  const read = await readSignerFacts({
    parts,
    signer,
    id,
    form: 'PAdES',
    name,
    contentDigest,
    nextTimestampId: numbers.nextTimestampId,
    others: reading.others,
  })
  return { ...read, parts, signature: complete(reading, read.signature, { faults, trailing: parts.trailing }) }
}

function complete(
  { subFilter, texts }: PdfSignatureReading,
  signature: SignatureFacts,
  own: { faults: readonly SignatureFault[]; trailing: Buffer },
): SignatureFacts {
  const { claimed } = signature
  const hasTrailing = own.trailing.some((byte) => byte !== 0)
  const trailing: Finding[] = hasTrailing
    ? [{ severity: 'warning', code: 'trailing-bytes', detail: 'behind the CMS object in /Contents' }]
    : []
  return {
    ...signature,
    faults: [...own.faults, ...signature.faults],
    claimed: {
      ...claimed,
      time: texts.time ?? claimed.time,
      reason: texts.reason,
      location: texts.location ?? claimed.location,
    },
    algorithms:
      subFilter === SHA1_OVER_RANGES
        ? [...signature.algorithms, { place: 'byte-range', use: { digest: 'sha1' } }]
        : signature.algorithms,
    profileFaults: [...signature.profileFaults, ...dictionaryFaults(subFilter, texts, claimed)],
    findings: [...signature.findings, ...trailing],
  }
}

/** EN 319 142-1 table 1. */
function dictionaryFaults(subFilter: string | null, texts: SignatureTexts, claimed: ClaimedFacts): string[] {
  const faults: string[] = []
  if (subFilter !== 'ETSI.CAdES.detached') faults.push(`/SubFilter is ${subFilter ?? 'missing'}`)
  if (!texts.hasTime) faults.push('no /M')
  if (texts.hasCertificate) faults.push('/Cert must not be there')
  if (texts.reason !== null && claimed.commitments.length > 0) faults.push('/Reason beside commitment-type-indication')
  if (texts.reason !== null && claimed.policy !== null) faults.push('/Reason beside a signature policy')
  return faults
}

interface ContentDigests {
  contentDigest: (digest: Digest) => Promise<Buffer> | Buffer
  faults: SignatureFault[]
}

/** What the message digest is over: the ranges, or a content inside that must then be about the ranges. */
async function digestsOf(
  { subFilter, rangeDigest }: PdfSignatureReading,
  { content }: SignedDataParts,
): Promise<ContentDigests> {
  if (subFilter !== SHA1_OVER_RANGES && content === null) return { contentDigest: rangeDigest, faults: [] }
  if (content === null) {
    const detail = 'the digest of the document is not inside'
    return { contentDigest: rangeDigest, faults: [{ code: 'format', detail }] }
  }
  if (content.length === 0) {
    const detail = 'an empty content is inside, and the digest is of another'
    return { contentDigest: rangeDigest, faults: [{ code: 'value', detail }] }
  }
  const contentDigest = (digest: Digest): Buffer => createDigest(digest).update(content).digest()
  const isOverRanges =
    subFilter === SHA1_OVER_RANGES
      ? content.equals(await rangeDigest('sha1'))
      : contentDigest('sha256').equals(await rangeDigest('sha256'))
  const fault: SignatureFault = { code: 'digest', detail: 'the content inside is not what the byte range covers' }
  return { contentDigest, faults: isOverRanges ? [] : [fault] }
}

function unreadable(reading: PdfSignatureReading, fault: SignatureFault): PdfSignatureFacts {
  const { id, name, contents, texts } = reading
  const signature = unreadableSignature({ id, form: 'PAdES', name }, contents, fault)
  const { time, reason, location } = texts
  const evidence = { certificates: [], crls: [], ocsps: [] }
  const claimed = { ...signature.claimed, time, reason, location }
  return { signature: { ...signature, claimed }, countersignatures: [], timestamps: [], evidence, parts: null }
}

function readParts(contents: Buffer): ReturnType<typeof readSignedData> | null {
  return readOrNull(() => readSignedData(contents))
}

/** the CMS object signs the SHA-1 digest of the ranges, not the ranges (ISO 32000-1 §12.8.3.3.1) */
const SHA1_OVER_RANGES = 'adbe.pkcs7.sha1'
const JUDGED: ReadonlySet<string> = new Set(['ETSI.CAdES.detached', 'adbe.pkcs7.detached', SHA1_OVER_RANGES])
