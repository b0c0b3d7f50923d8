/**
 * A small strict XML 1.0 reader for messages from strangers (XML 1.0 5th edition, Namespaces in XML 1.0).
 *
 * Document types and undeclared entities are always refused. Sizes are checked before a byte is read, depth and counts
 * before anything is allocated; nothing recurses, nothing is fetched. Messages (`parseXml`) have no processing instructions
 * and lose their comments, as Canonical XML without comments sees them; signed documents (`parseDocument`) keep both.
 */
import { SigningError } from '../errors.ts'
import { decodeText, encodingOf, expandEntities, normalLines, occurrences } from './characters.ts'
import type { XmlEncoding } from './characters.ts'
import { XML_NAMESPACE, splitAttributes } from './attributes.ts'
import type { XmlAttribute } from './attributes.ts'
import { appendText } from './tree.ts'
import type { XmlAside, XmlDocument, XmlElement } from './tree.ts'

export type { XmlDocument, XmlElement } from './tree.ts'

/** Bounds of one document; bytes are UTF-8. */
export interface XmlLimits {
  maxBytes: number
  maxDepth: number
  maxElements: number
}

const NAME =
  /[A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd][-.\w\u00b7\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u037d\u037f-\u1fff\u203f\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd]*/y
const NO_ASIDES: readonly XmlAside[] = []
/** some 100 bytes each */
const MAX_SCOPE_ENTRIES = 1_000_000
const NO_DECLARATIONS: ReadonlyMap<string, string> = new Map()

/**
 * Reads one document and returns its root element. Comments are dropped, processing instructions refused.
 *
 * @throws SigningError `signing/xml-too-large` beyond the limits
 * @throws SigningError `signing/xml-forbidden` a document type or processing instruction
 * @throws SigningError `signing/xml-malformed` not well-formed, not UTF-8, or names without namespace
 */
