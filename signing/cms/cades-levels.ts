/**
 * Lifts CAdES signatures to B-T, B-LT and B-LTA and renews archive time-stamps (ETSI EN 319 122-1 §6, EN 319 102-1).
 *
 * Everything is added beside what is there. A signature that does not fit its content is not lifted.
 */
import { createHash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { digestOf } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { createDigest } from '../trust/digest.ts'
import type { EvidenceSource, Leaf } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { archiveInput, checkArchiveTimestamp, hashIndex, withHashIndex } from './archive-timestamp.ts'
import { checkSigners } from './cades.ts'
import { attribute, merged, readAttributes, readSignedData, writeSignedData } from './container.ts'
import type { SignedDataParts, SignerParts } from './container.ts'
import { contentDigests, contentOf } from './content.ts'
import { missingEvidence, revocationChoices, revocationEvidence } from './evidence.ts'
import { ATTRIBUTE } from './oids.ts'
import { timestampLeaf, tokensOf, withSignatureTimestamp } from './signature-timestamp.ts'
import { verifySigner } from './signer.ts'

export type AdesLevel = 'B-T' | 'B-LT' | 'B-LTA'

export interface LevelSources {
  timestamps: TimestampSource
  evidence: EvidenceSource
}

/**
 * Lifts all signatures in `cms` to `level`; what a signature has already stays. B-LTA again renews: the evidence for the
 * last archive time-stamp is added, then a new one over everything.
 *
 * @param content null when it is inside
 * @returns DER of the ContentInfo
 * @throws SigningError `signing/signature-broken`, `signing/timestamp-unavailable`, `signing/asn1-damaged`
 * @throws SigningError `signing/evidence-missing` revocation data is not to be had, or not yet from after the signature
 */
export async function extendCades(
  cms: Buffer,
  content: RandomAccess | null,
  level: AdesLevel,
  sources: LevelSources,
): Promise<Buffer> {
  let parts: SignedDataParts = readSignedData(cms)
  if (parts.signers.some(hasFrozenTimestamp)) {
    throw new SigningError('signing/signature-broken', 'an archive time-stamp of the old kind would not fit any more')
  }
  const digests = contentDigests(contentOf(parts, content))
  await checkSigners(parts, contentOf(parts, content))
  await eachSigner(parts, (signer) => checkTimestamps(parts, signer, digests))
  parts = await eachSigner(parts, (signer) => withSignatureTimestamp(signer, sources.timestamps))
  if (level === 'B-T') return writeSignedData(parts)
  parts = await withEvidence(parts, digests, sources.evidence)
  if (level === 'B-LT') return writeSignedData(parts)
  const complete = parts
  parts = await eachSigner(parts, (signer) => withArchiveTimestamp(complete, signer, digests, sources.timestamps))
  return writeSignedData(parts)
}

/** archive-time-stamp v2 is over all that is there; whatever is added breaks it. */
function hasFrozenTimestamp({ unsignedAttributes }: SignerParts): boolean {
  return readAttributes(unsignedAttributes).some(({ type }) => type === ATTRIBUTE.archiveTimeStampV2)
}

type Digests = (digest: string) => Promise<Buffer>

async function eachSigner(
  parts: SignedDataParts,
  change: (signer: SignerParts) => Promise<SignerParts>,
): Promise<SignedDataParts> {
  const signers: SignerParts[] = []
  for (const signer of parts.signers) signers.push(await change(signer))
  return { ...parts, signers }
}

/** A time-stamp that does not fit is not built upon. */
async function checkTimestamps(parts: SignedDataParts, signer: SignerParts, digests: Digests): Promise<SignerParts> {
  for (const { info } of tokensOf(signer, ATTRIBUTE.signatureTimeStamp)) {
    const digest = digestOf(info.imprint.algorithm)
    const fits = digest !== null && createDigest(digest).update(signer.value).digest().equals(info.imprint.value)
    if (!fits) throw new SigningError('signing/signature-broken', 'the time-stamp of a signature does not fit')
  }
  for (const token of tokensOf(signer, ATTRIBUTE.archiveTimeStampV3)) {
    const { fits } = await checkArchiveTimestamp(parts, signer, token, digests)
    if (!fits) throw new SigningError('signing/signature-broken', 'an archive time-stamp does not fit')
  }
  return signer
}

async function withEvidence(
  parts: SignedDataParts,
  digests: Digests,
  source: EvidenceSource,
): Promise<SignedDataParts> {
  const leaves: Leaf[] = []
  const inside: Buffer[] = []
  for (const signer of parts.signers) {
    const archives = tokensOf(signer, ATTRIBUTE.archiveTimeStampV3)
    const tokens = [...tokensOf(signer, ATTRIBUTE.signatureTimeStamp), ...archives]
    const first = tokens.reduce((a, b) => (b.info.genTime < a.info.genTime ? b : a))
    leaves.push({
      ...(await signerLeaf(parts, signer, digests)),
      at: first.info.genTime,
      issuedAfter: first.info.genTime,
    })
    const lastArchive = Math.max(...archives.map(({ info }) => info.genTime.getTime()))
    for (const token of tokens) {
      const isProtected =
        archives.length > 0 && (!archives.includes(token) || token.info.genTime.getTime() < lastArchive)
      leaves.push(await timestampLeaf(token, isProtected))
    }
    inside.push(...tokens.flatMap(({ certificates }) => certificates.map(({ der: bytes }) => bytes)))
  }
  const given: Evidence = { ...revocationEvidence(parts.crls), certificates: [...parts.certificates, ...inside] }
  const { evidence, gaps } = await source.collect(leaves, given)
  if (gaps.length > 0) throw missingEvidence(gaps)
  return {
    ...parts,
    certificates: merged(parts.certificates, evidence.certificates),
    crls: merged(parts.crls, revocationChoices(evidence)),
  }
}

async function signerLeaf(
  parts: SignedDataParts,
  signer: SignerParts,
  digests: Digests,
): Promise<{ certificate: Certificate }> {
  const verdict = await verifySigner(parts, signer, digests)
  if (verdict.kind === 'bad') throw new SigningError('signing/signature-broken', 'a signature does not fit')
  return verdict
}

async function withArchiveTimestamp(
  parts: SignedDataParts,
  signer: SignerParts,
  digests: Digests,
  timestamps: TimestampSource,
): Promise<SignerParts> {
  const index = hashIndex(parts, signer, timestamps.digest)
  const input = archiveInput(parts, signer, await digests(timestamps.digest), index)
  const token = await timestamps.stamp(createHash(timestamps.digest).update(input).digest())
  const added = attribute(ATTRIBUTE.archiveTimeStampV3, withHashIndex(token.der, index))
  return { ...signer, unsignedAttributes: [...signer.unsignedAttributes, added] }
}
