/**
 * How qualified a certificate was at one time after one listed service (ETSI TS 119 615 §4.5 and §4.6).
 *
 * Pure. What the list and the certificate leave open is a conflict, never a guess.
 */
import type { Certificate } from '../certificate.ts'
import { claimedType, readQcStatements, statesType } from '../qc-statements.ts'
import type { CertificateType } from '../qc-statements.ts'
import { policiesOf, qualifiersFor } from './criteria.ts'
import type { ServiceState } from './model.ts'

/** Regulation (EU) 910/2014 applies from 1 July 2016, Brussels time; lists write it as this instant. */
const EIDAS_START = new Date('2016-06-30T22:00:00Z')

export type Standing =
  | { kind: 'clear'; qualified: boolean; device: boolean; type: CertificateType | null; remark: string | null }
  /** the list contradicts itself, or says something that this program does not know */
  | { kind: 'conflict'; remark: string }

/** @param state of a service that issued the certificate, in force at `time` */
export function standingAt(certificate: Certificate, state: ServiceState, time: Date): Standing {
  if (state.unknownExtension !== null) return conflict(`the list has an unknown critical ${state.unknownExtension}`)
  const qualifiers = qualifiersFor(certificate, state)
  if (qualifiers === null) return conflict('the list names a criterion that is not known')
  const contradiction = contradictionIn(qualifiers)
  if (contradiction !== null) return conflict(contradiction)
  const type = typeOf(certificate, qualifiers, time)
  if (type === 'conflict') return conflict('the list names several types for the certificate')
  const device = hasDevice(certificate, qualifiers)
  const obstacle = obstacleTo(certificate, { state, qualifiers, type, time })
  return { kind: 'clear', qualified: obstacle === null, device: obstacle === null && device, type, remark: obstacle }
}

/** Good after the law of that time (TS 119 612 §5.5.4): since eIDAS only `granted` is. */
export function isGoodStatus(status: string, time: Date): boolean {
  return time < EIDAS_START ? GOOD_BEFORE_EIDAS.has(status) : status === 'granted'
}

interface Circumstances {
  state: ServiceState
  qualifiers: ReadonlySet<string>
  type: CertificateType | null
  time: Date
}

/** Why the certificate is not qualified; null: it is. */
function obstacleTo(certificate: Certificate, { state, qualifiers, type, time }: Circumstances): string | null {
  const { countries } = readQcStatements(certificate)
  if (state.type !== 'CA/QC') return `the service is listed as ${state.type}`
  if (!isGoodStatus(state.status, time)) return `the service is ${state.status}`
  if (countries.length > 0) return `qualified after the law of ${countries.join(', ')}, not of the Union`
  if (qualifiers.has('NotQualified')) return 'the list says that the certificate is not qualified'
  if (!claimsQualified(certificate) && !qualifiers.has('QCStatement')) return 'the certificate claims no qualification'
  if (type === null) return 'it is not to be told what kind of qualified certificate this is'
  // §5.5.9.4: since eIDAS a service is granted for certain kinds of certificates
  if (time >= EIDAS_START && !state.scopes.has(type)) return `conflict: the service is not listed for ${KIND[type]}`
  return null
}

function contradictionIn(qualifiers: ReadonlySet<string>): string | null {
  const unknown = [...qualifiers].find((qualifier) => !KNOWN_QUALIFIERS.has(qualifier))
  if (unknown !== undefined) return `the list has an unknown qualifier ${unknown.slice(0, 100)}`
  const groups = DEVICE_GROUPS.filter((group) => group.some((qualifier) => qualifiers.has(qualifier)))
  if (groups.length > 1) return 'the list contradicts itself about the device of the key'
  if (qualifiers.has('NotQualified') && qualifiers.has('QCStatement'))
    return 'the list contradicts itself about the qualification'
  if (qualifiers.has('QCForLegalPerson') && qualifiers.has('QCForESig'))
    return 'the list contradicts itself about the holder'
  return null
}

function typeOf(
  certificate: Certificate,
  qualifiers: ReadonlySet<string>,
  time: Date,
): CertificateType | null | 'conflict' {
  if (time < EIDAS_START) return 'esign'
  const claimed = claimedType(certificate)
  const listed = [...TYPE_QUALIFIERS].filter(([qualifier]) => qualifiers.has(qualifier)).map(([, type]) => type)
  const [only, ...more] = listed
  if (more.length > 0) return claimed !== null && listed.includes(claimed) ? claimed : 'conflict'
  // a certificate that only its policy or the list makes qualified is one for signatures
  const isSilent = !statesType(certificate)
  const isQualified = claimsQualified(certificate) || qualifiers.has('QCStatement')
  return only ?? claimed ?? (isSilent && isQualified ? 'esign' : null)
}

function claimsQualified(certificate: Certificate): boolean {
  const policies = isOld(certificate) ? policiesOf(certificate) : NONE
  return readQcStatements(certificate).compliance || policies.has(QCP) || policies.has(QCP_PLUS)
}

function hasDevice(certificate: Certificate, qualifiers: ReadonlySet<string>): boolean {
  const [positive, negative] = DEVICE_GROUPS
  if (positive.some((qualifier) => qualifiers.has(qualifier))) return true
  if (negative.some((qualifier) => qualifiers.has(qualifier))) return false
  return readQcStatements(certificate).device || (isOld(certificate) && policiesOf(certificate).has(QCP_PLUS))
}

/** Policies of ETSI TS 101 456 say the same as QcStatements, in certificates from before eIDAS. */
const isOld = ({ notBefore }: Certificate): boolean => notBefore < EIDAS_START
const QCP = '0.4.0.1456.1.2'
const QCP_PLUS = '0.4.0.1456.1.1'
const NONE: ReadonlySet<string> = new Set<string>()

const conflict = (remark: string): Standing => ({ kind: 'conflict', remark: `conflict: ${remark}` })

const GOOD_BEFORE_EIDAS: ReadonlySet<string> = new Set(['undersupervision', 'supervisionincessation', 'accredited'])
const DEVICE_GROUPS = [
  ['QCWithSSCD', 'QCWithQSCD', 'QCQSCDManagedOnBehalf'],
  ['QCNoSSCD', 'QCNoQSCD'],
  ['QCSSCDStatusAsInCert', 'QCQSCDStatusAsInCert'],
] as const
const TYPE_QUALIFIERS: ReadonlyMap<string, CertificateType> = new Map<string, CertificateType>([
  ['QCForESig', 'esign'],
  ['QCForESeal', 'eseal'],
  ['QCForWSA', 'web'],
])
const KNOWN_QUALIFIERS: ReadonlySet<string> = new Set([
  ...DEVICE_GROUPS.flat(),
  ...TYPE_QUALIFIERS.keys(),
  'QCStatement',
  'NotQualified',
  'QCForLegalPerson',
])
const KIND: Readonly<Record<CertificateType, string>> = {
  esign: 'signatures',
  eseal: 'seals',
  web: 'web site authentication',
}
