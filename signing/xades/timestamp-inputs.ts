/**
 * What each kind of time-stamp of XAdES is over (ETSI EN 319 132-1 §5.2.8, §5.3, §5.5.2, annex A.1.5; TS 101 903 §7, §8).
 *
 * Elements are canonicalised where they stand, in the order that the standard gives. An input that cannot be had, or is
 * described by explicit Include elements that are not followed, is null.
 */
import type { Hash } from 'node:crypto'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { createDigest } from '../trust/digest.ts'
import { attributeOf, childElements, isNamed } from '../xml/find.ts'
import type { CanonicalOptions } from '../xml/c14n.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { DSIG_NAMESPACE, XADES141_NAMESPACE } from '../xml/namespaces.ts'
import { elementOctets } from '../xml/references.ts'
import type { SignedDocument } from '../xml/references.ts'
import { DEFAULT_FORM, readCanonicalization } from '../xml/transforms.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { ReferenceOutcome } from './outcomes.ts'
import { isXades, xadesChildren } from './properties.ts'
import type { Properties } from './properties.ts'

/** A signature as its time-stamps see it. */
export interface StampedSignature {
  signature: DsigSignature
  properties: Properties
  outcomes: readonly ReferenceOutcome[]
  all: SignedDocument
}

type Part = XmlElement | ReferenceOutcome

/** Digest over the input of a time-stamp property. */
export type InputDigest = (digest: Digest) => Promise<Buffer>

/**
 * The inputs that a time-stamp property may be over, the usual one first; none: not at hand.
 *
 * @param property the element of the time-stamp; decides form and kind
 */
export function inputsOf(property: XmlElement, stamped: StampedSignature): InputDigest[] {
  const form = formOf(property)
  if (form === null) return []
  return partsOf(property, stamped).flatMap((parts) => digestOfParts(parts, form, stamped.all))
}

/** The input of an archive time-stamp that will stand behind all unsigned properties that are there now. */
export function nextArchiveInput(stamped: StampedSignature, form: CanonicalOptions): InputDigest | null {
  const [usual = []] = archiveParts(stamped, stamped.properties.unsigned)
  return digestOfParts(usual, form, stamped.all)[0] ?? null
}

/** The input of a signature time-stamp. */
export function valueInput({ valueElement }: DsigSignature, all: SignedDocument, form: CanonicalOptions): InputDigest {
  return async (digest) => {
    const hash = createDigest(digest)
    await feed(hash, valueElement, form, all)
    return hash.digest()
  }
}

function digestOfParts(parts: readonly Part[], form: CanonicalOptions, all: SignedDocument): InputDigest[] {
  if (parts.some((part) => 'feed' in part && part.feed === null)) return []
  const input: InputDigest = async (digest) => {
    const hash = createDigest(digest)
    for (const part of parts) await feed(hash, part, form, all)
    return hash.digest()
  }
  return [input]
}

async function feed(hash: Hash, part: Part, form: CanonicalOptions, all: SignedDocument): Promise<void> {
  if ('feed' in part) await part.feed?.(hash, form)
  else hash.update(elementOctets(part, form, all))
}

/** Canonical XML 1.0 where the property does not say (TS 101 903 §7.1.4.3). */
function formOf(property: XmlElement): CanonicalOptions | null {
  const method = childElements(property).find((child) => isNamed(child, DSIG_NAMESPACE, 'CanonicalizationMethod'))
  return method === undefined ? DEFAULT_FORM : readCanonicalization(method)
}

function partsOf(property: XmlElement, stamped: StampedSignature): Part[][] {
  const includes = xadesChildren(property, 'Include')
  if (property.local === 'IndividualDataObjectsTimeStamp') return includedData(includes, stamped)
  if (includes.length > 0) return []
  if (property.local === 'ArchiveTimeStamp') return archiveParts(stamped, precedingOf(property, stamped, null))
  const parts = INPUTS[property.local]?.(property, stamped)
  return parts === undefined ? [] : [parts]
}

const INPUTS: Readonly<Record<string, (property: XmlElement, stamped: StampedSignature) => Part[]>> = {
  AllDataObjectsTimeStamp: (_, stamped) => dataOf(stamped),
  SignatureTimeStamp: (_, { signature }) => [signature.valueElement],
  SigAndRefsTimeStamp: sigAndRefs,
  SigAndRefsTimeStampV2: sigAndRefs,
  RefsOnlyTimeStamp: (property, stamped) => precedingOf(property, stamped, REFERENCE_PROPERTIES),
  RefsOnlyTimeStampV2: (property, stamped) => precedingOf(property, stamped, REFERENCE_PROPERTIES),
}

/** All references but the one to the signed properties. */
function dataOf({ outcomes, properties }: StampedSignature): ReferenceOutcome[] {
  return outcomes.filter(({ node }) => node === null || node !== properties.signed)
}

function includedData(includes: readonly XmlElement[], { outcomes }: StampedSignature): Part[][] {
  const found = includes.map((include) => {
    const uri = attributeOf(include, 'URI') ?? ''
    return outcomes.find(({ reference }) => reference.id !== null && uri === `#${reference.id}`)
  })
  return found.length === 0 || found.includes(undefined) ? [] : [found.filter((item) => item !== undefined)]
}

function sigAndRefs(property: XmlElement, stamped: StampedSignature): Part[] {
  const names = new Set([...REFERENCE_PROPERTIES, 'SignatureTimeStamp'])
  return [stamped.signature.valueElement, ...precedingOf(property, stamped, names)]
}

/**
 * EN 319 132-1 §5.5.2.2: data, SignedInfo, SignatureValue, KeyInfo, earlier unsigned properties, other objects. Objects
 * that references cover already are taken once more by some programs and left out by others; both cover everything.
 */
function archiveParts(
  { signature, properties, outcomes }: StampedSignature,
  unsigned: readonly XmlElement[],
): Part[][] {
  const { signedInfo, valueElement, keyInfo } = signature
  const before = [...outcomes, signedInfo, valueElement, ...(keyInfo === null ? [] : [keyInfo]), ...unsigned]
  const objects = signature.objects.filter((object) => object !== properties.object)
  const referenced = new Set(outcomes.map(({ node }) => node))
  const others = objects.filter((object) => !referenced.has(object))
  const usual = [...before, ...objects]
  return others.length === objects.length ? [usual] : [usual, [...before, ...others]]
}

/** Unsigned properties before this one, all or those of these names. */
export function precedingOf(
  property: XmlElement,
  { properties }: Pick<StampedSignature, 'properties'>,
  names: ReadonlySet<string> | null,
): XmlElement[] {
  const at = properties.unsigned.indexOf(property)
  const before = at === -1 ? [] : properties.unsigned.slice(0, at)
  return names === null
    ? before
    : before.filter((element) => names.has(element.local) && isXades(element, element.local))
}

/** An archive time-stamp of the form of version 1.3.2, which the baseline does not have. */
export const isOldArchive = (property: XmlElement): boolean =>
  property.local === 'ArchiveTimeStamp' && property.namespace !== XADES141_NAMESPACE

/** Old properties that name certificates and revocation data instead of holding them. */
export const REFERENCE_PROPERTIES: ReadonlySet<string> = new Set([
  'CompleteCertificateRefs',
  'CompleteCertificateRefsV2',
  'CompleteRevocationRefs',
  'AttributeCertificateRefs',
  'AttributeCertificateRefsV2',
  'AttributeRevocationRefs',
])
