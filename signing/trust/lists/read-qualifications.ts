/**
 * The Qualifications extension: which certificates of a service are more or less than they say (ETSI TS 119 612 §5.5.9.2).
 */
import { attributeOf, isNamed } from '../../xml/find.ts'
import type { XmlElement } from '../../xml/parse.ts'
import { KEY_USAGE_BITS } from '../certificate.ts'
import type { KeyUsageBit } from '../certificate.ts'
import { elementsOf, malformed, plainText } from './fields.ts'
import type { Criterion, Qualification } from './model.ts'
import { ADDITIONAL_NAMESPACE, QUALIFICATIONS_NAMESPACE, shortUri } from './uris.ts'

/** @throws SigningError `signing/xml-malformed` */
export function readQualifications(extension: XmlElement): Qualification[] {
  return named(extension, 'QualificationElement').map((element) => {
    const qualifiers = named(element, 'Qualifiers').flatMap((list) => named(list, 'Qualifier'))
    const [criteria, ...more] = named(element, 'CriteriaList')
    if (criteria === undefined || more.length > 0) throw malformed('a qualification without one list of criteria')
    return {
      qualifiers: qualifiers.map((qualifier) => shortUri(attributeOf(qualifier, 'uri') ?? '')),
      criteria: readList(criteria),
    }
  })
}

function readList(list: XmlElement): Criterion {
  const assert = attributeOf(list, 'assert') ?? 'all'
  const criteria = elementsOf(list).flatMap(readCriterion)
  if (assert !== 'all' && assert !== 'atLeastOne' && assert !== 'none') return { kind: 'unknown', name: 'assert' }
  return { kind: 'list', assert, criteria }
}

// recursion is bounded by the depth that the parser allows
function readCriterion(element: XmlElement): Criterion[] {
  if (element.namespace === QUALIFICATIONS_NAMESPACE) {
    switch (element.local) {
      case 'Description':
        return []
      case 'CriteriaList':
        return [readList(element)]
      case 'KeyUsage':
        return [readKeyUsage(element)]
      case 'PolicySet':
        return [{ kind: 'policies', ids: named(element, 'PolicyIdentifier').map(readIdentifier) }]
      case 'otherCriteriaList':
        return elementsOf(element).map(readOtherCriterion)
    }
  }
  return [{ kind: 'unknown', name: element.local }]
}

/** §5.5.9.2.2.3 */
function readOtherCriterion(element: XmlElement): Criterion {
  const ids = elementsOf(element).map(readIdentifier)
  if (isNamed(element, ADDITIONAL_NAMESPACE, 'ExtendedKeyUsage')) return { kind: 'purposes', ids }
  if (isNamed(element, ADDITIONAL_NAMESPACE, 'CertSubjectDNAttribute')) return { kind: 'subject-attributes', ids }
  return { kind: 'unknown', name: element.local }
}

function readKeyUsage(element: XmlElement): Criterion {
  const bits = new Map<KeyUsageBit, boolean>()
  for (const bit of named(element, 'KeyUsageBit')) {
    const name = attributeOf(bit, 'name')?.toLowerCase()
    const known = KEY_USAGE_BITS.find((candidate) => candidate.toLowerCase() === name)
    const value = plainText(bit)
    if (known === undefined || !BOOLEANS.has(value)) return { kind: 'unknown', name: 'KeyUsage' }
    bits.set(known, value === 'true' || value === '1')
  }
  return { kind: 'key-usage', bits }
}

/** xades:ObjectIdentifierType: dotted, or as URN (RFC 3061). */
function readIdentifier(element: XmlElement): string {
  const identifier = elementsOf(element).find(({ local }) => local === 'Identifier')
  const text = identifier === undefined ? '' : plainText(identifier)
  return text.replace(/^urn:oid:/i, '')
}

function named(element: XmlElement, local: string): XmlElement[] {
  return elementsOf(element).filter((child) => isNamed(child, QUALIFICATIONS_NAMESPACE, local))
}

const BOOLEANS: ReadonlySet<string> = new Set(['true', 'false', '1', '0'])
