/**
 * The check of documents that are signed as a whole by one enveloped signature: trusted lists (ETSI TS 119 612 §5.7.1).
 *
 * Says whether digests and value hold, and with which certificate. Whose certificate that is, the caller judges; it goes
 * on with the signed octets, never with the document that they come from.
 */
import { SigningError } from '../errors.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import type { AlgorithmFacts } from '../trust/signature-value.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { findSignatures, keyInfoCertificates, readDsig, verifyDsigValue } from './dsig.ts'
import type { DsigReference, DsigSignature } from './dsig.ts'
import { isNamed } from './find.ts'
import { XADES_NAMESPACE } from './namespaces.ts'
import { elementsOf } from './ids.ts'
import { parseDocument } from './parse.ts'
import type { XmlLimits } from './parse.ts'
import { digestFits, leavesOutSignature, referencedOctets, signedDocument, targetOf } from './references.ts'
import type { SignedDocument } from './references.ts'
import type { XmlElement } from './tree.ts'

export type EnvelopedVerdict =
  | {
      kind: 'holds'
      /** canonical form of the document without its signature: parse this, nothing else */
      signedOctets: Buffer
      /** the one whose key made the value; not trusted */
      certificate: Certificate
      /** all certificates of KeyInfo, the one of the signer among them */
      certificates: readonly Certificate[]
      algorithms: AlgorithmFacts
      /** of the reference to the document */
      digest: Digest
      /** what the signer says; null: nothing readable */
      signingTime: Date | null
    }
  | { kind: 'broken'; reason: EnvelopedFault; detail: string }

/** - `format`: not exactly one signature over the whole document; - `algorithm`: unknown; - `certificate`: none fits */
export type EnvelopedFault = 'unreadable' | 'unsigned' | 'format' | 'algorithm' | 'digest' | 'value' | 'certificate'

/**
 * Checks a document that must carry exactly one signature, over all of it.
 *
 * Demanded: one ds:Signature, a child of the root; a reference to the whole document or the root's id, without this
 * signature and in a canonical form; every other reference goes to elements inside the signature and holds.
 *
 * @param trusted certificates of signers that the caller knows, tried beside those of KeyInfo
 */
export function verifyEnveloped(
  bytes: Buffer,
  trusted: readonly Certificate[] = [],
  limits: XmlLimits = LIST_LIMITS,
): EnvelopedVerdict {
  try {
    return judge(bytes, trusted, limits)
  } catch (error) {
    if (error instanceof SigningError) return broken('unreadable', error.message)
    throw error
  }
}

function judge(bytes: Buffer, trusted: readonly Certificate[], limits: XmlLimits): EnvelopedVerdict {
  const document = parseDocument(bytes, limits)
  const [element, ...more] = findSignatures(document.root)
  if (element === undefined) return broken('unsigned', '')
  if (more.length > 0 || element.parent !== document.root) return broken('format', 'not one signature below the root')
  const signature = readDsig(element)
  const all = signedDocument(document, limits)
  if (all.ids.duplicates.size > 0) return broken('format', 'an identifier stands twice')
  const wholes = signature.references.filter((reference) => isWhole(reference, all))
  const [whole] = wholes
  if (whole === undefined || wholes.length > 1) return broken('format', 'not one reference to the whole document')
  const signedOctets = checkReferences(signature, all, whole)
  if (!Buffer.isBuffer(signedOctets)) return signedOctets
  return whole.digest === null
    ? broken('algorithm', 'an unknown digest')
    : withValue(signature, trusted, { signedOctets, digest: whole.digest })
}

/** The octets of the document, or what does not hold. */
function checkReferences(
  signature: DsigSignature,
  all: SignedDocument,
  whole: DsigReference,
): Buffer | EnvelopedVerdict {
  let signedOctets: Buffer = EMPTY
  for (const reference of signature.references) {
    const octets = octetsOf(reference, signature, all)
    if (octets === null) return broken('format', 'a reference to something outside the signature')
    const fits = digestFits(octets, reference)
    if (fits === 'unknown') return broken('algorithm', 'an unknown digest')
    if (!fits) return broken('digest', 'a reference does not fit')
    if (reference === whole) signedOctets = octets
  }
  return signedOctets
}

function isWhole(reference: DsigReference, all: SignedDocument): boolean {
  const target = targetOf(reference.uri, all)
  const { root } = all.document
  const isRoot = target.kind === 'nodes' && (target.nodes.apex === null || target.nodes.apex === root)
  // the signature is left out once and the rest canonicalised: nothing else could be cut away
  const kinds = reference.steps?.map(({ kind }) => kind).join(' ')
  return isRoot && leavesOutSignature(reference) && /^without-\w+( c14n)?$/.test(kinds ?? '')
}

function octetsOf(reference: DsigReference, signature: DsigSignature, all: SignedDocument): Buffer | null {
  const target = targetOf(reference.uri, all)
  if (target.kind !== 'nodes') return null
  const { apex } = target.nodes
  if (!isWhole(reference, all) && (apex === null || !isWithin(apex, signature.element))) return null
  return referencedOctets(target.nodes, reference, { signature: signature.element, all })
}

function isWithin(element: XmlElement, ancestor: XmlElement): boolean {
  for (let at = element.parent; at; at = at.parent) if (at === ancestor) return true
  return false
}

function withValue(
  signature: DsigSignature,
  trusted: readonly Certificate[],
  signed: { signedOctets: Buffer; digest: Digest },
): EnvelopedVerdict {
  const certificates = keyInfoCertificates(signature).flatMap(readable)
  const { method } = signature
  if (method === null || signature.signedOctets === null) return broken('algorithm', signature.methodUri)
  const candidates = [...certificates, ...trusted]
  if (candidates.length === 0) return broken('certificate', 'no certificate is at hand')
  const certificate = candidates.find(({ spki }) => verifyDsigValue(signature, spki).kind === 'good')
  if (certificate === undefined) return broken('value', 'the value fits none of the certificates')
  const algorithms = algorithmFacts(method.facts, certificate.spki)
  return { kind: 'holds', ...signed, certificate, certificates, algorithms, signingTime: signingTimeOf(signature) }
}

function readable(der: Buffer): Certificate[] {
  try {
    return [parseCertificate(der)]
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}

function signingTimeOf({ element }: DsigSignature): Date | null {
  for (const found of elementsOf(element)) {
    if (!isNamed(found, XADES_NAMESPACE, 'SigningTime')) continue
    const time = new Date(
      found.children
        .filter((child) => typeof child === 'string')
        .join('')
        .trim(),
    )
    return Number.isNaN(time.getTime()) ? null : time
  }
  return null
}

const broken = (reason: EnvelopedFault, detail: string): EnvelopedVerdict => ({ kind: 'broken', reason, detail })

const EMPTY = Buffer.alloc(0)
/** national lists have up to some 10 MB */
const LIST_LIMITS: XmlLimits = { maxBytes: 32 * 1024 * 1024, maxDepth: 128, maxElements: 600_000 }
