/**
 * The QualifyingProperties of a signature: what XAdES adds to it, signed and unsigned (ETSI EN 319 132-1 §4.3, §5).
 *
 * Only those that stand in a ds:Object of the signature and are not meant for another one count. Whether SignedProperties
 * are really signed is asked elsewhere.
 */
import { SigningError } from '../errors.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { attributeOf, childElements, isNamed, optionalChild } from '../xml/find.ts'
import { XADES141_NAMESPACE, XADES_LEGACY_NAMESPACES, XADES_NAMESPACE } from '../xml/namespaces.ts'
import type { IdIndex } from '../xml/ids.ts'
import type { XmlElement } from '../xml/tree.ts'

export interface Properties {
  element: XmlElement
  /** the ds:Object around them */
  object: XmlElement
  /** of the elements: 1.3.2, or an earlier version */
  namespace: string
  signed: XmlElement | null
  signedSignature: XmlElement | null
  signedData: XmlElement | null
  /** children of UnsignedSignatureProperties in document order */
  unsigned: readonly XmlElement[]
}

/**
 * The QualifyingProperties of this signature; null: none. A Target that names nothing is a slip of old programs; it is not
 * signed, and where the properties stand decides.
 *
 * @throws SigningError `signing/xml-malformed` more than one, those of another signature, or not after the schema
 */
export function readProperties(signature: DsigSignature, ids: IdIndex): Properties | null {
  const found = signature.objects.flatMap((object) =>
    object.children.flatMap((child) =>
      typeof child === 'object' && isQualifying(child) ? [{ object, element: child }] : [],
    ),
  )
  const [only, ...more] = found
  if (only === undefined) return null
  if (more.length > 0) throw malformed('QualifyingProperties twice')
  const target = attributeOf(only.element, 'Target')
  const named = target === null ? null : ids.find(target.replace(/^#/, ''))
  if (named !== null && named !== signature.element) throw malformed('the QualifyingProperties of another signature')
  return readParts(only.object, only.element)
}

function readParts(object: XmlElement, element: XmlElement): Properties {
  const { namespace } = element
  const signed = optionalChild(element, namespace, 'SignedProperties')
  const unsigned = optionalChild(element, namespace, 'UnsignedProperties')
  const list = unsigned && optionalChild(unsigned, namespace, 'UnsignedSignatureProperties')
  return {
    element,
    object,
    namespace,
    signed,
    signedSignature: signed && optionalChild(signed, namespace, 'SignedSignatureProperties'),
    signedData: signed && optionalChild(signed, namespace, 'SignedDataObjectProperties'),
    unsigned: list === null ? [] : childElements(list),
  }
}

/** Whether the element is called so in any version of XAdES. */
export function isXades(element: XmlElement, local: string): boolean {
  return element.local === local && XADES_NAMESPACES.has(element.namespace)
}

/** Children of this name, in any version of XAdES. */
export function xadesChildren(parent: XmlElement | null, local: string): XmlElement[] {
  return parent === null ? [] : childElements(parent).filter((child) => isXades(child, local))
}

/** The one child of this name, in any version. @throws SigningError `signing/xml-malformed` it stands there twice */
export function xadesChild(parent: XmlElement | null, local: string): XmlElement | null {
  const found = xadesChildren(parent, local)
  if (found.length > 1) throw malformed('a property twice')
  return found[0] ?? null
}

const isQualifying = (element: XmlElement): boolean =>
  isXades(element, 'QualifyingProperties') && !isNamed(element, XADES141_NAMESPACE, 'QualifyingProperties')

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `unexpected structure: ${what}`)
}

const XADES_NAMESPACES: ReadonlySet<string> = new Set([XADES_NAMESPACE, XADES141_NAMESPACE, ...XADES_LEGACY_NAMESPACES])
