/**
 * Why a signature is no baseline signature: the demands of ETSI EN 319 122-1 §6.3 (CAdES) and EN 319 142-1 §6.3 (PAdES)
 * on the attributes of a signer. What the PDF around it must hold, the PDF reader adds.
 */
import { ID_DATA, ATTRIBUTE } from './oids.ts'
import type { SignedDataParts, SignerParts } from './container.ts'
import type { SignedAttributes } from './signed-attributes.ts'

export interface ProfileQuestion {
  form: 'PAdES' | 'CAdES'
  parts: SignedDataParts
  signer: SignerParts
  /** null: there are none */
  signed: SignedAttributes | null
  /** types of the unsigned attributes */
  unsigned: readonly string[]
  /** the certificate of the signer is inside */
  hasCertificate: boolean
  isCountersignature: boolean
}

/** English, for experts; empty: at least B-B. */
export function profileFaults(question: ProfileQuestion): string[] {
  return [...missing(question), ...forbidden(question), ...frameFaults(question)]
}

function missing({ form, signed, hasCertificate, isCountersignature }: ProfileQuestion): string[] {
  const has = (type: string): boolean => signed?.values.has(type) ?? false
  const faults: string[] = []
  if (signed === null) faults.push('no signed attributes')
  if (!has(ATTRIBUTE.signingCertificate) && !has(ATTRIBUTE.signingCertificateV2)) faults.push('no signing-certificate')
  if (!hasCertificate) faults.push('the certificate of the signer is not inside')
  if (form === 'CAdES' && !isCountersignature && !has(ATTRIBUTE.signingTime)) faults.push('no signing-time')
  return faults
}

function forbidden({ form, signed, unsigned }: ProfileQuestion): string[] {
  const names = form === 'CAdES' ? FORBIDDEN : { ...FORBIDDEN, ...FORBIDDEN_IN_PDF }
  const types = new Set([...(signed?.all.map(({ type }) => type) ?? []), ...unsigned])
  return Object.entries(names).flatMap(([type, name]) => (types.has(type) ? [`${name} must not be there`] : []))
}

function frameFaults({ form, parts, isCountersignature }: ProfileQuestion): string[] {
  const faults: string[] = []
  if (!isCountersignature && parts.contentType !== ID_DATA) faults.push('the content type is not id-data')
  if (form === 'PAdES' && parts.signers.length > 1) faults.push('several signers in one PDF signature')
  if (form === 'PAdES' && parts.content !== null) faults.push('the content is inside')
  return faults
}

const FORBIDDEN: Readonly<Record<string, string>> = {
  [ATTRIBUTE.completeCertificateReferences]: 'complete-certificate-references',
  [ATTRIBUTE.completeRevocationReferences]: 'complete-revocation-references',
  [ATTRIBUTE.certificateValues]: 'certificate-values',
  [ATTRIBUTE.revocationValues]: 'revocation-values',
  [ATTRIBUTE.escTimeStamp]: 'CAdES-C-timestamp',
  [ATTRIBUTE.certificatesCrlsTimeStamp]: 'time-stamped-certs-crls-references',
  [ATTRIBUTE.archiveTimeStampV2]: 'archive-time-stamp v2',
}
const FORBIDDEN_IN_PDF: Readonly<Record<string, string>> = {
  [ATTRIBUTE.signingTime]: 'signing-time',
  [ATTRIBUTE.countersignature]: 'countersignature',
  [ATTRIBUTE.archiveTimeStampV3]: 'archive-time-stamp-v3',
  [ATTRIBUTE.signerLocation]: 'signer-location',
  [ATTRIBUTE.adobeRevocationInfo]: 'revocationInfoArchival',
}
