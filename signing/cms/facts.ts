/**
 * Facts about one signer of a SignedData: whether it holds together, what it claims, its time-stamps and
 * counter-signatures, and the evidence that it carries (RFC 5652, ETSI EN 319 122-1, EN 319 102-1 §5.2).
 */
import { readBer } from '../asn1/ber.ts'
import { readOrNull } from '../errors.ts'
import { createDigest } from '../trust/digest.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { ClaimedFacts, SignatureFacts, SignatureFault, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { gravestFirst } from '../validation/gravity.ts'
import { objectId } from '../validation/object-id.ts'
import { algorithmsInUse } from './algorithms-in-use.ts'
import { evidenceOf, objectsIn } from './carried.ts'
import { readAttributes, readSigner } from './container.ts'
import type { Attribute } from './container.ts'
import { readChoice } from './evidence.ts'
import { ATTRIBUTE } from './oids.ts'
import { profileFaults } from './profile.ts'
import { readClaims } from './signed-attributes.ts'
import { isOverSorted, signerFindings } from './signer-findings.ts'
import { spend } from './signer-reading.ts'
import type { SignerReading } from './signer-reading.ts'
import { readTimestamps } from './signer-timestamps.ts'
import { judgeSigner } from './signer.ts'
import type { SignerJudgement } from './signer.ts'

export interface SignerFacts {
  signature: SignatureFacts
  /** signatures over the value of this one, and over theirs */
  countersignatures: SignatureFacts[]
  /** of this signature and of its counter-signatures */
  timestamps: TimestampFacts[]
  evidence: Evidence
}

/** Reads and judges one signer; never throws for what is in it. */
export async function readSignerFacts(reading: SignerReading): Promise<SignerFacts> {
  const evidence = evidenceOf(objectsIn({ ...reading.parts, signers: [reading.signer] }))
  return { ...(await readOneSigner(reading)), evidence }
}

/** The same without the evidence, for one signer of several that share it. */
export async function readOneSigner(reading: SignerReading): Promise<Omit<SignerFacts, 'evidence'>> {
  const judgement = await judgeSigner({ ...reading, isCountersignature: reading.countersigns !== undefined })
  const unsigned = readOrNull(() => readAttributes(reading.signer.unsignedAttributes))
  const stamps = await readTimestamps(reading, judgement.attributes?.all ?? [], unsigned ?? [])
  const counters = await readCountersignatures(reading, unsigned ?? [])
  const damaged: SignatureFault[] =
    unsigned === null ? [{ code: 'format', detail: 'the unsigned attributes cannot be read' }] : []
  const signature = describe(reading, judgement, {
    unsigned: (unsigned ?? []).map(({ type }) => type),
    faults: damaged,
    timestampIds: stamps.timestamps.map(({ id }) => id),
    findings: stamps.findings,
  })
  return {
    signature,
    countersignatures: counters.flatMap((counter) => [counter.signature, ...counter.countersignatures]),
    timestamps: [...stamps.timestamps, ...counters.flatMap((counter) => counter.timestamps)],
  }
}

interface Surroundings {
  unsigned: readonly string[]
  faults: readonly SignatureFault[]
  timestampIds: readonly string[]
  findings: readonly Finding[]
}

function describe(reading: SignerReading, judgement: SignerJudgement, around: Surroundings): SignatureFacts {
  const { parts, signer, form, name, countersigns } = reading
  const { certificate, attributes } = judgement
  const claims = readOrNull(() => (attributes === null ? null : readClaims(attributes)))
  const faults = [...judgement.faults, ...around.faults, ...policyFault(claims?.policy ?? null)]
  if (form === 'PAdES' && faults.every(({ code }) => code !== 'value') && !isOverSorted(signer, judgement))
    faults.push({
      code: 'value',
      detail: 'the value fits the signed attributes as they were sent, not in the order of DER',
    })
  const isBroken = faults.some(({ code }) => BREAKING.has(code))
  const isSigned = signer.signedAttributes !== null
  return {
    id: reading.id,
    form,
    name,
    countersigns: countersigns ?? null,
    faults: gravestFirst(faults),
    certificate,
    claimed: claims === null ? NO_CLAIMS : { ...claims, reason: null },
    algorithms: algorithmsInUse(signer, certificate),
    valueId: objectId(signer.value),
    timestampIds: around.timestampIds,
    profileFaults: profileFaults({
      form,
      parts,
      signer,
      signed: isSigned ? attributes : null,
      unsigned: around.unsigned,
      hasCertificate: certificate !== null && parts.certificates.some((item) => item.equals(certificate.der)),
      isCountersignature: countersigns !== undefined,
    }),
    carriesEvidence: form === 'CAdES' && parts.crls.some((choice) => readChoice(choice) !== null),
    scope: { kind: isBroken ? 'nothing' : 'whole', names: [], revisionBytes: null },
    findings: [...signerFindings(signer, judgement, around.unsigned), ...around.findings],
  }
}

function policyFault(policy: string | null): SignatureFault[] {
  return policy === null ? [] : [{ code: 'policy-missing', detail: `signature policy ${policy}` }]
}

/** A counter-signature is a SignerInfo over the octets of the value above it (RFC 5652 §11.4). */
async function readCountersignatures(
  reading: SignerReading,
  unsigned: readonly Attribute[],
): Promise<Omit<SignerFacts, 'evidence'>[]> {
  const depth = reading.id.split('.').length
  const values = unsigned.filter(({ type }) => type === ATTRIBUTE.countersignature).flatMap((item) => item.values)
  if (depth > MAX_DEPTH) return []
  const { signer: parent, parts, id, others = [] } = reading
  const content = parent.value
  const found: Omit<SignerFacts, 'evidence'>[] = []
  for (const value of values) {
    const signer = readOrNull(() => readSigner(readBer(value)))
    if (signer === null || !spend(reading.budget)) continue
    found.push(
      await readOneSigner({
        // what hangs on it sees the certificates of the whole, but not its content
        parts: { ...parts, content, contentEncoding: null },
        signer,
        id: `${id}.${found.length + 1}`,
        form: reading.form,
        name: reading.name,
        contentDigest: (digest) => createDigest(digest).update(content).digest(),
        nextTimestampId: reading.nextTimestampId,
        others,
        budget: reading.budget,
        countersigns: id,
      }),
    )
  }
  return found
}

const MAX_DEPTH = 8
const NO_CLAIMS: ClaimedFacts = { time: null, reason: null, location: null, commitments: [], policy: null }
const BREAKING: ReadonlySet<string> = new Set(['format', 'digest', 'value', 'data-missing', 'algorithm'])
