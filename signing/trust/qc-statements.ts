/**
 * What a certificate claims about itself: QcStatements (RFC 3739 §3.2.6, ETSI EN 319 412-5) as facts and for reports.
 *
 * A claim is worth nothing before a trusted list confirms who made it (lists/qualify.ts).
 */
import { TAG, childrenOf, decode, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { CertificateReport } from '../validation/report.ts'
import { EXTENSION } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { amountText, readAmount } from './monetary-amount.ts'

export type CertificateType = 'esign' | 'eseal' | 'web'

export interface QcStatements {
  /** QcCompliance */
  compliance: boolean
  /** QcSSCD: the key is in a qualified device */
  device: boolean
  /** QcType; empty: not stated */
  types: ReadonlySet<CertificateType | 'other'>
  /** QcCClegislation: qualified after the law of these countries, which is another than that of the Union */
  countries: readonly string[]
  /** QcLimitValue as text; null: none */
  limit: string | null
  /** object identifiers of all statements, for experts */
  ids: readonly string[]
}

/** The statements of a certificate; nothing is claimed where the extension is absent or cannot be read. */
export function readQcStatements(certificate: Certificate): QcStatements {
  const extension = certificate.extensions.get(EXTENSION.qcStatements)
  if (extension === undefined) return NOTHING
  try {
    return readStatements(decode(extension.value))
  } catch (error) {
    if (error instanceof SigningError) return NOTHING
    throw error
  }
}

/** For the report: what QcStatements claim. */
export function certificateClaims(certificate: Certificate): CertificateReport['claims'] {
  const { compliance, device, countries } = readQcStatements(certificate)
  return { qualified: compliance, device, type: claimedType(certificate), countries: [...countries] }
}

/** The one type that is claimed; QcCompliance alone means signatures (§4.2.3: certificates before QcType). */
export function claimedType(certificate: Certificate): CertificateType | null {
  const { compliance, types } = readQcStatements(certificate)
  if (!statesType(certificate)) return compliance ? 'esign' : null
  const [only, ...more] = types
  return more.length > 0 || only === undefined || only === 'other' ? null : only
}

/** Is there a QcType, whatever it says? */
export function statesType(certificate: Certificate): boolean {
  return readQcStatements(certificate).ids.includes(STATEMENT.type)
}

function readStatements(list: Element): QcStatements {
  const statements = childrenOf(list, TAG.sequence).map((statement) => {
    const [id, info] = childrenOf(statement, TAG.sequence)
    return { id: readOid(id), info }
  })
  const infoOf = (wanted: string): Element | undefined => statements.find(({ id }) => id === wanted)?.info
  const ids = statements.map(({ id }) => id)
  const types = listOf(infoOf(STATEMENT.type)).map((type) => TYPES.get(readOid(type)) ?? 'other')
  const limit = infoOf(STATEMENT.limit)
  return {
    compliance: ids.includes(STATEMENT.compliance),
    device: ids.includes(STATEMENT.device),
    types: new Set(types),
    // the statement without a readable country still says: not the law of the Union
    countries: ids.includes(STATEMENT.legislation) ? readCountries(infoOf(STATEMENT.legislation)) : [],
    limit: limit === undefined ? null : amountText(readAmount(limit)),
    ids,
  }
}

function readCountries(info: Element | undefined): string[] {
  const countries = listOf(info).map(({ content }) => content.toString('latin1').toUpperCase().slice(0, 2))
  return countries.length === 0 ? ['??'] : countries
}

const listOf = (info: Element | undefined): Element[] => (info === undefined ? [] : childrenOf(info, TAG.sequence))

const STATEMENT = {
  compliance: '0.4.0.1862.1.1',
  limit: '0.4.0.1862.1.2',
  device: '0.4.0.1862.1.4',
  type: '0.4.0.1862.1.6',
  legislation: '0.4.0.1862.1.7',
} as const

const TYPES: ReadonlyMap<string, CertificateType> = new Map<string, CertificateType>([
  ['0.4.0.1862.1.6.1', 'esign'],
  ['0.4.0.1862.1.6.2', 'eseal'],
  ['0.4.0.1862.1.6.3', 'web'],
])

const NOTHING: QcStatements = {
  compliance: false,
  device: false,
  types: new Set(),
  countries: [],
  limit: null,
  ids: [],
}
