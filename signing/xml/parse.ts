/**
 * A small strict XML 1.0 reader for messages from strangers (XML 1.0 5th edition, Namespaces in XML 1.0).
 *
 * Refuses what signed messages must not contain: document types, processing instructions, undeclared entities. Sizes are
 * checked before a byte is read, depth and counts before anything is allocated; nothing recurses, nothing is fetched.
 * Comments are dropped and the text around them is one text, as Canonical XML without comments sees it.
 */
import { SigningError } from '../errors.ts'
import { XML_NAMESPACE, splitAttributes } from './attributes.ts'
import type { XmlAttribute } from './attributes.ts'

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
}

/** Bounds of one document; bytes are UTF-8. */
export interface XmlLimits {
  maxBytes: number
  maxDepth: number
  maxElements: number
}

// eslint-disable-next-line no-control-regex -- XML 1.0 §2.2: the characters that no document may hold
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
const NAME =
  /[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd][-.\w\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]*/y
const NO_DECLARATIONS: ReadonlyMap<string, string> = new Map()

/**
 * Reads one document and returns its root element.
 *
 * @throws SigningError `signing/xml-too-large` beyond the limits
 * @throws SigningError `signing/xml-forbidden` a document type or processing instruction
 * @throws SigningError `signing/xml-malformed` not well-formed, not UTF-8, or names without namespace
 */
