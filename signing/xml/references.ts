/**
 * What references point to, and whether it still is what was signed (XML Signature 1.1 §3.2.1, §4.4.3).
 *
 * Inside the document everything is answered here. What lies outside is only named; nothing is ever fetched.
 */
import { createHash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { CanonicalOptions } from './c14n.ts'
import type { DsigReference } from './dsig.ts'
import { indexIds } from './ids.ts'
import type { IdIndex } from './ids.ts'
import type { XmlLimits } from './parse.ts'
import { DEFAULT_FORM, transform } from './transforms.ts'
import type { NodeSubset, TransformContext } from './transforms.ts'
import type { XmlDocument, XmlElement } from './tree.ts'

/** A document that signatures are looked for in; made once, with the work that may be spent on it. */
export interface SignedDocument {
  document: XmlDocument
  ids: IdIndex
  limits: XmlLimits
  /** octets that may still be canonicalised: references to the same large element cost each time */
  budget: { octets: number }
}

export function signedDocument(document: XmlDocument, limits: XmlLimits): SignedDocument {
  return { document, ids: indexIds(document.root), limits, budget: { octets: MAX_CANONICAL_OCTETS } }
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
 * @throws SigningError `signing/algorithm-refused`, `signing/xml-malformed`, `signing/xml-too-large`
 */
export function referencedOctets(
  start: NodeSubset | Buffer,
  { steps }: Pick<DsigReference, 'steps'>,
  { signature, all, finalForm = DEFAULT_FORM }: ReferenceContext,
): Buffer {
  if (steps === null) throw new SigningError('signing/algorithm-refused', 'a transform that is not executed')
  const context: TransformContext = { signature, limits: all.limits, finalForm }
  return spend(transform(start, steps, context), all)
}

/** @throws SigningError `signing/xml-too-large` the work that may be spent on this document is spent */
export function spend(octets: Buffer, { budget }: SignedDocument): Buffer {
  budget.octets -= octets.length
  if (budget.octets < 0) throw new SigningError('signing/xml-too-large', 'references to too much')
  return octets
}

/** Whether octets have the digest of a reference; `unknown`: by an algorithm that is not known here. */
export function digestFits(octets: Buffer, { digest, value }: DsigReference): boolean | 'unknown' {
  if (digest === null) return 'unknown'
  return value !== null && createHash(digest).update(octets).digest().equals(value)
}

/** Whether the reference takes part of this signature out of what it covers, as an enveloped signature must. */
export function leavesOutSignature({ steps }: DsigReference): boolean {
  return steps?.some(({ kind }) => kind === 'without-own' || kind === 'without-all') === true
}

/** hashing and canonicalising run at some 100 MB/s */
const MAX_CANONICAL_OCTETS = 128 * 1024 * 1024
