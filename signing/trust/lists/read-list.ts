/**
 * Reads a trusted list or the list of the lists (ETSI TS 119 612 versions 5 and 6 of the format, and older ones).
 *
 * Strict about the frame, lenient about what it does not need: foreign services and extensions are no fault of a list.
 * Whether the list is genuine is not asked here.
 */
import { readOrNull } from '../../errors.ts'
import { isNamed } from '../../xml/find.ts'
import { parseXml } from '../../xml/parse.ts'
import type { XmlElement } from '../../xml/parse.ts'
import { ADDITIONAL_NAMESPACE, TSL_NAMESPACE, TSL_TAG, shortUri } from './uris.ts'
import { all, certificatesOf, dateTime, elementsOf, englishName, malformed, needed, one } from './fields.ts'
import { plainText, wholeNumber } from './fields.ts'
import type { ListPointer, ListedService, TrustedList } from './model.ts'
import { readService } from './read-service.ts'

/** Real lists have up to 4 MB. */
export const LIST_LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 64, maxElements: 400_000 } as const

/**
 * Parses the bytes of a list.
 *
 * @throws SigningError `signing/xml-malformed`, `signing/xml-forbidden`, `signing/xml-too-large`
 */
export function parseTrustedList(bytes: Uint8Array): TrustedList {
  return readTrustedList(parseXml(bytes, LIST_LIMITS))
}

/** The list in these bytes; null when they are none. Nothing of it is believed yet. */
export function parseTrustedListOrNull(bytes: Uint8Array): TrustedList | null {
  return readOrNull(() => parseTrustedList(bytes))
}

/** @throws SigningError `signing/xml-malformed` */
export function readTrustedList(root: XmlElement): TrustedList {
  if (!isNamed(root, TSL_NAMESPACE, 'TrustServiceStatusList')) throw malformed('another root element')
  if (!root.attributes.some(({ local, value }) => local === 'TSLTag' && value === TSL_TAG))
    throw malformed('another tag')
  const scheme = needed(root, 'SchemeInformation')
  const next = one(one(scheme, 'NextUpdate'), 'dateTime')
  return {
    version: wholeNumber(needed(scheme, 'TSLVersionIdentifier')),
    sequence: wholeNumber(needed(scheme, 'TSLSequenceNumber')),
    type: shortUri(plainText(needed(scheme, 'TSLType'))),
    territory: plainText(needed(scheme, 'SchemeTerritory')).toUpperCase(),
    operator: englishName(one(scheme, 'SchemeOperatorName')),
    issuedAt: dateTime(needed(scheme, 'ListIssueDateTime')),
    nextUpdate: next === null ? null : dateTime(next),
    information: all(one(scheme, 'SchemeInformationURI'), 'URI').map(plainText),
    pointers: all(one(scheme, 'PointersToOtherTSL'), 'OtherTSLPointer').map(readPointer),
    services: all(one(root, 'TrustServiceProviderList'), 'TrustServiceProvider').flatMap(readProvider),
  }
}

function readProvider(provider: XmlElement): ListedService[] {
  const name = englishName(one(one(provider, 'TSPInformation'), 'TSPName'))
  return all(one(provider, 'TSPServices'), 'TSPService').flatMap((service) => readService(service, name) ?? [])
}

function readPointer(pointer: XmlElement): ListPointer {
  const extras = all(one(pointer, 'AdditionalInformation'), 'OtherInformation').flatMap(elementsOf)
  const extra = (local: string, namespace = TSL_NAMESPACE): XmlElement | null =>
    extras.find((element) => isNamed(element, namespace, local)) ?? null
  const identities = all(one(pointer, 'ServiceDigitalIdentities'), 'ServiceDigitalIdentity')
  return {
    location: plainText(one(pointer, 'TSLLocation')),
    type: shortUri(plainText(extra('TSLType'))),
    territory: plainText(extra('SchemeTerritory')).toUpperCase(),
    mimeType: plainText(extra('MimeType', ADDITIONAL_NAMESPACE)),
    rules: all(extra('SchemeTypeCommunityRules'), 'URI').map(plainText),
    certificates: identities.flatMap(certificatesOf),
  }
}
