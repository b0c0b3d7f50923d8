/**
 * Everything that can serve as evidence or be proven by a time-stamp inside a SignedData: certificates, CRLs, OCSP
 * answers, time-stamp tokens with what is in them, values of counter-signatures.
 *
 * Reads leniently, because nothing here is trusted: what cannot be read is not there.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { TAG } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { objectId } from '../validation/object-id.ts'
import { readAttributes, readSignedData, readSigner, signedAttributesOf } from './container.ts'
import type { Attribute, SignedDataParts, SignerParts } from './container.ts'
import { readChoice } from './evidence.ts'
import { ATTRIBUTE, TOKEN_ATTRIBUTES } from './oids.ts'

export interface CarriedObject {
  /** `value`: octets of a signature value */
  kind: 'certificate' | 'crl' | 'ocsp' | 'token' | 'value'
  /** as received */
  bytes: Buffer
}

/** All of a SignedData and what is nested in it. */
export function objectsIn(parts: SignedDataParts, depth = 0): CarriedObject[] {
  return [
    ...parts.certificates.map(certificateObject),
    ...parts.crls.flatMap((choice) => readChoice(choice) ?? []),
    ...parts.signers.flatMap((signer) => objectsOfSigner(signer, depth)),
  ]
}

/** Of one signer: what its attributes carry. */
function objectsOfSigner(signer: SignerParts, depth: number): CarriedObject[] {
  const attributes = readable(() => [...signedAttributesOf(signer), ...readAttributes(signer.unsignedAttributes)])
  return attributes.flatMap((attribute) => objectsInAttribute(attribute, depth))
}

/** What the values of one attribute carry. */
export function objectsInAttribute({ type, values }: Attribute, depth = 0): CarriedObject[] {
  if (depth > MAX_DEPTH) return []
  if (TOKEN_ATTRIBUTES.has(type)) return values.flatMap((value) => objectsInToken(value, depth + 1))
  switch (type) {
    case ATTRIBUTE.countersignature:
      return values.flatMap((value) =>
        readable(() => {
          const signer = readSigner(readBer(value))
          return [{ kind: 'value', bytes: signer.value }, ...objectsOfSigner(signer, depth + 1)]
        }),
      )
    case ATTRIBUTE.certificateValues:
      return values.flatMap((value) =>
        readable(() => berChildren(readBer(value), TAG.sequence).map(({ encoding }) => certificateObject(encoding))),
      )
    case ATTRIBUTE.revocationValues:
    case ATTRIBUTE.adobeRevocationInfo:
      return values.flatMap((value) => readable(() => revocationLists(readBer(value))))
    default:
      return []
  }
}

/** A token and what is inside it; only its own bytes when it cannot be read. */
export function objectsInToken(bytes: Buffer, depth = 0): CarriedObject[] {
  return [{ kind: 'token', bytes }, ...readable(() => objectsIn(readSignedData(bytes), depth))]
}

/** RevocationValues and Adobe's attribute have the same form: CRLs [0], OCSP answers [1] (EN 319 122-1 §A.1.2.2). */
function revocationLists(element: Element): CarriedObject[] {
  return berChildren(element, TAG.sequence).flatMap((part) => {
    const kind = part.tag === 0xa0 ? 'crl' : part.tag === 0xa1 ? 'ocsp' : null
    if (kind === null) return []
    const [list] = berChildren(part, part.tag)
    return berChildren(list, TAG.sequence).map(({ encoding }) => ({ kind, bytes: encoding }))
  })
}

/** The evidence among these, each once. */
export function evidenceOf(objects: readonly CarriedObject[]): Evidence {
  const of = (kind: CarriedObject['kind']): Buffer[] => [
    ...new Map(objects.filter((item) => item.kind === kind).map(({ bytes }) => [objectId(bytes), bytes])).values(),
  ]
  return { certificates: of('certificate'), crls: of('crl'), ocsps: of('ocsp') }
}

/** Several pieces of evidence as one, each object once. */
export function joinEvidence(pieces: readonly Evidence[]): Evidence {
  return evidenceOf(
    pieces.flatMap(({ certificates, crls, ocsps }) => [
      ...certificates.map(certificateObject),
      ...crls.map((bytes) => ({ kind: 'crl' as const, bytes })),
      ...ocsps.map((bytes) => ({ kind: 'ocsp' as const, bytes })),
    ]),
  )
}

/** Names of these objects, as time-stamps prove them. */
export function idsOf(objects: readonly CarriedObject[]): string[] {
  return objects.map(({ bytes }) => objectId(bytes))
}

const certificateObject = (bytes: Buffer): CarriedObject => ({ kind: 'certificate', bytes })

function readable<T>(read: () => T[]): T[] {
  try {
    return read()
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

/** tokens in tokens, counter-signatures of counter-signatures */
const MAX_DEPTH = 8
