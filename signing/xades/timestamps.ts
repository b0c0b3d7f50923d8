/**
 * The time-stamps of one signature, read and judged, with what each of them really covers.
 */
import { readTokenFacts } from '../timestamp/facts.ts'
import type { TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { objectId } from '../validation/object-id.ts'
import { decodeBase64 } from '../xml/base64.ts'
import type { XmlElement } from '../xml/tree.ts'
import { idsWithin } from './carried.ts'
import { plainText } from './claims.ts'
import { isXades, xadesChildren } from './properties.ts'
import type { Properties } from './properties.ts'
import { inputsOf, precedingOf } from './timestamp-inputs.ts'
import type { StampedSignature } from './timestamp-inputs.ts'

export interface StampReading {
  timestamps: TimestampFacts[]
  findings: Finding[]
}

/** All tokens of the signature: over data, over the value, over everything. */
export async function readStamps(stamped: StampedSignature, nextId: () => string): Promise<StampReading> {
  const timestamps: TimestampFacts[] = []
  const findings: Finding[] = []
  for (const property of stampProperties(stamped.properties)) {
    const tokens = xadesChildren(property, 'EncapsulatedTimeStamp')
    if (tokens.length === 0)
      findings.push({
        severity: 'warning',
        code: 'unknown-elements',
        detail: 'a time-stamp in another form than RFC 3161',
      })
    for (const token of tokens) {
      if (timestamps.length >= MAX_TOKENS || --stamped.all.budget.tokens < 0)
        return { timestamps, findings: [...findings, TOO_MANY] }
      timestamps.push(await readStamp(token, property, stamped, nextId()))
    }
  }
  return { timestamps, findings }
}

async function readStamp(
  token: XmlElement,
  property: XmlElement,
  stamped: StampedSignature,
  id: string,
): Promise<TimestampFacts> {
  const reading = {
    bytes: decodeBase64(plainText(token)) ?? Buffer.alloc(0),
    id,
    kind: KINDS[property.local] ?? 'archive',
    covers: new Set(coveredBy(property, stamped)),
  }
  const [usual, other] = inputsOf(property, stamped)
  const facts = await readTokenFacts({ ...reading, contentDigest: usual ?? null })
  const isOver = facts.faults.every(({ code }) => code !== 'imprint')
  return other === undefined || isOver ? facts : readTokenFacts({ ...reading, contentDigest: other })
}

/** Time-stamp properties in document order, the signed ones first. */
function stampProperties({ signedData, unsigned }: Properties): XmlElement[] {
  const isStamp = (element: XmlElement): boolean => element.local in KINDS && isXades(element, element.local)
  const signed = signedData === null ? [] : signedData.children.filter((child) => typeof child === 'object')
  return [...signed, ...unsigned].filter(isStamp)
}

/** Names of the objects inside the input. */
function coveredBy(property: XmlElement, stamped: StampedSignature): string[] {
  const { signature, properties } = stamped
  const value = objectId(signature.value)
  const within = (elements: readonly XmlElement[]): string[] => elements.flatMap((element) => idsWithin(element))
  switch (property.local) {
    case 'SignatureTimeStamp':
      return [value]
    case 'SigAndRefsTimeStamp':
    case 'SigAndRefsTimeStampV2':
      return [value, ...within(precedingOf(property, stamped, new Set(['SignatureTimeStamp'])))]
    case 'ArchiveTimeStamp':
      return [
        value,
        ...within(signature.keyInfo === null ? [] : [signature.keyInfo]),
        ...within(precedingOf(property, stamped, null)),
        // part of the input by its reference
        ...within(isReferenced(properties.signed, stamped) ? [properties.signed] : []),
      ]
    default:
      return []
  }
}

function isReferenced(signed: XmlElement | null, { outcomes }: StampedSignature): signed is XmlElement {
  return signed !== null && outcomes.some(({ node, status }) => node === signed && status === 'fits')
}

const KINDS: Readonly<Record<string, TimestampFacts['kind']>> = {
  AllDataObjectsTimeStamp: 'content',
  IndividualDataObjectsTimeStamp: 'content',
  SignatureTimeStamp: 'signature',
  SigAndRefsTimeStamp: 'archive',
  SigAndRefsTimeStampV2: 'archive',
  RefsOnlyTimeStamp: 'archive',
  RefsOnlyTimeStampV2: 'archive',
  ArchiveTimeStamp: 'archive',
}
const MAX_TOKENS = 100
const TOO_MANY: Finding = {
  severity: 'unclean',
  code: 'unknown-elements',
  detail: `more than ${MAX_TOKENS} time-stamps`,
}
