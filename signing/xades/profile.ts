/**
 * Why a signature is no XAdES baseline signature (ETSI EN 319 132-1 §6.3). English, for experts; empty: at least B-B.
 */
import type { Certificate } from '../trust/certificate.ts'
import { keyInfoCertificates } from '../xml/dsig.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { attributeOf } from '../xml/find.ts'
import { XADES_NAMESPACE } from '../xml/namespaces.ts'
import { xadesChild } from './properties.ts'
import type { Properties } from './properties.ts'
import { REFERENCE_PROPERTIES, isOldArchive } from './timestamp-inputs.ts'

export const SIGNED_PROPERTIES_TYPE = 'http://uri.etsi.org/01903#SignedProperties'

export interface ProfileQuestion {
  signature: DsigSignature
  /** null: none, or not signed */
  properties: Properties | null
  certificate: Certificate | null
}

/** @throws SigningError `signing/xml-malformed` */
export function profileFaults({ signature, properties, certificate }: ProfileQuestion): string[] {
  if (properties === null) return ['no signed properties']
  const { signedSignature, namespace } = properties
  if (namespace !== XADES_NAMESPACE) return [`an older version of XAdES: ${namespace}`]
  const faults: string[] = []
  const has = (name: string): boolean => xadesChild(signedSignature, name) !== null
  if (!has('SigningTime')) faults.push('no SigningTime')
  if (!has('SigningCertificateV2') && !has('SigningCertificate')) faults.push('no SigningCertificate')
  if (!keyInfoCertificates(signature).some((der) => certificate?.der.equals(der)))
    faults.push('the certificate of the signer is not in KeyInfo')
  if (!signature.references.some(({ type }) => type === SIGNED_PROPERTIES_TYPE))
    faults.push('the reference to the signed properties has no type')
  const target = attributeOf(properties.element, 'Target') ?? ''
  if (target !== '' && target !== `#${signature.id ?? ''}`) faults.push('the properties are for something else')
  return [...faults, ...unsignedFaults(properties)]
}

function unsignedFaults({ unsigned }: Properties): string[] {
  const faults: string[] = []
  const names = unsigned.map(({ local }) => local)
  for (const name of new Set(names)) if (FORBIDDEN.has(name)) faults.push(`${name} must not be there`)
  for (const name of SINGLE) if (names.filter((other) => other === name).length > 1) faults.push(`${name} twice`)
  if (unsigned.some(isOldArchive)) faults.push('ArchiveTimeStamp of version 1.3.2')
  return faults
}

const SINGLE = ['CertificateValues', 'RevocationValues'] as const
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...REFERENCE_PROPERTIES,
  'SigAndRefsTimeStamp',
  'SigAndRefsTimeStampV2',
  'RefsOnlyTimeStamp',
  'RefsOnlyTimeStampV2',
])
