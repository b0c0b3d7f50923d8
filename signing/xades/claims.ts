/**
 * What the signer says in the signed properties: time, place, commitments, policy (ETSI EN 319 132-1 §5.2).
 */
import { childElements } from '../xml/find.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { ClaimedFacts } from '../validation/facts.ts'
import { xadesChild, xadesChildren } from './properties.ts'
import type { Properties } from './properties.ts'

export const NO_CLAIMS: ClaimedFacts = { time: null, reason: null, location: null, commitments: [], policy: null }

/** @throws SigningError `signing/xml-malformed` a property that stands there twice */
export function readClaims({ signedSignature, signedData }: Properties): ClaimedFacts {
  const time = xadesChild(signedSignature, 'SigningTime')
  const place =
    xadesChild(signedSignature, 'SignatureProductionPlaceV2') ?? xadesChild(signedSignature, 'SignatureProductionPlace')
  const parts =
    place === null
      ? []
      : childElements(place)
          .map(plainText)
          .filter((text) => text !== '')
  return {
    time: time === null ? null : readTime(plainText(time)),
    reason: null,
    location: parts.length === 0 ? null : parts.join(', ').slice(0, MAX_TEXT),
    commitments: xadesChildren(signedData, 'CommitmentTypeIndication').flatMap((item) =>
      identifierOf(xadesChild(item, 'CommitmentTypeId')),
    ),
    policy: readPolicy(signedSignature),
  }
}

/** A policy that is only implied names nothing that could be followed. */
function readPolicy(signedSignature: XmlElement | null): string | null {
  const explicit = xadesChild(xadesChild(signedSignature, 'SignaturePolicyIdentifier'), 'SignaturePolicyId')
  if (explicit === null) return null
  return identifierOf(xadesChild(explicit, 'SigPolicyId'))[0] ?? 'unnamed'
}

/** Object identifiers without the URN around them. */
function identifierOf(parent: XmlElement | null): string[] {
  const element = xadesChild(parent, 'Identifier')
  return element === null
    ? []
    : [
        plainText(element)
          .replace(/^urn:oid:/i, '')
          .slice(0, MAX_TEXT),
      ]
}

/** xsd:dateTime; without a zone it is the local time of nobody. */
function readTime(text: string): Date | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match === null) return null
  const time = new Date(`${match[1]}${(match[2] ?? '').slice(0, 4)}${match[3]}`)
  return Number.isNaN(time.getTime()) ? null : time
}

/** The text right inside an element; what is nested is somebody else's. */
export function plainText(element: XmlElement): string {
  return element.children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim()
}

const MAX_TEXT = 500
