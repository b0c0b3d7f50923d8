/**
 * Each reference of a signature or manifest: is what it names there, and is it what was signed?
 *
 * Data outside the document come only from the mapping that the caller gives; nothing is fetched.
 */
import type { Hash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import { piecesOf } from '../random-access.ts'
import type { RandomAccess } from '../random-access.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { createDigest } from '../trust/digest.ts'
import type { CanonicalOptions } from '../xml/c14n.ts'
import type { DsigReference } from '../xml/dsig.ts'
import { charge, referencedOctets, targetOf } from '../xml/references.ts'
import type { SignedDocument } from '../xml/references.ts'
import type { XmlElement } from '../xml/tree.ts'

/** Data beside the document by the URI of the reference as it is written; null: not there. */
export type Detached = (uri: string) => Promise<RandomAccess | null> | RandomAccess | null

/**
 * - `fits`: there, and as signed
 * - `digest`: there, but others
 * - `missing`: not there
 * - `ambiguous`: two elements have the identifier
 * - `refused`: an address or transform that is not followed
 * - `algorithm`: the digest is unknown
 */
export type ReferenceStatus = 'fits' | 'digest' | 'missing' | 'ambiguous' | 'refused' | 'algorithm'

export interface ReferenceOutcome {
  reference: DsigReference
  status: ReferenceStatus
  detail: string
  /** in the document; null: outside, or the whole document */
  node: XmlElement | null
  /** `whole`: the document element or the document itself; `nothing`: the reference leads nowhere */
  place: 'whole' | 'element' | 'outside' | 'nothing'
  /** puts the referenced octets into a digest; null: they are not at hand */
  feed: ((hash: Hash, form?: CanonicalOptions) => Promise<void>) | null
}

export async function followReference(
  reference: DsigReference,
  signature: XmlElement,
  all: SignedDocument,
  detached: Detached,
): Promise<ReferenceOutcome> {
  const located = await locate(reference, signature, all, detached)
  const outcome = (status: ReferenceStatus, detail = ''): ReferenceOutcome => ({
    reference,
    status,
    detail,
    ...located,
  })
  if (located.failure !== null) return outcome(...located.failure)
  if (reference.digest === null) return outcome('algorithm', 'the digest of a reference is unknown')
  try {
    const digest = await digestOf(located, { ...reference, digest: reference.digest }, all)
    const fits = reference.value !== null && digest.equals(reference.value)
    return fits ? outcome('fits') : outcome('digest', 'what a reference names is not what was signed')
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
    return { ...outcome(FAILURES[error.code] ?? 'digest', error.message), feed: null }
  }
}

interface Located extends Pick<ReferenceOutcome, 'node' | 'place' | 'feed'> {
  /** outside the document */
  source: RandomAccess | null
  failure: [status: ReferenceStatus, detail: string] | null
}

/** Many references may name one file: it is read once for each digest. */
async function digestOf(
  { source, feed }: Located,
  { digest, steps }: DsigReference & { digest: Digest },
  all: SignedDocument,
): Promise<Buffer> {
  const asFed = async (): Promise<Buffer> => {
    const hash = createDigest(digest)
    await feed?.(hash)
    return hash.digest()
  }
  if (source === null || steps?.length !== 0) return asFed()
  const digests = all.outside.get(source) ?? new Map<string, Buffer>()
  all.outside.set(source, digests)
  const found = digests.get(digest) ?? (await asFed())
  digests.set(digest, found)
  return found
}

async function locate(
  reference: DsigReference,
  signature: XmlElement,
  all: SignedDocument,
  detached: Detached,
): Promise<Located> {
  const target = targetOf(reference.uri, all)
  const nowhere = (status: ReferenceStatus, detail: string): Located => ({
    node: null,
    place: 'nothing',
    feed: null,
    source: null,
    failure: [status, detail],
  })
  if (target.kind === 'missing') return nowhere('missing', 'an element that is signed is not there')
  if (target.kind === 'ambiguous') return nowhere('ambiguous', 'a reference to an identifier that stands twice')
  if (target.kind === 'refused') return nowhere('refused', 'a reference to an address outside')
  const refusal: Located['failure'] = reference.steps === null ? ['refused', reference.refused] : null
  if (target.kind === 'nodes') {
    const { nodes } = target
    const isWhole = nodes.apex === null || nodes.apex === all.document.root
    const feed: Located['feed'] = (hash, form) => {
      hash.update(referencedOctets(nodes, reference, { signature, all, finalForm: form }))
      return Promise.resolve()
    }
    return { node: nodes.apex, place: isWhole ? 'whole' : 'element', feed, source: null, failure: refusal }
  }
  const source = await detached(target.uri)
  if (source === null) return nowhere('missing', 'data beside the document that are signed are not there')
  const feed = feedOutside(source, reference, signature, all)
  return { node: null, place: 'outside', feed, source, failure: refusal }
}

/** Untransformed data are read in pieces; what is transformed must fit into memory. */
function feedOutside(
  source: RandomAccess,
  reference: DsigReference,
  signature: XmlElement,
  all: SignedDocument,
): NonNullable<ReferenceOutcome['feed']> {
  return async (hash, form) => {
    if (reference.steps?.length === 0) {
      charge(all, 'outside', source.size)
      for await (const piece of piecesOf(source)) hash.update(piece)
      return
    }
    if (source.size > all.limits.maxBytes) throw new SigningError('signing/xml-too-large', 'data to be transformed')
    hash.update(referencedOctets(await source.read(0, source.size), reference, { signature, all, finalForm: form }))
  }
}

/** What cannot be transformed any more is not what was signed. */
const FAILURES: Readonly<Record<string, ReferenceStatus>> = {
  'signing/algorithm-refused': 'refused',
  'signing/xml-too-large': 'refused',
}
