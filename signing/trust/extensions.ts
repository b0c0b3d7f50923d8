/**
 * The extensions that path and revocation judgement read: policies, constraints, distribution points (RFC 5280 §4.2.1).
 *
 * Every reader takes a parsed certificate and answers null or an empty list when the extension is absent.
 */
import { TAG, children, childrenOf, decode, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { EXTENSION } from './certificate.ts'
import { readCount, readNamedBits } from './fields.ts'
import type { Certificate } from './certificate.ts'
import type { Extension } from './fields.ts'
import { readGeneralName } from './general-name.ts'
import type { GeneralName } from './general-name.ts'
import { extendName } from './name.ts'
import type { Name } from './name.ts'

export const ANY_POLICY = '2.5.29.32.0'

/** Policy identifiers; null: no such extension. */
export function readPolicies(certificate: Certificate): ReadonlySet<string> | null {
  const items = listOf(certificate, EXTENSION.certificatePolicies)
  if (items === null) return null
  const policies = items.map((item) => readOid(childrenOf(item, TAG.sequence)[0]))
  // RFC 5280 §4.2.1.4: a policy must not appear more than once; taken once, it does no harm
  return new Set(bounded(policies))
}

export interface PolicyMapping {
  readonly issuer: string
  readonly subject: string
}

export function readPolicyMappings(certificate: Certificate): readonly PolicyMapping[] {
  const items = listOf(certificate, EXTENSION.policyMappings) ?? []
  return bounded(items).map((item) => {
    const [issuer, subject] = childrenOf(item, TAG.sequence)
    return { issuer: readOid(issuer), subject: readOid(subject) }
  })
}

/** Counts of further certificates; null: that constraint is absent. */
export interface PolicyLimits {
  readonly requireExplicitPolicy: number | null
  readonly inhibitPolicyMapping: number | null
  readonly inhibitAnyPolicy: number | null
}

export function readPolicyLimits(certificate: Certificate): PolicyLimits {
  const fields = listOf(certificate, EXTENSION.policyConstraints) ?? []
  const count = (tag: number): number | null => {
    const field = fields.find((candidate) => candidate.tag === tag)
    return field === undefined ? null : readCount(field.content)
  }
  const any = certificate.extensions.get(EXTENSION.inhibitAnyPolicy)
  const inhibitAnyPolicy = any === undefined ? null : readCount(expect(decode(any.value), TAG.integer).content)
  return { requireExplicitPolicy: count(0x80), inhibitPolicyMapping: count(0x81), inhibitAnyPolicy }
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** @throws SigningError `signing/asn1-damaged` also for subtrees with a minimum or maximum (§4.2.1.10 forbids them) */
export function readNameConstraints(certificate: Certificate): NameConstraints | null {
  const fields = listOf(certificate, EXTENSION.nameConstraints)
  if (fields === null) return null
  const subtrees = (tag: number): GeneralName[] => {
    const field = fields.find((candidate) => candidate.tag === tag)
    return field === undefined ? [] : bounded(children(field)).map(readSubtree)
  }
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) }
}

function readSubtree(subtree: Element): GeneralName {
  const [base, ...distances] = childrenOf(subtree, TAG.sequence)
  if (base === undefined || distances.some(({ tag, content }) => tag !== 0x80 || !content.equals(ZERO)))
    throw new SigningError('signing/asn1-damaged', 'a name constraint has a distance')
  return readGeneralName(base)
}

export function readAlternativeNames(certificate: Certificate): readonly GeneralName[] {
  return (listOf(certificate, EXTENSION.subjectAltName) ?? []).map(readGeneralName)
}

export const REASONS = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const
export type ReasonFlag = (typeof REASONS)[number]

export interface DistributionPoint {
  /** full names; null: not given, or relative to the CRL issuer */
  readonly fullNames: readonly GeneralName[] | null
  /** the relative name; to be put below the name of the CRL issuer */
  readonly relativeName: Element | null
  /** null: all reasons */
  readonly reasons: ReadonlySet<ReasonFlag> | null
  /** null: the issuer of the certificate */
  readonly crlIssuer: readonly GeneralName[] | null
}

/** CRL distribution points (§4.2.1.13) or, with the same shape, those of the freshest CRL. */
export function readDistributionPoints(certificate: Certificate): readonly DistributionPoint[] {
  return bounded(listOf(certificate, EXTENSION.crlDistributionPoints) ?? []).map((point) => {
    const fields = new Map(childrenOf(point, TAG.sequence).map((field) => [field.tag, field]))
    const reasons = fields.get(0x81)
    const issuer = fields.get(0xa2)
    return {
      ...readPointName(fields.get(0xa0)),
      reasons: reasons === undefined ? null : readNamedBits(reasons.content, REASONS),
      crlIssuer: issuer === undefined ? null : children(issuer).map(readGeneralName),
    }
  })
}

/** DistributionPointName, inside its explicit tag. */
export function readPointName(wrapper: Element | undefined): Pick<DistributionPoint, 'fullNames' | 'relativeName'> {
  const [name] = wrapper === undefined ? [] : children(wrapper)
  if (name?.tag === 0xa0) return { fullNames: children(name).map(readGeneralName), relativeName: null }
  return { fullNames: null, relativeName: name?.tag === 0xa1 ? name : null }
}

/** All names of a distribution point; the relative one is completed by each of `issuers`. */
export function pointNames(
  point: Pick<DistributionPoint, 'fullNames' | 'relativeName'>,
  issuers: readonly Name[],
): readonly GeneralName[] | null {
  const { fullNames, relativeName } = point
  if (relativeName === null) return fullNames
  return issuers.map((issuer) => ({ kind: 'directory', name: extendName(issuer, relativeName) }))
}

function listOf(certificate: Certificate, id: string): Element[] | null {
  const extension: Extension | undefined = certificate.extensions.get(id)
  return extension === undefined ? null : childrenOf(decode(extension.value), TAG.sequence)
}

/** Real lists are short; a long one is an attack on the judgement, which compares lists with lists. */
function bounded<T>(list: T[]): T[] {
  if (list.length > MAX_ITEMS)
    throw new SigningError('signing/asn1-damaged', `an extension has more than ${MAX_ITEMS} items`)
  return list
}

const MAX_ITEMS = 1000
const ZERO = Buffer.from([0])
