/**
 * All time-stamps that hang on a signer, each with what it is over (ETSI EN 319 122-1 §5.2.8, §5.3, §5.5).
 */
import { readTokenFacts } from '../timestamp/facts.ts'
import { createDigest } from '../trust/digest.ts'
import type { TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { objectId } from '../validation/object-id.ts'
import { readArchiveV2, readArchiveV3, readEscTimestamp, readReferencesTimestamp } from './archive-facts.ts'
import type { Attribute } from './container.ts'
import { spend } from './signer-reading.ts'
import type { SignerReading } from './signer-reading.ts'
import { ATTRIBUTE } from './oids.ts'

/**
 * Content time-stamps first, then those of the value, then archive time-stamps, as transmitted within each kind.
 *
 * One that appears twice counts once: a copy proves nothing new.
 */
export async function readTimestamps(
  reading: SignerReading,
  signed: readonly Attribute[],
  unsigned: readonly Attribute[],
): Promise<{ timestamps: TimestampFacts[]; findings: Finding[] }> {
  const timestamps: TimestampFacts[] = []
  const seen = new Set<string>()
  const findings: Finding[] = []
  for (const [type, read] of READERS) {
    const attributes = type === ATTRIBUTE.contentTimeStamp ? signed : unsigned
    for (const value of attributes.filter((item) => item.type === type).flatMap((item) => item.values)) {
      const name = `${type} ${objectId(value)}`
      if (seen.has(name)) findings.push({ severity: 'warning', code: 'timestamp-copied', detail: '' })
      else if (timestamps.length >= MAX_TIMESTAMPS || !spend(reading.budget)) findings.push(TOO_MANY)
      else timestamps.push(await read(reading, value, reading.nextTimestampId()))
      seen.add(name)
    }
  }
  return {
    timestamps,
    findings: findings.filter(({ code }, index) => findings.findIndex((f) => f.code === code) === index),
  }
}

/** Over the content before it was signed. */
function readContentTimestamp(
  { contentDigest, others = [] }: SignerReading,
  bytes: Buffer,
  id: string,
): Promise<TimestampFacts> {
  return readTokenFacts({ bytes, id, kind: 'content', contentDigest, covers: new Set(), others })
}

/** Over the octets of the signature value. */
function readSignatureTimestamp(
  { signer, others = [] }: SignerReading,
  bytes: Buffer,
  id: string,
): Promise<TimestampFacts> {
  return readTokenFacts({
    bytes,
    id,
    kind: 'signature',
    contentDigest: (digest) => createDigest(digest).update(signer.value).digest(),
    covers: new Set([objectId(signer.value)]),
    others,
  })
}

const READERS = [
  [ATTRIBUTE.contentTimeStamp, readContentTimestamp],
  [ATTRIBUTE.signatureTimeStamp, readSignatureTimestamp],
  [ATTRIBUTE.certificatesCrlsTimeStamp, readReferencesTimestamp],
  [ATTRIBUTE.escTimeStamp, readEscTimestamp],
  [ATTRIBUTE.archiveTimeStampV2, readArchiveV2],
  [ATTRIBUTE.archiveTimeStampV3, readArchiveV3],
] as const
/** a renewal every year makes a hundred in a century */
const MAX_TIMESTAMPS = 100
const TOO_MANY: Finding = { severity: 'warning', code: 'unknown-elements', detail: 'more time-stamps than are judged' }
