/**
 * Facts about the archive time-stamps of a signature: what each is over, and what it therefore proves
 * (ETSI EN 319 122-1 §5.5, EN 319 102-1 §5.6.2.3).
 */
import { readOrNull } from '../errors.ts'
import { readTokenFacts } from '../timestamp/facts.ts'
import { parseToken } from '../timestamp/token.ts'
import { createDigest } from '../trust/digest.ts'
import type { TimestampFacts } from '../validation/facts.ts'
import { objectId } from '../validation/object-id.ts'
import { archiveInput, checkHashIndex, indexOf } from './archive-timestamp.ts'
import type { IndexVerdict } from './archive-timestamp.ts'
import { idsOf, objectsInAttribute } from './carried.ts'
import type { CarriedObject } from './carried.ts'
import { readAttributes, signedAttributesOf } from './container.ts'
import type { SignerParts } from './container.ts'
import { readChoice } from './evidence.ts'
import { archiveV2Digest, escInput, referencesInput } from './old-timestamps.ts'
import { ATTRIBUTE } from './oids.ts'
import type { SignerReading } from './signer-reading.ts'

/** archive-time-stamp-v3: proves what its index names, and the signature itself. */
export async function readArchiveV3(reading: SignerReading, bytes: Buffer, id: string): Promise<TimestampFacts> {
  const { parts, signer, contentDigest } = reading
  const found = readIndex(bytes)
  const verdict = found === null ? null : readOrNull(() => checkHashIndex(parts, signer, found))
  const facts = await readTokenFacts({
    bytes,
    id,
    kind: 'archive',
    contentDigest:
      contentDigest === null || found === null
        ? null
        : async (digest) =>
            createDigest(digest)
              .update(archiveInput(parts, signer, await contentDigest(digest), found.bytes))
              .digest(),
    covers: verdict === null ? new Set() : namedByIndex(reading, verdict),
    others: reading.others ?? [],
  })
  if (facts.info === null || verdict?.complete === true) return facts
  const detail =
    verdict === null ? 'the hash index is missing or cannot be read' : 'the hash index names what is not there'
  return { ...facts, faults: [...facts.faults, { code: 'index', detail }], covers: new Set() }
}

function readIndex(bytes: Buffer): { type: string; bytes: Buffer } | null {
  return readOrNull(() => indexOf(parseToken(bytes)))
}

function namedByIndex({ parts, signer }: SignerReading, verdict: IndexVerdict): Set<string> {
  const unsigned = readAttributes(signer.unsignedAttributes)
  return new Set([
    ...ofSigner(signer),
    ...parts.certificates.filter((_, index) => verdict.certificates[index]).map(objectId),
    ...idsOf(parts.crls.filter((_, index) => verdict.crls[index]).flatMap((choice) => readChoice(choice) ?? [])),
    ...idsOf(
      unsigned.filter((_, index) => verdict.unsignedAttributes[index]).flatMap((item) => objectsInAttribute(item)),
    ),
  ])
}

/** The signature value, and what its signed attributes carry. */
function ofSigner(signer: SignerParts): string[] {
  const attributes = readOrNull(() => signedAttributesOf(signer)) ?? []
  return [objectId(signer.value), ...idsOf(attributes.flatMap((attribute) => objectsInAttribute(attribute)))]
}

/** archive-time-stamp v2: over everything that was there before it. */
export async function readArchiveV2(reading: SignerReading, bytes: Buffer, id: string): Promise<TimestampFacts> {
  const { parts, signer, content = null } = reading
  const earlier = earlierAttributes(signer, bytes)
  const isThere = parts.content !== null || content !== null
  const objects: CarriedObject[] = [
    ...parts.certificates.map((item) => ({ kind: 'certificate' as const, bytes: item })),
    ...parts.crls.flatMap((choice) => readChoice(choice) ?? []),
    ...readAttributes(earlier).flatMap((attribute) => objectsInAttribute(attribute)),
  ]
  return readTokenFacts({
    bytes,
    id,
    kind: 'archive',
    contentDigest: isThere ? (digest) => archiveV2Digest({ parts, signer, content }, earlier, digest) : null,
    covers: new Set([...ofSigner(signer), ...idsOf(objects)]),
    others: reading.others ?? [],
  })
}

/** The unsigned attributes that were there before this token: not itself, no younger archive time-stamp of either kind. */
function earlierAttributes(signer: SignerParts, bytes: Buffer): Buffer[] {
  const time = readOrNull(() => parseToken(bytes))?.info.genTime
  const isEarlier = (value: Buffer): boolean => {
    const other = readOrNull(() => parseToken(value))
    return other !== null && time !== undefined && other.info.genTime < time
  }
  return signer.unsignedAttributes.filter((encoding) => {
    const [attribute] = readAttributes([encoding])
    if (attribute === undefined || !ARCHIVES.has(attribute.type)) return true
    return attribute.values.every((value) => !value.equals(bytes) && isEarlier(value))
  })
}

/** CAdES-C-timestamp: over the value, its time-stamps and references to evidence; references prove no object. */
export function readEscTimestamp(reading: SignerReading, bytes: Buffer, id: string): Promise<TimestampFacts> {
  const { signer, others = [] } = reading
  const stamps = readAttributes(signer.unsignedAttributes).filter(({ type }) => type === ATTRIBUTE.signatureTimeStamp)
  const covers = [objectId(signer.value), ...idsOf(stamps.flatMap((attribute) => objectsInAttribute(attribute)))]
  const input = escInput(signer)
  return readTokenFacts({
    bytes,
    id,
    kind: 'archive',
    contentDigest: (digest) => createDigest(digest).update(input).digest(),
    covers: new Set(covers),
    others,
  })
}

/** A time-stamp over references alone. */
export function readReferencesTimestamp(reading: SignerReading, bytes: Buffer, id: string): Promise<TimestampFacts> {
  const input = referencesInput(reading.signer)
  return readTokenFacts({
    bytes,
    id,
    kind: 'archive',
    contentDigest: (digest) => createDigest(digest).update(input).digest(),
    covers: new Set(),
    others: reading.others ?? [],
  })
}

const ARCHIVES: ReadonlySet<string> = new Set([ATTRIBUTE.archiveTimeStampV2, ATTRIBUTE.archiveTimeStampV3])
