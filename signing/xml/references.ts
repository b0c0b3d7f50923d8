/**
 * What references point to, and whether it still is what was signed (XML Signature 1.1 §3.2.1, §4.4.3).
 *
 * Inside the document everything is answered here. What lies outside is only named; nothing is ever fetched.
 */
import { SigningError } from '../errors.ts'
import { createDigest } from '../trust/digest.ts'
import type { CanonicalOptions } from './c14n.ts'
import type { DsigReference } from './dsig.ts'
import { indexIds } from './ids.ts'
import type { IdIndex } from './ids.ts'
import type { XmlLimits } from './parse.ts'
import { DEFAULT_FORM, canonicalInPlace, transform } from './transforms.ts'
import type { NodeSubset, TransformContext, TransformStep } from './transforms.ts'
import type { XmlDocument, XmlElement } from './tree.ts'

/** A document that signatures are looked for in; made once, with the work that may be spent on it. */
export interface SignedDocument {
  document: XmlDocument
  ids: IdIndex
  limits: XmlLimits
  budget: WorkBudget
  /** digests of data beside the document, by their source */
  outside: WeakMap<object, Map<string, Buffer>>
}

/** Work that may still be done, in octets: references to the same large thing cost each time. */
export interface WorkBudget {
  /** canonicalised, decoded, parsed */
  inside: number
  /** read from data beside the document */
  outside: number
  /** time-stamps that are judged, and signature values that are tried with certificates that nothing names */
  tokens: number
  tries: number
}

export function signedDocument(document: XmlDocument, limits: XmlLimits): SignedDocument {
  return {
    document,
    limits,
    ids: indexIds(document.root),
    outside: new WeakMap(),
    budget: {
      inside: MAX_INSIDE + DOCUMENT_PASSES * NODE * document.root.place.weight,
      outside: MAX_OUTSIDE,
      tokens: MAX_TOKENS,
      tries: MAX_TRIES,
    },
  }
}

export type ReferenceTarget =
  /** inside the document */
  | { kind: 'nodes'; nodes: NodeSubset }
  /** a relative name outside the document */
  | { kind: 'outside'; uri: string }
  | { kind: 'missing' }
  | { kind: 'ambiguous' }
  /** an address with a scheme, or an XPointer other than the two that every program knows */
  | { kind: 'refused' }

/** What the URI of a reference means in this document. */
export function targetOf(uri: string | null, { document, ids }: SignedDocument): ReferenceTarget {
  if (uri === null) return { kind: 'outside', uri: '' }
  const nodes = (apex: XmlElement | null, comments: boolean): ReferenceTarget => ({
    kind: 'nodes',
    nodes: { document, apex, comments },
  })
  if (uri === '') return nodes(null, false)
  if (uri === '#xpointer(/)') return nodes(null, true)
  if (!uri.startsWith('#'))
    return /^[a-z][a-z0-9+.-]*:|^\/\//i.test(uri) ? { kind: 'refused' } : { kind: 'outside', uri }
  const pointer = /^#xpointer\(id\((['"])([^'"]*)\1\)\)$/.exec(uri)
  if (pointer === null && uri.startsWith('#xpointer')) return { kind: 'refused' }
  const found = ids.find(pointer?.[2] ?? uri.slice(1))
  if (found === null) return { kind: 'missing' }
  return found === 'ambiguous' ? { kind: 'ambiguous' } : nodes(found, pointer !== null)
}

export interface ReferenceContext {
  /** the signature that the reference stands in */
  signature: XmlElement
  all: SignedDocument
  /** for what is a set of nodes after the last transform */
  finalForm?: CanonicalOptions | undefined
}

/**
 * The octets of a reference into the document, as they are digested.
 *
 * @throws SigningError `signing/xml-too-large` the work that may be done on this document is done
 * @throws SigningError `signing/algorithm-refused`, `signing/xml-malformed`
 */
export function referencedOctets(
  start: NodeSubset | Buffer,
  { steps }: Pick<DsigReference, 'steps'>,
  { signature, all, finalForm = DEFAULT_FORM }: ReferenceContext,
): Buffer {
  if (steps === null) throw new SigningError('signing/algorithm-refused', 'a transform that is not executed')
  const onReading = (octets: number, nodes: number): void => {
    charge(all, 'inside', octets * PARSING + nodes * (PARSED_NODE + NODE))
  }
  const context: TransformContext = { signature, limits: all.limits, finalForm, onReading }
  charge(all, 'inside', workBefore(start, steps))
  return spend(transform(start, steps, context), all)
}

/** What transforms cost beside the octets that come out: nodes that are walked through, octets that are decoded. */
function workBefore(start: NodeSubset | Buffer, steps: readonly TransformStep[]): number {
  if (Buffer.isBuffer(start)) return 0
  const { weight, start: from, end } = (start.apex ?? start.document.root).place
  return weight * NODE + (steps.some(({ kind }) => kind === 'base64') ? end - from : 0)
}

/**
 * The canonical octets of an element where it stands.
 *
 * @throws SigningError `signing/algorithm-refused`, `signing/xml-too-large`
 */
export function elementOctets(element: XmlElement, form: CanonicalOptions, all: SignedDocument): Buffer {
  charge(all, 'inside', element.place.weight * NODE)
  return spend(canonicalInPlace(element, form), all)
}

function spend(octets: Buffer, all: SignedDocument): Buffer {
  charge(all, 'inside', octets.length)
  return octets
}

/** @throws SigningError `signing/xml-too-large` */
export function charge({ budget }: SignedDocument, place: keyof WorkBudget, octets: number): void {
  budget[place] -= octets
  if (budget[place] < 0) throw new SigningError('signing/xml-too-large', 'references to too much')
}

/** Whether octets have the digest of a reference; `unknown`: by an algorithm that is not known here. */
export function digestFits(octets: Buffer, { digest, value }: DsigReference): boolean | 'unknown' {
  if (digest === null) return 'unknown'
  return value !== null && createDigest(digest).update(octets).digest().equals(value)
}

/** Whether the reference takes part of this signature out of what it covers, as an enveloped signature must. */
export function leavesOutSignature({ steps }: DsigReference): boolean {
  return steps?.some(({ kind }) => kind === 'without-own' || kind === 'without-all') === true
}

/** half a second of work: canonicalising runs at 200 MB/s, and through a million nodes */
const MAX_INSIDE = 64 * 1024 * 1024
const NODE = 200
/** a large document may be walked through once more: its time-stamp does so */
const DOCUMENT_PASSES = 1
const MAX_OUTSIDE = 8 * 1024 ** 3
/** reading XML is so much slower than writing it */
const PARSING = 4
const PARSED_NODE = 400
/** time-stamps that are judged, of all signatures together */
const MAX_TOKENS = 300
const MAX_TRIES = 1000
