/**
 * Canonical XML 1.0 without comments (https://www.w3.org/TR/2001/REC-xml-c14n-20010315), inclusive.
 *
 * One deliberate difference, the same as OSCI peers make: `xml:*` attributes of ancestors are not copied to the apex
 * (docs/divergences.md). Works on the tree of parse.ts; the apex is any element of it.
 */
import type { XmlAttribute } from './attributes.ts'
import type { XmlElement } from './parse.ts'

export const CANONICAL_XML = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'

export interface CanonicalOptions {
  /**
   * Namespaces that count as rendered already around the apex. Empty (the default) is the standard; the scope of the
   * parent leaves inherited declarations away, as OSCI digests a signed EncryptedData.
   */
  rendered?: ReadonlyMap<string, string>
  /** Write `>` in attribute values as `&gt;`, as the canonicaliser of OSCI's common library does. */
  escapeGreaterInAttributes?: boolean
}

/** The canonical octets of an element and all it contains, UTF-8. */
export function canonicalize(apex: XmlElement, options: CanonicalOptions = {}): Buffer {
  return Buffer.from(canonicalText(apex, options), 'utf8')
}

/** The canonical form as text. */
export function canonicalText(apex: XmlElement, options: CanonicalOptions = {}): string {
  const out: string[] = []
  const greater = options.escapeGreaterInAttributes === true
  // Own stack instead of recursion: depth is the sender's choice.
  const stack: { element: XmlElement; next: number; rendered: ReadonlyMap<string, string> }[] = []
  const enter = (element: XmlElement, rendered: ReadonlyMap<string, string>): void => {
    const now = openTag(out, element, rendered, greater)
    stack.push({ element, next: 0, rendered: now })
  }
  enter(apex, options.rendered ?? new Map<string, string>())
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const child = top.element.children[top.next++]
    if (child === undefined) {
      out.push(`</${qualified(top.element)}>`)
      stack.pop()
    } else if (typeof child === 'string') out.push(escapeText(child))
    else enter(child, top.rendered)
  }
  return out.join('')
}

function openTag(
  out: string[],
  element: XmlElement,
  rendered: ReadonlyMap<string, string>,
  greater: boolean,
): ReadonlyMap<string, string> {
  const fresh = [...element.scope].filter(([prefix, uri]) => (rendered.get(prefix) ?? '') !== uri)
  fresh.sort(([a], [b]) => compare(a, b))
  out.push('<', qualified(element))
  for (const [prefix, uri] of fresh) {
    out.push(prefix === '' ? ' xmlns="' : ` xmlns:${prefix}="`, escapeAttribute(uri, greater), '"')
  }
  const sorted = [...element.attributes].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.local, b.local))
  for (const a of sorted) out.push(` ${qualified(a)}="`, escapeAttribute(a.value, greater), '"')
  out.push('>')
  return fresh.length === 0 ? rendered : new Map([...rendered, ...fresh])
}

function qualified(name: XmlElement | XmlAttribute): string {
  return name.prefix === '' ? name.local : `${name.prefix}:${name.local}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Text as canonical XML writes it. */
export function escapeText(text: string): string {
  if (!/[&<>\r]/.test(text)) return text
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\r/g, '&#xD;')
}

/** An attribute value as canonical XML writes it. */
export function escapeAttribute(text: string, greater = false): string {
  if (!/[&<>"\t\n\r]/.test(text)) return text
  const escaped = text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/"/g, '&quot;')
    .replace(/\t/g, '&#x9;')
    .replace(/\n/g, '&#xA;')
    .replace(/\r/g, '&#xD;')
  return greater ? escaped.replace(/>/g, '&gt;') : escaped
}
