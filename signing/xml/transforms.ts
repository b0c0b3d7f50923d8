/**
 * Transforms of references: the few that are executed, and their execution (XML Signature 1.1 §4.4.3, §6.5, §6.6).
 *
 * Canonicalisation, base64, enveloped-signature, and two filters that mean "without signatures" in their usual wording.
 * XSLT, other XPath and everything else is named as refused and never run.
 */
import { SigningError } from '../errors.ts'
import { decodeBase64 } from './base64.ts'
import { CANONICAL_XML, canonicalize, canonicalizeDocument } from './c14n.ts'
import type { CanonicalOptions } from './c14n.ts'
import { attributeOf, childElements, isNamed, textOf } from './find.ts'
import { elementsOf } from './ids.ts'
import { DSIG_NAMESPACE, EXCLUSIVE_NAMESPACE, FILTER2_NAMESPACE } from './namespaces.ts'
import { parseDocument } from './parse.ts'
import type { XmlLimits } from './parse.ts'
import type { XmlDocument, XmlElement } from './tree.ts'
import { needsBaseFixup } from './xml-attributes.ts'

export type TransformStep =
  | { kind: 'c14n'; options: CanonicalOptions }
  | { kind: 'base64' }
  /** without the signature that the reference stands in */
  | { kind: 'without-own' }
  /** without any ds:Signature */
  | { kind: 'without-all' }

/** The steps of a ds:Reference, or why they are not executed. */
export function readTransforms(reference: XmlElement): TransformStep[] | { refused: string } {
  const lists = childElements(reference).filter((child) => isNamed(child, DSIG_NAMESPACE, 'Transforms'))
  if (lists.length > 1) return { refused: 'Transforms twice' }
  const transforms = lists[0] === undefined ? [] : childElements(lists[0])
  if (transforms.length > MAX_STEPS) return { refused: `more than ${MAX_STEPS} transforms` }
  const steps = transforms.map(readTransform)
  return steps.find((step) => 'refused' in step) ?? (steps as TransformStep[])
}

function readTransform(transform: XmlElement): TransformStep | { refused: string } {
  if (!isNamed(transform, DSIG_NAMESPACE, 'Transform')) return { refused: 'an unknown element among transforms' }
  const uri = attributeOf(transform, 'Algorithm') ?? ''
  const options = readCanonicalization(transform)
  if (options !== null) return { kind: 'c14n', options }
  const children = childElements(transform)
  if (uri === `${DSIG_NAMESPACE}base64` && children.length === 0) return { kind: 'base64' }
  if (uri === `${DSIG_NAMESPACE}enveloped-signature` && children.length === 0) return { kind: 'without-own' }
  if (uri === FILTER2_NAMESPACE || uri === XPATH_URI)
    return readFilter(children, uri) ?? { refused: 'an XPath transform' }
  return { refused: 'a transform that is not executed' }
}

/** The canonical form that an element names by its Algorithm; null when it is none. */
export function readCanonicalization(method: XmlElement): CanonicalOptions | null {
  const row = CANONICAL_FORMS.get(attributeOf(method, 'Algorithm') ?? '')
  if (row === undefined) return null
  const children = childElements(method)
  const [list, ...more] = children
  if (list === undefined) return row
  if (row.exclusive === undefined || more.length > 0) return null
  if (!isNamed(list, EXCLUSIVE_NAMESPACE, 'InclusiveNamespaces') || list.children.length > 0) return null
  const prefixes = (attributeOf(list, 'PrefixList') ?? '').split(/[ \t\r\n]+/).filter((prefix) => prefix !== '')
  return { ...row, exclusive: new Set(prefixes.map((prefix) => (prefix === '#default' ? '' : prefix))) }
}

/** Filters are compared by their text; the prefix must mean ds where the filter stands. */
function readFilter(children: XmlElement[], uri: string): TransformStep | null {
  const [filter] = children
  if (children.length !== 1 || filter === undefined) return null
  const isFilter2 = uri === FILTER2_NAMESPACE
  if (!isNamed(filter, isFilter2 ? FILTER2_NAMESPACE : DSIG_NAMESPACE, 'XPath')) return null
  if (isFilter2 && attributeOf(filter, 'Filter') !== 'subtract') return null
  const expression = textOf(filter).trim()
  for (const { pattern, kind } of isFilter2 ? FILTERS : XPATHS) {
    const prefix = pattern.exec(expression)?.[1]
    if (prefix !== undefined && filter.scope.get(prefix) === DSIG_NAMESPACE) return { kind }
  }
  return null
}

/** Elements of a document on the way through transforms. */
export interface NodeSubset {
  document: XmlDocument
  /** null: the whole document */
  apex: XmlElement | null
  /** whether comments belong to it */
  comments: boolean
}

export interface TransformContext {
  /** the signature that the reference stands in */
  signature: XmlElement
  limits: XmlLimits
  /** for nodes that are left at the end; Canonical XML 1.0 unless told otherwise */
  finalForm?: CanonicalOptions
  /** told what octets inside of it cost to read again: their number, then the nodes that came out */
  onReading?: (octets: number, nodes: number) => void
}

/**
 * Executes steps; what is a set of nodes at their end is canonicalised (XML Signature 1.1 §4.4.3.2).
 *
 * @throws SigningError `signing/algorithm-refused` steps that do not follow each other so
 * @throws SigningError `signing/xml-malformed` octets that are no XML, or no base64
 */
