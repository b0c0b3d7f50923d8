/**
 * Lifts XAdES signatures to B-T, B-LT and B-LTA and renews archive time-stamps (ETSI EN 319 132-1 §5.3, §5.4, §5.5, §6).
 *
 * Everything is added behind what is there; no byte of the file changes. A signature that does not fit is not lifted.
 */
import type { AdesLevel, LevelSources } from '../cms/cades-levels.ts'
import { SigningError } from '../errors.ts'
import type { TimestampFacts } from '../validation/facts.ts'
import { parseDocument } from '../xml/parse.ts'
import { findSignatures, readDsig } from '../xml/dsig.ts'
import { indexIds } from '../xml/ids.ts'
import { signedDocument } from '../xml/references.ts'
import { appendInto } from '../xml/splice.ts'
import { EXCLUSIVE_FORM } from '../xml/transforms.ts'
import { readXadesFacts } from './document.ts'
import { XADES_LIMITS } from './limits.ts'
import { withEvidence } from './level-evidence.ts'
import type { LiftedSignature } from './level-evidence.ts'
import { followReference } from './outcomes.ts'
import type { Detached } from './outcomes.ts'
import { readProperties } from './properties.ts'
import { nextArchiveInput, valueInput } from './timestamp-inputs.ts'
import type { InputDigest, StampedSignature } from './timestamp-inputs.ts'
import { stampText, unsignedText } from './unsigned-text.ts'

/**
 * Lifts all signatures of an XML document or signature file to `level`, counter-signatures apart; what is there stays.
 * B-LTA again renews: the evidence for the last archive time-stamp is added, then a new one over everything.
 *
 * @param detached data beside the document, as for readXadesFacts
 * @throws SigningError `signing/signature-broken` a signature or time-stamp that does not fit, or no signature at all
 * @throws SigningError `signing/evidence-missing` revocation data is not to be had, or not yet from after the signature
 * @throws SigningError `signing/timestamp-unavailable`, `signing/xml-malformed` a UTF-16 document
 */
export async function extendXades(
  bytes: Buffer,
  detached: Detached,
  level: AdesLevel,
  sources: LevelSources,
): Promise<Buffer> {
  const count = (await readIntact(bytes, detached)).length
  let lifted = bytes
  const each = async (change: (bytes: Buffer, index: number) => Promise<Buffer>): Promise<void> => {
    for (let index = 0; index < count; index++) lifted = await change(lifted, index)
  }
  await each((now, index) => withSignatureTimestamp(now, index, detached, sources))
  if (level === 'B-T') return lifted
  await each(async (now, index) => {
    const addition = await withEvidence(await one(now, index, detached), sources.evidence)
    return addition === '' ? now : addUnsigned(now, index, addition)
  })
  if (level === 'B-LT') return lifted
  await each((now, index) => withArchiveTimestamp(now, index, detached, sources))
  return lifted
}

/** The signatures that sign data, each with its time-stamps. @throws SigningError `signing/signature-broken` */
async function readIntact(bytes: Buffer, detached: Detached): Promise<Omit<LiftedSignature, 'element'>[]> {
  const { signatures, timestamps } = await readXadesFacts(bytes, detached)
  const lifted = signatures.filter(({ countersigns }) => countersigns === null)
  if (lifted.length === 0) throw broken('there is no signature')
  return lifted.map((signature) => {
    const [fault] = signature.faults.filter(({ code }) => code !== 'policy-missing')
    if (fault !== undefined || signature.certificate === null) throw broken(fault?.detail ?? 'nobody signed')
    const own = timestamps.filter(({ id }) => signature.timestampIds.includes(id))
    for (const stamp of own) checkStamp(stamp)
    return { certificate: signature.certificate, timestamps: own }
  })
}

/** A time-stamp that does not fit is not built upon. */
function checkStamp({ faults }: TimestampFacts): void {
  const [fault] = faults
  if (fault !== undefined) throw broken(`a time-stamp does not fit: ${fault.detail}`)
}

async function one(bytes: Buffer, index: number, detached: Detached): Promise<LiftedSignature> {
  const found = (await readIntact(bytes, detached))[index]
  if (found === undefined) throw broken('there is no signature')
  return { ...found, element: located(bytes, index).element }
}

/** The n-th signature that signs data, in the document as it is now. */
function located(bytes: Buffer, index: number) {
  const document = parseDocument(bytes, XADES_LIMITS)
  const elements = findSignatures(document.root).filter(({ parent }) => parent?.local !== 'CounterSignature')
  const element = elements[index]
  if (element === undefined) throw broken('there is no signature')
  const signature = readDsig(element)
  const properties = readProperties(signature, indexIds(document.root))
  if (properties === null) throw broken('there are no properties to add to')
  return { document, element, signature, properties }
}

async function withSignatureTimestamp(
  bytes: Buffer,
  index: number,
  detached: Detached,
  { timestamps }: LevelSources,
): Promise<Buffer> {
  const { timestamps: present } = await one(bytes, index, detached)
  if (present.some(({ kind }) => kind === 'signature')) return bytes
  const { document, signature } = located(bytes, index)
  const input = valueInput(signature, signedDocument(document, XADES_LIMITS), EXCLUSIVE_FORM)
  return addStamp(bytes, index, 'SignatureTimeStamp', { input, timestamps })
}

async function withArchiveTimestamp(
  bytes: Buffer,
  index: number,
  detached: Detached,
  { timestamps }: LevelSources,
): Promise<Buffer> {
  const { document, element, signature, properties } = located(bytes, index)
  const all = signedDocument(document, XADES_LIMITS)
  const outcomes: StampedSignature['outcomes'][number][] = []
  for (const reference of signature.references) outcomes.push(await followReference(reference, element, all, detached))
  const input = nextArchiveInput({ signature, properties, outcomes, all }, EXCLUSIVE_FORM)
  if (input === null) throw broken('data that are signed are not there')
  return addStamp(bytes, index, 'ArchiveTimeStamp', { input, timestamps })
}

async function addStamp(
  bytes: Buffer,
  index: number,
  name: 'SignatureTimeStamp' | 'ArchiveTimeStamp',
  { input, timestamps }: { input: InputDigest } & Pick<LevelSources, 'timestamps'>,
): Promise<Buffer> {
  const token = await timestamps.stamp(await input(timestamps.digest))
  return addUnsigned(bytes, index, stampText(name, token.der))
}

/** Behind all unsigned properties of the signature; the elements around them are made where they are missing. */
function addUnsigned(bytes: Buffer, index: number, addition: string): Buffer {
  const { document, properties } = located(bytes, index)
  const { parent, missing } = unsignedText(properties)
  return appendInto(bytes, document, parent, missing(addition))
}

function broken(what: string): SigningError {
  return new SigningError('signing/signature-broken', what)
}
