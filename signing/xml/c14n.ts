/**
 * Canonical XML of elements in their document: Canonical XML 1.0 (REC-xml-c14n-20010315) and 1.1 (REC-xml-c14n11-20080502),
 * Exclusive XML Canonicalization 1.0 (REC-xml-exc-c14n-20020718), each with and without comments.
 *
 * Works in place on the tree of parse.ts: the namespace context is that of the document. A subset is an element with all
 * that it contains, apart from whole elements that are left out.
 */
import type { XmlAttribute } from './attributes.ts'
import { compareCharacters } from './characters.ts'
import { NamespaceWriter } from './namespace-writer.ts'
import type { XmlAside, XmlDocument, XmlElement } from './tree.ts'
import { inheritedXmlAttributes } from './xml-attributes.ts'

export const CANONICAL_XML = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'

export interface CanonicalOptions {
  /**
   * Namespaces that count as rendered already around the apex. Empty (the default) is the standard; the scope of the
   * parent leaves inherited declarations away, as OSCI digests a signed EncryptedData.
   */
  rendered?: ReadonlyMap<string, string>
  /** Write `>` in attribute values as `&gt;`, as the canonicaliser of OSCI's common library does. */
  escapeGreaterInAttributes?: boolean
  /** exclusive, with the prefixes of InclusiveNamespaces ('' for `#default`); absent: inclusive */
  exclusive?: ReadonlySet<string>
  comments?: boolean
  /**
   * Attributes `xml:*` of ancestors that an inclusive form copies to the apex. The default `none` is what OSCI peers do
   * (docs/divergences.md); the standards say `1.0` and `1.1`.
   */
  xmlAttributes?: 'none' | '1.0' | '1.1'
  /** elements that are left out with all that they contain */
  without?: ReadonlySet<XmlElement>
}

/** The canonical octets of an element and all it contains, UTF-8. */
export function canonicalize(apex: XmlElement, options: CanonicalOptions = {}): Buffer {
  return Buffer.from(canonicalText(apex, options), 'utf8')
}

/** The canonical octets of a document, with the comments and instructions around its root element. */
export function canonicalizeDocument({ root, before, after }: XmlDocument, options: CanonicalOptions): Buffer {
  const kept = (aside: XmlAside): boolean => isKept(aside, options)
  const parts = [
    ...before.filter(kept).map(({ markup }) => `${markup}\n`),
    canonicalText(root, options),
    ...after.filter(kept).map(({ markup }) => `\n${markup}`),
  ]
  return Buffer.from(parts.join(''), 'utf8')
}

/** The canonical form as text. */
export function canonicalText(apex: XmlElement, options: CanonicalOptions = {}): string {
  if (options.without?.has(apex) === true) return ''
  const out: string[] = []
  const namespaces = new NamespaceWriter(options.rendered, options.exclusive)
  // Own stack instead of recursion: depth is the sender's choice.
  const stack: { element: XmlElement; next: number; aside: number }[] = []
  const enter = (element: XmlElement): void => {
    const attributes = element === apex ? [...element.attributes, ...inherited(apex, options)] : element.attributes
    openTag(out, element, namespaces.enter(element), {
      attributes,
      greater: options.escapeGreaterInAttributes === true,
    })
    stack.push({ element, next: 0, aside: 0 })
  }
  enter(apex)
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { element } = top
    const aside = element.asides[top.aside]
    if (aside?.before === top.next) {
      if (isKept(aside, options)) out.push(aside.markup)
      top.aside += 1
      continue
    }
    const child = element.children[top.next++]
    if (child === undefined) {
      out.push(`</${qualified(element)}>`)
      namespaces.leave()
      stack.pop()
    } else if (typeof child === 'string') out.push(escapeText(child))
    else if (options.without?.has(child) !== true) enter(child)
  }
  return out.join('')
}

const isKept = ({ kind }: XmlAside, { comments }: CanonicalOptions): boolean =>
  kind === 'instruction' || comments === true

function inherited(apex: XmlElement, { exclusive, xmlAttributes = 'none' }: CanonicalOptions): XmlAttribute[] {
  return exclusive ? [] : inheritedXmlAttributes(apex, xmlAttributes)
}

function openTag(
  out: string[],
  element: XmlElement,
  fresh: readonly (readonly [prefix: string, uri: string])[],
  { attributes, greater }: { attributes: readonly XmlAttribute[]; greater: boolean },
): void {
  out.push('<', qualified(element))
  for (const [prefix, uri] of fresh) {
    out.push(prefix === '' ? ' xmlns="' : ` xmlns:${prefix}="`, escapeAttribute(uri, greater), '"')
  }
  for (const a of sorted(attributes)) out.push(` ${qualified(a)}="`, escapeAttribute(a.value, greater), '"')
  out.push('>')
}

/** Many references may lead to one element: its attributes are sorted once. */
function sorted(attributes: readonly XmlAttribute[]): readonly XmlAttribute[] {
  if (attributes.length < 2) return attributes
  const known = inOrder.get(attributes)
  if (known !== undefined) return known
  const found = [...attributes].sort(
    (a, b) => compareCharacters(a.namespace, b.namespace) || compareCharacters(a.local, b.local),
  )
  inOrder.set(attributes, found)
  return found
}

const inOrder = new WeakMap<readonly XmlAttribute[], readonly XmlAttribute[]>()

function qualified(name: XmlElement | XmlAttribute): string {
  return name.prefix === '' ? name.local : `${name.prefix}:${name.local}`
}

/** Text as canonical XML writes it. */
export function escapeText(text: string): string {
  if (!/[&<>\r]/.test(text)) return text
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\r/g, '&#xD;')
}

/** An attribute value as canonical XML writes it. */
export function escapeAttribute(text: string, greater = false): string {
  if (!/[&<>"\t\n\r]/.test(text)) return text
  if (text.length <= SHORT)
    return text.replace(/[&<>"\t\n\r]/g, (one) => (one === '>' && !greater ? one : escapeOf(one)))
  const escaped = text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/"/g, '&quot;')
    .replace(/\t/g, '&#x9;')
    .replace(/\n/g, '&#xA;')
    .replace(/\r/g, '&#xD;')
  return greater ? escaped.replace(/>/g, '&gt;') : escaped
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}
const escapeOf = (character: string): string => ESCAPES[character] ?? character
/** longer ones are replaced without a function for each match, which would keep all matches in memory */
const SHORT = 1024