export function parseXml(bytes: Uint8Array, limits: XmlLimits): XmlElement {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes exceed ${limits.maxBytes}`)
  return new Reader(decodeText(bytes, 'utf-8'), limits, { encoding: 'utf-8', keepsAsides: false }).document().root
}

/**
 * Reads one document with everything that a canonical form may need: comments and processing instructions are kept
 * beside the tree. UTF-8, UTF-16 with byte order mark, some encodings of one octet.
 *
 * @throws SigningError as `parseXml`; processing instructions are allowed
 */
export function parseDocument(bytes: Uint8Array, limits: XmlLimits): XmlDocument {
  if (bytes.length > limits.maxBytes) throw tooLarge(`${bytes.length} bytes exceed ${limits.maxBytes}`)
  const encoding = encodingOf(bytes)
  return new Reader(decodeText(bytes, encoding), limits, { encoding, keepsAsides: true }).document()
}

/** The scanner; a class because position and open elements are state that every rule shares. */
class Reader {
  private at = 0
  private elements = 0
  private scopeEntries = 0
  private readonly open: XmlElement[] = []
  private readonly text: string
  private readonly limits: XmlLimits
  private readonly mode: ReaderMode
  private root: XmlElement | null = null
  private readonly before: XmlAside[] = []
  private readonly after: XmlAside[] = []

  constructor(text: string, limits: XmlLimits, mode: ReaderMode) {
    this.text = text
    this.limits = limits
    this.mode = mode
  }

  document(): XmlDocument {
    this.declaration()
    for (;;) {
      const next = this.text.indexOf('<', this.at)
      this.characters(next === -1 ? this.text.length : next)
      if (next === -1) break
      this.markup()
    }
    if (this.open.length > 0 || !this.root) throw malformed('the document ends too early')
    return { root: this.root, encoding: this.mode.encoding, before: this.before, after: this.after }
  }

  private declaration(): void {
    if (!this.text.startsWith('<?xml')) return
    const match =
      /^<\?xml\s+version=(["'])1\.\d\1(?:\s+encoding=(["'])([A-Za-z0-9._-]+)\2)?(?:\s+standalone=(["'])(?:yes|no)\4)?\s*\?>/.exec(
        this.text.slice(0, 200),
      )
    if (!match) throw malformed('the XML declaration')
    const named = match[3]?.toLowerCase() ?? this.mode.encoding
    if (named !== this.mode.encoding && !(named === 'us-ascii' && this.mode.encoding === 'utf-8'))
      throw malformed(`an encoding other than ${this.mode.encoding.toUpperCase()}`)
    this.at = match[0].length
  }

  private characters(end: number): void {
    if (end === this.at) return
    const text = this.text.slice(this.at, end)
    this.at = end
    // references must be replaced: eight of them count like an element
    this.count(occurrences(text, '&') >> 3)
    const raw = normalLines(text)
    if (raw.includes(']]>')) throw malformed('a CDATA end in text')
    const current = this.open.at(-1)
    if (current) appendText(current, expandEntities(raw))
    else if (/[^ \t\n]/.test(raw)) throw malformed('text outside the root element')
  }

  private markup(): void {
    const mark = this.text[this.at + 1]
    if (mark === '/') this.endTag()
    else if (mark === '!') this.declarationOrComment()
    else if (mark === '?') this.instruction()
    else this.startTag()
  }

  private declarationOrComment(): void {
    if (this.text.startsWith('<!--', this.at)) {
      const end = this.text.indexOf('--', this.at + 4)
      if (end === -1 || this.text[end + 2] !== '>') throw malformed('a comment')
      this.aside('comment', normalLines(this.text.slice(this.at, end + 3)))
      this.at = end + 3
      return
    }
    if (!this.text.startsWith('<![CDATA[', this.at)) {
      throw new SigningError('signing/xml-forbidden', 'a document type declaration')
    }
    const end = this.text.indexOf(']]>', this.at)
    const current = this.open.at(-1)
    if (end === -1 || !current) throw malformed('a CDATA section')
    appendText(current, normalLines(this.text.slice(this.at + 9, end)))
    this.at = end + 3
  }

  private instruction(): void {
    if (!this.mode.keepsAsides) throw new SigningError('signing/xml-forbidden', 'a processing instruction')
    const end = this.text.indexOf('?>', this.at)
    if (end === -1) throw malformed('a processing instruction')
    this.at += 2
    const target = this.name()
    if (target.toLowerCase() === 'xml') throw malformed('an XML declaration inside the document')
    if (this.at !== end && !this.space()) throw malformed('a processing instruction')
    const content = normalLines(this.text.slice(this.at, end))
    // Canonical XML 1.0 §2.3: one blank before the content, none without content
    this.aside('instruction', content === '' ? `<?${target}?>` : `<?${target} ${content}?>`)
    this.at = end + 2
  }

  private aside(kind: XmlAside['kind'], markup: string): void {
    if (!this.mode.keepsAsides) return
    this.count()
    const current = this.open.at(-1)
    if (current) {
      const aside = { kind, markup, before: current.children.length }
      if (current.asides.length === 0) current.asides = [aside]
      else (current.asides as XmlAside[]).push(aside)
    } else (this.root ? this.after : this.before).push({ kind, markup, before: 0 })
  }

  /** Everything that takes memory of its own counts like an element. */
  private count(weight = 1): void {
    this.elements += weight
    if (this.elements > this.limits.maxElements) throw tooLarge(`more than ${this.limits.maxElements} elements`)
  }

  private endTag(): void {
    const start = this.at
    this.at += 2
    const [prefix, local] = this.qualifiedName()
    this.space()
    const current = this.open.pop()
    if (this.text[this.at] !== '>' || current?.prefix !== prefix || current.local !== local)
      throw malformed('an end tag')
    this.at += 1
    current.place.contentEnd = start
    this.close(current)
  }

  private startTag(): void {
    this.at += 1
    if (this.root && this.open.length === 0) throw malformed('a second root element')
    if (this.open.length >= this.limits.maxDepth) throw tooLarge(`more than ${this.limits.maxDepth} levels`)
    this.count()
    const element = this.element(this.open.at(-1) ?? null)
    const isEmpty = this.text[this.at] === '/'
    if (isEmpty) element.place.contentEnd = this.at++
    else this.open.push(element)
    if (this.text[this.at] !== '>') throw malformed('a start tag')
    this.at += 1
    if (isEmpty) this.close(element)
  }

  private close({ place }: XmlElement): void {
    place.end = this.at
    place.weight += this.elements
  }

  /** Name and attributes of a start tag, as a child of its parent. */
  private element(parent: XmlElement | null): XmlElement {
    const start = this.at - 1
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
      asides: NO_ASIDES,
      place: { start, contentEnd: start, end: start, weight: 1 - this.elements },
    }
    if (declarations.size > 0) this.countScope(scope.size)
    this.count(Math.max(attributes.length >> 1, attributes.length - 2))
    if (parent) parent.children.push(element)
    else this.root = element
    return element
  }

  /** Every element that declares namespaces has a table of its own of all that are in force: bounded in sum. */
  private countScope(entries: number): void {
    this.scopeEntries += entries
    if (this.scopeEntries > MAX_SCOPE_ENTRIES) throw tooLarge('too many namespace declarations')
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
    return expandEntities(raw.replace(/\r\n|[\t\n\r]/g, ' '))
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
    for (let c = this.text[this.at]; c === ' ' || c === '\n' || c === '\t' || c === '\r'; c = this.text[this.at])
      this.at += 1
    return this.at > start
  }
}

interface ReaderMode {
  encoding: XmlEncoding
  keepsAsides: boolean
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `not well-formed: ${what}`)
}

function tooLarge(what: string): SigningError {
  return new SigningError('signing/xml-too-large', `the document is too large: ${what}`)
}
