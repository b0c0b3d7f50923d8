/**
 * What `#name` means in a signed document: exactly one element, or nothing.
 *
 * No schema is at hand, so identifiers are known by name: `Id` of ds and xades elements, xml:id, and `Id`, `ID`, `id` of
 * others. A name that stands twice, in whatever spelling of the attribute, is ambiguous and means nothing: two readers
 * could take two elements for the signed one (signature wrapping).
 */
import { XML_NAMESPACE } from './attributes.ts'
import type { XmlAttribute } from './attributes.ts'
import { DSIG_NAMESPACE, XADES141_NAMESPACE, XADES_LEGACY_NAMESPACES, XADES_NAMESPACE } from './namespaces.ts'
import type { XmlElement } from './tree.ts'

export interface IdIndex {
  find(id: string): XmlElement | 'ambiguous' | null
  /** elements of signature vocabularies whose identifier stands somewhere else, too, with all that bear it */
  readonly duplicates: ReadonlyMap<XmlElement, ReadonlySet<XmlElement>>
}

/** All identifiers of a document. */
export function indexIds(root: XmlElement): IdIndex {
  const found = new Map<string, XmlElement | Set<XmlElement>>()
  for (const element of elementsOf(root)) {
    for (const attribute of element.attributes) if (isId(attribute)) add(found, attribute.value, element)
  }
  const duplicates = new Map<XmlElement, ReadonlySet<XmlElement>>()
  for (const elements of found.values()) {
    if (elements instanceof Set)
      for (const element of elements) if (isSigned(element)) duplicates.set(element, elements)
  }
  const find = (id: string): XmlElement | 'ambiguous' | null => {
    const element = found.get(id)
    return element instanceof Set ? 'ambiguous' : (element ?? null)
  }
  return { find, duplicates }
}

/** An element and all elements in it, in document order. */
export function* elementsOf(root: XmlElement): Generator<XmlElement> {
  const stack = [root]
  for (let element = stack.pop(); element; element = stack.pop()) {
    yield element
    for (let at = element.children.length - 1; at >= 0; at--) {
      const child = element.children[at]
      if (typeof child === 'object') stack.push(child)
    }
  }
}

function add(found: Map<string, XmlElement | Set<XmlElement>>, id: string, element: XmlElement): void {
  const known = found.get(id)
  if (known === undefined) found.set(id, element)
  else if (known instanceof Set) known.add(element)
  else if (known !== element) found.set(id, new Set([known, element]))
}

function isId({ namespace, local }: XmlAttribute): boolean {
  return namespace === ''
    ? local === 'Id' || local === 'ID' || local === 'id'
    : namespace === XML_NAMESPACE && local === 'id'
}

const isSigned = ({ namespace }: XmlElement): boolean => VOCABULARIES.has(namespace)

const VOCABULARIES: ReadonlySet<string> = new Set([
  DSIG_NAMESPACE,
  XADES_NAMESPACE,
  XADES141_NAMESPACE,
  ...XADES_LEGACY_NAMESPACES,
])
