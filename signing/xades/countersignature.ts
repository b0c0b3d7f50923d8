/**
 * Which signature a counter-signature is over: the one whose unsigned property it is, or the one whose value it references
 * by type (ETSI EN 319 132-1 §5.2.7).
 */
import { childElements, isNamed } from '../xml/find.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import type { XmlElement } from '../xml/tree.ts'
import { isXades } from './properties.ts'

/** null: it signs data. @param ids of all signatures of the document */
export function countersignedBy(
  signature: XmlElement,
  ids: ReadonlyMap<XmlElement, string>,
): { id: string; valueElement: XmlElement } | null {
  if (signature.parent === null || !isXades(signature.parent, 'CounterSignature')) return null
  for (let at: XmlElement | null = signature.parent.parent; at; at = at.parent) {
    const id = ids.get(at)
    const valueElement =
      id === undefined ? undefined : childElements(at).find((child) => isNamed(child, DSIG_NAMESPACE, 'SignatureValue'))
    if (id !== undefined) return valueElement === undefined ? null : { id, valueElement }
  }
  return null
}
