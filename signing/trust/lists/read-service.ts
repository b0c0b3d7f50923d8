/**
 * One service of a trusted list with its present and its former states (ETSI TS 119 612 §5.5 and §5.6).
 */
import { SigningError } from '../../errors.ts'
import { attributeOf, isNamed } from '../../xml/find.ts'
import type { XmlElement } from '../../xml/parse.ts'
import { ADDITIONAL_NAMESPACE, QUALIFICATIONS_NAMESPACE, TSL_NAMESPACE, shortUri } from './uris.ts'
import { all, certificatesOf, dateTime, elementsOf, englishName, needed, one, plainText } from './fields.ts'
import type { ListedService, Qualification, ServiceScope, ServiceState } from './model.ts'
import { readQualifications } from './read-qualifications.ts'

/** Null: the entry contradicts the schema, so it says nothing about anybody. */
export function readService(service: XmlElement, provider: string): ListedService | null {
  try {
    const current = needed(service, 'ServiceInformation')
    const past = all(one(service, 'ServiceHistory'), 'ServiceHistoryInstance')
    const identities = [current, ...past].map((state) => one(state, 'ServiceDigitalIdentity'))
    // stable: of two states that begin together, the one that the list names first is the later one
    const states = [current, ...past].map(readState).sort((a, b) => b.from.getTime() - a.from.getTime())
    return {
      provider,
      name: englishName(one(current, 'ServiceName')),
      certificates: [...new Set(identities.flatMap(certificatesOf))],
      keyIdentifiers: new Set(identities.flatMap(keyIdentifiersOf)),
      states,
    }
  } catch (error) {
    if (error instanceof SigningError) return null
    throw error
  }
}

function readState(state: XmlElement): ServiceState {
  const extensions = readExtensions(one(state, 'ServiceInformationExtensions'))
  return {
    type: shortUri(plainText(needed(state, 'ServiceTypeIdentifier'))),
    status: shortUri(plainText(needed(state, 'ServiceStatus'))),
    from: dateTime(needed(state, 'StatusStartingTime')),
    ...extensions,
  }
}

function keyIdentifiersOf(identity: XmlElement | null): string[] {
  const texts = all(identity, 'DigitalId').flatMap((id) => all(id, 'X509SKI').map(plainText))
  return texts.map((text) => Buffer.from(text, 'base64').toString('hex'))
}

type Extensions = Pick<ServiceState, 'scopes' | 'qualifications' | 'unknownExtension'>

function readExtensions(list: XmlElement | null): Extensions {
  const scopes = new Set<ServiceScope>()
  const qualifications: Qualification[] = []
  let unknownExtension: string | null = null
  for (const extension of all(list, 'Extension')) {
    for (const content of elementsOf(extension)) {
      if (isNamed(content, TSL_NAMESPACE, 'AdditionalServiceInformation')) {
        const scope = SCOPES.get(shortUri(plainText(one(content, 'URI'))))
        if (scope !== undefined) scopes.add(scope)
      } else if (isNamed(content, QUALIFICATIONS_NAMESPACE, 'Qualifications'))
        qualifications.push(...readQualifications(content))
      else if (isCritical(extension) && !isHarmless(content)) unknownExtension = content.local
    }
  }
  return { scopes, qualifications, unknownExtension }
}

/** §5.5.9: a critical extension must be understood by whoever uses the state. */
function isCritical(extension: XmlElement): boolean {
  const value = attributeOf(extension, 'Critical')
  return value !== 'false' && value !== '0'
}

/** Known, and without bearing on a qualification: who took a service over (§5.5.9.3), how long it answers (§5.5.9.1). */
function isHarmless(element: XmlElement): boolean {
  return (
    isNamed(element, ADDITIONAL_NAMESPACE, 'TakenOverBy') ||
    isNamed(element, TSL_NAMESPACE, 'ExpiredCertsRevocationInfo')
  )
}

/** §5.5.9.4 */
const SCOPES: ReadonlyMap<string, ServiceScope> = new Map<string, ServiceScope>([
  ['ForeSignatures', 'esign'],
  ['ForeSeals', 'eseal'],
  ['ForWebSiteAuthentication', 'web'],
])
