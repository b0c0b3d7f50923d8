/**
 * Facts about an XML document with signatures: enveloped, enveloping, detached, in any number (XML Signature 1.1, ETSI
 * EN 319 132-1).
 */
import { evidenceOf, joinEvidence } from '../cms/carried.ts'
import { SigningError } from '../errors.ts'
import { parseCertificate } from '../trust/certificate.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { DocumentFacts, SignatureFacts, TimestampFacts } from '../validation/facts.ts'
import { numbering } from '../validation/numbering.ts'
import type { Numbering } from '../validation/numbering.ts'
import { unreadableSignature } from '../validation/unreadable-signature.ts'
import { canonicalize } from '../xml/c14n.ts'
import { findSignatures } from '../xml/dsig.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import { parseDocument } from '../xml/parse.ts'
import { signedDocument } from '../xml/references.ts'
import type { SignedDocument } from '../xml/references.ts'
import type { XmlElement } from '../xml/tree.ts'
import { objectsWithin } from './carried.ts'
import { XADES_LIMITS } from './limits.ts'
import { countersignedBy } from './countersignature.ts'
import { readXmlSignature } from './facts.ts'
import type { Detached } from './outcomes.ts'

export interface XadesContext {
  numbers: Numbering
  /** of the signature file in its container, for `SignatureFacts.name` */
  name: string
  /** fewer than XADES_LIMITS has */
  maxElements?: number
}

/**
 * Reads all signatures of an XML document. Never throws for what is in `bytes`: a document that cannot be read but bears
 * a signature is one unreadable signature.
 *
 * @param detached data beside the document by the URI of the reference as it is written (percent-encoded, '' where there
 * is no URI); nothing else outside the document is ever looked at
 */
export async function readXadesFacts(
  bytes: Buffer,
  detached: Detached,
  context: XadesContext = { numbers: numbering(), name: '' },
): Promise<DocumentFacts> {
  let all: SignedDocument
  let elements: XmlElement[]
  try {
    const { maxElements = XADES_LIMITS.maxElements } = context
    const limits = { ...XADES_LIMITS, maxElements: Math.min(maxElements, XADES_LIMITS.maxElements) }
    const document = parseDocument(bytes, limits)
    all = signedDocument(document, limits)
    elements = findSignatures(document.root)
  } catch (error) {
    if (error instanceof SigningError) return unreadable(bytes, context, error.message)
    throw error
  }
  return readAll(elements, all, detached, context)
}

async function readAll(
  elements: readonly XmlElement[],
  all: SignedDocument,
  detached: Detached,
  { numbers, name }: XadesContext,
): Promise<DocumentFacts> {
  const ids = new Map(elements.map((element) => [element, numbers.nextSignatureId()]))
  const readable = certificateReader()
  const evidence = joinEvidence(elements.map((element) => evidenceOf(objectsWithin(element))))
  const others = readable(evidence.certificates)
  const signatures: SignatureFacts[] = []
  const timestamps: TimestampFacts[] = []
  for (const element of elements) {
    const id = ids.get(element) ?? ''
    const countersigned = countersignedBy(element, ids)
    const nextTimestampId = numbers.nextTimestampId
    try {
      const facts = await readXmlSignature({
        element,
        all,
        detached,
        id,
        name,
        countersigned,
        nextTimestampId,
        others,
        readable,
      })
      signatures.push(facts.signature)
      timestamps.push(...facts.timestamps)
    } catch (error) {
      if (!(error instanceof SigningError)) throw error
      const fault = { code: 'format', detail: error.message } as const
      signatures.push(unreadableSignature({ id, form: 'XAdES', name }, canonicalize(element), fault))
    }
  }
  return { format: 'xml', signatures, timestamps, evidence, findings: [] }
}

/** Each certificate is parsed once; those that cannot be are no certificates. */
function certificateReader(): (ders: readonly Buffer[]) => Certificate[] {
  return (ders) =>
    ders.flatMap((der) => {
      try {
        return [parseCertificate(der)]
      } catch (error) {
        if (error instanceof SigningError) return []
        throw error
      }
    })
}

function unreadable(bytes: Buffer, { numbers, name }: XadesContext, detail: string): DocumentFacts {
  const evidence = { certificates: [], crls: [], ocsps: [] }
  const base = { format: 'xml', timestamps: [], evidence, findings: [] } as const
  if (!bytes.includes(DSIG_NAMESPACE) && !bytes.includes(DSIG_NAMESPACE, 0, 'utf16le'))
    return { ...base, signatures: [] }
  const id = numbers.nextSignatureId()
  return { ...base, signatures: [unreadableSignature({ id, form: 'XAdES', name }, bytes, { code: 'format', detail })] }
}