export function parseXml(bytes: Uint8Array, limits: XmlLimits): XmlElement {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes exceed ${limits.maxBytes}`)
  const text = decode(bytes)
  const reader = new Reader(text, limits)
  return reader.document()
}

function decode(bytes: Uint8Array): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new SigningError('signing/xml-malformed', 'the document is not UTF-8', { cause })
  }
  if (CONTROL.test(text)) throw malformed('a control character')
  // XML 1.0 §2.11: line ends are normalised before anything else.
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** The scanner; a class because position and open elements are state that every rule shares. */
class Reader {
  private at = 0
  private elements = 0
  private readonly open: XmlElement[] = []
  private readonly text: string
  private readonly limits: XmlLimits
  private root: XmlElement | null = null

  constructor(text: string, limits: XmlLimits) {
    this.text = text
    this.limits = limits
  }

  document(): XmlElement {
    this.declaration()
    for (;;) {
      const next = this.text.indexOf('<', this.at)
      this.characters(next === -1 ? this.text.length : next)
      if (next === -1) break
      this.markup()
    }
    if (this.open.length > 0 || !this.root) throw malformed('the document ends too early')
    return this.root
  }

  private declaration(): void {
    if (!this.text.startsWith('<?xml')) return
    const match =
      /^<\?xml\s+version=(["'])1\.\d\1(?:\s+encoding=(["'])([A-Za-z0-9._-]+)\2)?(?:\s+standalone=(["'])(?:yes|no)\4)?\s*\?>/.exec(
        this.text.slice(0, 200),
      )
    if (!match) throw malformed('the XML declaration')
    if (match[3] !== undefined && match[3].toLowerCase() !== 'utf-8') throw malformed('an encoding other than UTF-8')
    this.at = match[0].length
  }

  private characters(end: number): void {
    if (end === this.at) return
    const raw = this.text.slice(this.at, end)
    this.at = end
    if (raw.includes(']]>')) throw malformed('a CDATA end in text')
    const current = this.open.at(-1)
    if (current) append(current, expandEntities(raw))
    else if (/[^ \t\n]/.test(raw)) throw malformed('text outside the root element')
  }

  private markup(): void {
    const mark = this.text[this.at + 1]
    if (mark === '/') this.endTag()
    else if (mark === '!') this.declarationOrComment()
    else if (mark === '?') throw new SigningError('signing/xml-forbidden', 'a processing instruction')
    else this.startTag()
  }

  private declarationOrComment(): void {
    if (this.text.startsWith('<!--', this.at)) {
      const end = this.text.indexOf('--', this.at + 4)
      if (end === -1 || this.text[end + 2] !== '>') throw malformed('a comment')
      this.at = end + 3
      return
    }
    if (!this.text.startsWith('<![CDATA[', this.at)) {
      throw new SigningError('signing/xml-forbidden', 'a document type declaration')
    }
    const end = this.text.indexOf(']]>', this.at)
    const current = this.open.at(-1)
    if (end === -1 || !current) throw malformed('a CDATA section')
    append(current, this.text.slice(this.at + 9, end))
    this.at = end + 3
  }

  private endTag(): void {
    this.at += 2
    const [prefix, local] = this.qualifiedName()
    this.space()
    const current = this.open.pop()
    if (this.text[this.at] !== '>' || current?.prefix !== prefix || current.local !== local)
      throw malformed('an end tag')
    this.at += 1
  }

  private startTag(): void {
    this.at += 1
    if (this.root && this.open.length === 0) throw malformed('a second root element')
    if (this.open.length >= this.limits.maxDepth) throw tooLarge(`more than ${this.limits.maxDepth} levels`)
    if (++this.elements > this.limits.maxElements) throw tooLarge(`more than ${this.limits.maxElements} elements`)
    const element = this.element(this.open.at(-1) ?? null)
    if (this.text[this.at] === '/') this.at += 1
    else this.open.push(element)
    if (this.text[this.at] !== '>') throw malformed('a start tag')
    this.at += 1
  }

  /** Name and attributes of a start tag, as a child of its parent. */
  private element(parent: XmlElement | null): XmlElement {
    const [prefix, local] = this.qualifiedName()
    const { declarations, scope, attributes } = splitAttributes(this.rawAttributes(), parent?.scope ?? NO_DECLARATIONS)
    const namespace = prefix === 'xml' ? XML_NAMESPACE : scope.get(prefix)
    if (namespace === undefined && prefix !== '') throw malformed('an undeclared prefix')
    const element: XmlElement = {
      prefix,
      local,
      namespace: namespace ?? '',
      attributes,
      declarations,
      scope,
      parent,
      children: [],
    }
    if (parent) parent.children.push(element)
    else this.root = element
    return element
  }

  private rawAttributes(): XmlAttribute[] {
    const found: XmlAttribute[] = []
    for (;;) {
      const spaced = this.space()
      const next = this.text[this.at]
      if (next === '>' || next === '/' || next === undefined) return found
      if (!spaced) throw malformed('attributes without a blank between them')
      if (found.length >= 64) throw tooLarge('more than 64 attributes')
      const [prefix, local] = this.qualifiedName()
      this.space()
      if (this.text[this.at] !== '=') throw malformed('an attribute without value')
      this.at += 1
      this.space()
      found.push({ prefix, local, namespace: '', value: this.quoted() })
    }
  }

  private quoted(): string {
    const quote = this.text[this.at]
    if (quote !== '"' && quote !== "'") throw malformed('an attribute value without quotes')
    const end = this.text.indexOf(quote, this.at + 1)
    if (end === -1) throw malformed('an attribute value without end')
    const raw = this.text.slice(this.at + 1, end)
    if (raw.includes('<')) throw malformed('a < in an attribute value')
    this.at = end + 1
    // XML 1.0 §3.3.3: literal white space becomes a blank; character references stay what they are.
    return expandEntities(raw.replace(/[\t\n]/g, ' '))
  }

  private qualifiedName(): [prefix: string, local: string] {
    const first = this.name()
    if (this.text[this.at] !== ':') return ['', first]
    this.at += 1
    return [first, this.name()]
  }

  private name(): string {
    NAME.lastIndex = this.at
    const match = NAME.exec(this.text)
    if (!match) throw malformed('a name')
    this.at += match[0].length
    return match[0]
  }

  private space(): boolean {
    const start = this.at
    for (let c = this.text[this.at]; c === ' ' || c === '\n' || c === '\t'; c = this.text[this.at]) this.at += 1
    return this.at > start
  }
}

function append(element: XmlElement, text: string): void {
  const last = element.children.length - 1
  const previous = element.children[last]
  if (typeof previous === 'string') element.children[last] = previous + text
  else if (text !== '') element.children.push(text)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function expandEntities(raw: string): string {
  if (!raw.includes('&')) return raw
  return raw.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) throw malformed('a lone ampersand')
    const known = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
    return known ?? characterReference(name)
  })
}

function characterReference(name: string): string {
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name)
  if (!match) throw malformed('an unknown entity')
  const code = match[1] ? parseInt(match[1], 16) : Number(match[2])
  const allowed = code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff)
  if (!allowed || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff) {
    throw malformed('a character reference')
  }
  return String.fromCodePoint(code)
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `not well-formed: ${what}`)
}

function tooLarge(what: string): SigningError {
  return new SigningError('signing/xml-too-large', `the document is too large: ${what}`)
}
