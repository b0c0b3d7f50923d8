/**
 * Attributes of the xml namespace that the apex of a canonical subset takes over from its ancestors.
 *
 * Canonical XML 1.0 §2.4: all of them, the nearest of each name. Canonical XML 1.1 §2.4: xml:lang and xml:space so,
 * xml:id never, xml:base as one address made of those of all ancestors (appendix A).
 */
import { XML_NAMESPACE } from './attributes.ts'
import type { XmlAttribute } from './attributes.ts'
import type { XmlElement } from './tree.ts'

/** What stands on the apex itself is not repeated. */
export function inheritedXmlAttributes(apex: XmlElement, version: 'none' | '1.0' | '1.1'): XmlAttribute[] {
  if (version === 'none') return []
  const found = new Map<string, XmlAttribute>()
  const own = new Set(apex.attributes.filter(isXml).map(({ local }) => local))
  for (let at = apex.parent; at; at = at.parent) {
    for (const attribute of at.attributes) {
      const { local } = attribute
      if (!isXml(attribute) || own.has(local) || found.has(local)) continue
      if (version === '1.0' || local === 'lang' || local === 'space') found.set(local, attribute)
    }
  }
  return [...found.values()]
}

/**
 * Whether Canonical XML 1.1 would have to join addresses: xml:base above the apex. This program does not, and refuses
 * such a subset.
 */
export function needsBaseFixup(apex: XmlElement): boolean {
  for (let at = apex.parent; at; at = at.parent) {
    if (at.attributes.some((attribute) => isXml(attribute) && attribute.local === 'base')) return true
  }
  return false
}

const isXml = ({ namespace }: XmlAttribute): boolean => namespace === XML_NAMESPACE
