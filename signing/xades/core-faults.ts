/**
 * Core validation of a signature without its value: references, identifiers, and whether its properties are its own and
 * signed (XML Signature 1.1 §3.2, ETSI EN 319 132-1 §4.4, signature wrapping).
 */
import type { SignatureFault, SignatureFaultCode } from '../validation/facts.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { isNamed } from '../xml/find.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import type { SignedDocument } from '../xml/references.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { ReferenceOutcome, ReferenceStatus } from './outcomes.ts'
import { isXades } from './properties.ts'
import type { Properties } from './properties.ts'

export interface CoreReading {
  faults: SignatureFault[]
  /** the signed properties are covered by a reference to exactly this element */
  areSigned: boolean
}

export interface CoreQuestion {
  signature: DsigSignature
  properties: Properties | null
  outcomes: readonly ReferenceOutcome[]
  all: SignedDocument
  /** the SignatureValue that this one must sign; null: it is no counter-signature */
  countersigned: XmlElement | null
}

export function coreFaults(question: CoreQuestion): CoreReading {
  const { outcomes, properties, countersigned } = question
  const faults = [...identifierFaults(question), ...outcomes.flatMap(faultOf), ...placeFaults(question)]
  const areSigned = properties?.signed != null && isCovered(properties.signed, outcomes)
  if (countersigned !== null && !isCovered(countersigned, outcomes))
    faults.push({ code: 'digest', detail: 'a counter-signature over something other than the value around it' })
  if (areSigned) return { faults, areSigned }
  // a reference that says it means signed properties, and others than those that a reader would take
  const isWrapped = outcomes.some(
    ({ reference, node, status }) =>
      isProperties(reference.type) && status === 'fits' && node !== null && isXades(node, 'SignedProperties'),
  )
  if (isWrapped) faults.push({ code: 'data-missing', detail: 'the signed properties are not those of this signature' })
  return { faults, areSigned }
}

/**
 * What a reference calls an object of the signature must be one (XML Signature 1.1 §4.5), where every reader looks for it;
 * and something must be signed beside properties and key.
 */
function placeFaults({ signature, properties, outcomes }: CoreQuestion): SignatureFault[] {
  const faults: SignatureFault[] = []
  const isMoved = outcomes.some(
    ({ reference, node, place }) =>
      reference.type === OBJECT_TYPE && place === 'element' && !signature.objects.some((object) => object === node),
  )
  if (isMoved) faults.push({ code: 'data-missing', detail: 'a signed object is not where objects stand' })
  const isData = ({ reference, node }: ReferenceOutcome): boolean =>
    !isProperties(reference.type) && (node === null || (node !== properties?.signed && node !== signature.keyInfo))
  if (!outcomes.some(isData)) faults.push({ code: 'data-missing', detail: 'no data are signed' })
  return faults
}

/** A reference to the element itself, whole: canonicalised and nothing else. */
function isCovered(element: XmlElement, outcomes: readonly ReferenceOutcome[]): boolean {
  return outcomes.some(
    ({ node, reference }) => node === element && reference.steps?.every(({ kind }) => kind === 'c14n') === true,
  )
}

/**
 * Identifiers of a signature must be its own. Other signatures may number their references and time-stamps alike: nothing
 * is looked up by those, and a reference to such an identifier is refused anyway.
 */
function identifierFaults({ signature, all }: CoreQuestion): SignatureFault[] {
  const isDouble = [...all.ids.duplicates].some(
    ([element, bearers]) =>
      isWithin(element, signature.element) &&
      !(isOnlyNumbered(element) && [...bearers].every((other) => other === element || isElsewhere(other, element))),
  )
  return isDouble ? [{ code: 'format', detail: 'an identifier of the signature stands twice' }] : []
}

const isOnlyNumbered = (element: XmlElement): boolean =>
  isNamed(element, DSIG_NAMESPACE, 'Reference') || element.local.endsWith('TimeStamp')

/** Of the same kind, in a signature beside that of `element`. */
function isElsewhere(other: XmlElement, element: XmlElement): boolean {
  const [own, its] = [signatureAround(element), signatureAround(other)]
  return other.local === element.local && its !== null && own !== null && !isWithin(its, own) && !isWithin(own, its)
}

function signatureAround(element: XmlElement): XmlElement | null {
  for (let at: XmlElement | null = element; at; at = at.parent) if (isNamed(at, DSIG_NAMESPACE, 'Signature')) return at
  return null
}

function isWithin(element: XmlElement, ancestor: XmlElement): boolean {
  for (let at: XmlElement | null = element; at; at = at.parent) if (at === ancestor) return true
  return false
}

function faultOf({ status, detail }: ReferenceOutcome): SignatureFault[] {
  const code = CODES[status]
  return code === null ? [] : [{ code, detail }]
}

const isProperties = (type: string | null): boolean =>
  type !== null && /^http:\/\/uri\.etsi\.org\/01903(\/v1\.\d\.\d)?#SignedProperties$/.test(type)

const OBJECT_TYPE = `${DSIG_NAMESPACE}Object`

const CODES: Readonly<Record<ReferenceStatus, SignatureFaultCode | null>> = {
  fits: null,
  digest: 'digest',
  missing: 'data-missing',
  ambiguous: 'format',
  refused: 'constraints',
  algorithm: 'algorithm',
}