export function transform(
  start: NodeSubset | Buffer,
  steps: readonly TransformStep[],
  context: TransformContext,
): Buffer {
  let state: NodeSubset | Buffer = start
  const without = new Set<XmlElement>()
  for (const step of steps) {
    if (step.kind === 'without-own' || step.kind === 'without-all') {
      if (Buffer.isBuffer(state)) throw refused('a filter on octets')
      for (const element of leftOut(state, step.kind, context)) without.add(element)
    } else {
      state = toOctets(state, step, without, context)
      without.clear()
    }
  }
  return Buffer.isBuffer(state) ? state : canonical(state, context.finalForm ?? DEFAULT_FORM, without)
}

function toOctets(
  state: NodeSubset | Buffer,
  step: Extract<TransformStep, { kind: 'c14n' | 'base64' }>,
  without: ReadonlySet<XmlElement>,
  context: TransformContext,
): Buffer {
  if (step.kind === 'base64')
    return decoded(Buffer.isBuffer(state) ? state.toString('latin1') : textWithin(state, without))
  return canonical(Buffer.isBuffer(state) ? reparsed(state, context) : state, step.options, without)
}

function leftOut({ document }: NodeSubset, kind: 'without-own' | 'without-all', { signature }: TransformContext) {
  return kind === 'without-own' ? [signature] : signaturesOf(document)
}

/** Looked for once: many references may ask. */
function signaturesOf(document: XmlDocument): readonly XmlElement[] {
  const isSignature = (element: XmlElement): boolean => isNamed(element, DSIG_NAMESPACE, 'Signature')
  const found = known.get(document) ?? [...elementsOf(document.root)].filter(isSignature)
  known.set(document, found)
  return found
}

const known = new WeakMap<XmlDocument, readonly XmlElement[]>()

function canonical(nodes: NodeSubset, form: CanonicalOptions, without: ReadonlySet<XmlElement>): Buffer {
  const options = { ...form, comments: form.comments === true && nodes.comments, without }
  if (nodes.apex === null) return canonicalizeDocument(nodes.document, options)
  return canonicalInPlace(nodes.apex, options)
}

/** An element where it stands. @throws SigningError `signing/algorithm-refused` Canonical XML 1.1 below an xml:base */
export function canonicalInPlace(element: XmlElement, options: CanonicalOptions): Buffer {
  if (options.xmlAttributes === '1.1' && needsBaseFixup(element)) throw refused('Canonical XML 1.1 below an xml:base')
  return canonicalize(element, options)
}

function reparsed(octets: Buffer, { limits, onReading }: TransformContext): NodeSubset {
  onReading?.(octets.length, 0)
  let nodes = octets.length / OCTETS_A_NODE
  try {
    const document = parseDocument(octets, limits)
    nodes = document.root.place.weight
    return { document, apex: null, comments: true }
  } finally {
    onReading?.(0, nodes)
  }
}

function textWithin({ document, apex }: NodeSubset, without: ReadonlySet<XmlElement>): string {
  const parts: string[] = []
  const stack: (XmlElement | string)[] = [apex ?? document.root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (typeof node === 'string') parts.push(node)
    else if (!without.has(node)) for (let at = node.children.length; at-- > 0;) stack.push(node.children[at] ?? '')
  }
  return parts.join('')
}

function decoded(text: string): Buffer {
  const bytes = decodeBase64(text)
  if (bytes === null) throw new SigningError('signing/xml-malformed', 'a base64 transform of what is no base64')
  return bytes
}

function refused(what: string): SigningError {
  return new SigningError('signing/algorithm-refused', `${what} is not executed`)
}

const MAX_STEPS = 8
/** of what cannot be read, nobody knows how many there were */
const OCTETS_A_NODE = 16
const XPATH_URI = 'http://www.w3.org/TR/1999/REC-xpath-19991116'
const CANONICAL_XML_11 = 'http://www.w3.org/2006/12/xml-c14n11'
/** Canonical XML 1.0 without comments, where nothing else is said. */
export const DEFAULT_FORM: CanonicalOptions = { xmlAttributes: '1.0' }
/** What our own signatures are written in. */
export const EXCLUSIVE_FORM: CanonicalOptions = { exclusive: new Set<string>() }
const CANONICAL_FORMS: ReadonlyMap<string, CanonicalOptions> = new Map([
  [CANONICAL_XML, DEFAULT_FORM],
  [`${CANONICAL_XML}#WithComments`, { ...DEFAULT_FORM, comments: true }],
  [CANONICAL_XML_11, { xmlAttributes: '1.1' }],
  [`${CANONICAL_XML_11}#WithComments`, { xmlAttributes: '1.1', comments: true }],
  [EXCLUSIVE_NAMESPACE, EXCLUSIVE_FORM],
  [`${EXCLUSIVE_NAMESPACE}WithComments`, { exclusive: new Set<string>(), comments: true }],
])
const FILTERS = [
  { pattern: /^here\(\)\/ancestor::([\w.-]+):Signature\[1\]$/, kind: 'without-own' },
  { pattern: /^\/descendant::([\w.-]+):Signature$/, kind: 'without-all' },
] as const
const XPATHS = [{ pattern: /^not\(ancestor-or-self::([\w.-]+):Signature\)$/, kind: 'without-all' }] as const
