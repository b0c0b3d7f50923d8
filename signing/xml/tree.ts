/**
 * A parsed XML document as plain data: elements, attributes, text, and what stands beside them.
 */
import type { XmlAttribute } from './attributes.ts'
import type { XmlEncoding } from './characters.ts'

export interface XmlElement {
  prefix: string
  local: string
  namespace: string
  attributes: readonly XmlAttribute[]
  /** namespace declarations of this start tag: prefix ('' is the default) → URI */
  declarations: ReadonlyMap<string, string>
  /** all namespaces in scope, inherited ones included, without `xml` */
  scope: ReadonlyMap<string, string>
  parent: XmlElement | null
  children: (XmlElement | string)[]
  /** comments and processing instructions between the children; empty unless `parseDocument` read the document */
  asides: readonly XmlAside[]
  /** places in the text of the document */
  place: XmlPlace
}

/** Counted in UTF-16 code units of the text as it stands in the file, without a byte order mark. */
export interface XmlPlace {
  start: number
  /** of the end tag, or of the `/` of an empty-element tag */
  contentEnd: number
  end: number
  /** elements and other nodes from `start` to `end`: what walking through it costs */
  weight: number
}

/** A comment or processing instruction. */
export interface XmlAside {
  kind: 'comment' | 'instruction'
  /** as canonical XML writes it, with its delimiters */
  markup: string
  /** index of the child that it stands before */
  before: number
}

export interface XmlDocument {
  root: XmlElement
  encoding: XmlEncoding
  /** before and behind the root element */
  before: readonly XmlAside[]
  after: readonly XmlAside[]
}

/** Adjacent texts are one; texts with an aside between them stay apart, so that its place is known. */
export function appendText(element: XmlElement, text: string): void {
  const last = element.children.length - 1
  const previous = element.children[last]
  const isApart = element.asides.at(-1)?.before === last + 1
  if (typeof previous === 'string' && !isApart) element.children[last] = previous + text
  else if (text !== '') element.children.push(text)
}
