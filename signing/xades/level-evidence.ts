/**
 * The evidence that level B-LT adds to a signature: for its signer and its time-stamps, from after the signature, without
 * what it carries already (ETSI EN 319 132-1 §5.4, §5.5.3).
 */
import { evidenceOf } from '../cms/carried.ts'
import { missingEvidence } from '../cms/evidence.ts'
import { SigningError } from '../errors.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { EvidenceSource, Leaf } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { TimestampFacts } from '../validation/facts.ts'
import { objectId } from '../validation/object-id.ts'
import { decodeBase64 } from '../xml/base64.ts'
import { elementsOf } from '../xml/ids.ts'
import type { XmlElement } from '../xml/tree.ts'
import { objectsWithin } from './carried.ts'
import { plainText } from './claims.ts'
import { isXades } from './properties.ts'
import { furtherValidationDataText, validationDataText } from './unsigned-text.ts'

/** A signature that holds, with time-stamps that hold together. */
export interface LiftedSignature {
  element: XmlElement
  certificate: Certificate
  timestamps: readonly TimestampFacts[]
}

/**
 * The text of the properties to be added; empty when everything is there.
 *
 * @throws SigningError `signing/evidence-missing`
 */
export async function withEvidence(signature: LiftedSignature, source: EvidenceSource): Promise<string> {
  const given = evidenceOf(objectsWithin(signature.element))
  const { evidence, gaps } = await source.collect(leavesOf(signature), given)
  if (gaps.length > 0) throw missingEvidence(gaps)
  const own = written(signature.element)
  const isNew = (der: Buffer): boolean => !own.has(objectId(der))
  const fresh: Evidence = {
    certificates: evidence.certificates.filter(isNew),
    crls: evidence.crls.filter(isNew),
    ocsps: evidence.ocsps.filter(isNew),
  }
  const hasValues = [...elementsOf(signature.element)].some(
    (element) => isXades(element, 'CertificateValues') || isXades(element, 'RevocationValues'),
  )
  return hasValues ? furtherValidationDataText(fresh) : validationDataText(fresh)
}

function leavesOf({ certificate, timestamps }: LiftedSignature): Leaf[] {
  const times = timestamps.filter(({ kind }) => kind !== 'content').flatMap(({ info }) => info?.genTime ?? [])
  const first = times.sort((a, b) => a.getTime() - b.getTime())[0]
  if (first === undefined) throw new SigningError('signing/signature-broken', 'there is no time-stamp')
  const archives = timestamps.filter(({ kind }) => kind === 'archive')
  const lastArchive = Math.max(...archives.map(({ info }) => info?.genTime.getTime() ?? 0))
  const stamps = timestamps.flatMap(({ certificate: authority, info, kind }): Leaf[] => {
    if (authority === null || info === null) return []
    // a later time-stamp is over this one: its status then is enough, else that of today counts
    const isProtected = archives.length > 0 && (kind !== 'archive' || info.genTime.getTime() < lastArchive)
    return [isProtected ? { certificate: authority, at: info.genTime } : { certificate: authority }]
  })
  return [{ certificate, at: first, issuedAfter: first }, ...stamps]
}

/** What stands in the signature in elements of its own; what is only inside a token is written once more. */
function written(signature: XmlElement): ReadonlySet<string> {
  const found = new Set<string>()
  for (const element of elementsOf(signature)) {
    const bytes = VALUES.has(element.local) ? decodeBase64(plainText(element)) : null
    if (bytes !== null) found.add(objectId(bytes))
  }
  return found
}

const VALUES: ReadonlySet<string> = new Set([
  'X509Certificate',
  'EncapsulatedX509Certificate',
  'EncapsulatedCRLValue',
  'EncapsulatedOCSPValue',
])
