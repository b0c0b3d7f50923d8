/**
 * ds:Manifest: lists of further references inside signed objects, each judged alone (XML Signature 1.1 §5.1).
 *
 * The list itself is what was signed. A file of it that is missing or changed is a finding about the state of the document.
 */
import { SigningError } from '../errors.ts'
import type { SignatureFault } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { readReferences } from '../xml/dsig.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { childElements, isNamed } from '../xml/find.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import type { SignedDocument } from '../xml/references.ts'
import type { XmlElement } from '../xml/tree.ts'
import { followReference } from './outcomes.ts'
import type { Detached, ReferenceOutcome } from './outcomes.ts'

export interface ManifestReading {
  faults: SignatureFault[]
  findings: Finding[]
  /** of all manifests */
  outcomes: ReferenceOutcome[]
}

/** Follows the manifests that the references of a signature cover. */
export async function readManifests(
  signature: DsigSignature,
  signed: readonly ReferenceOutcome[],
  all: SignedDocument,
  detached: Detached,
): Promise<ManifestReading> {
  const result: ManifestReading = { faults: [], findings: [], outcomes: [] }
  for (const { node, status, reference } of signed) {
    const manifests = node === null || status !== 'fits' ? [] : manifestsIn(node, signature)
    for (const manifest of manifests) {
      const outcomes = await readManifest(manifest, signature.element, all, detached)
      result.outcomes.push(...outcomes)
      result.findings.push(...outcomes.flatMap(remark))
    }
    if (manifests.length === 0 && reference.type === MANIFEST_TYPE && status === 'fits')
      result.faults.push({ code: 'data-missing', detail: 'a signed manifest is not where manifests stand' })
  }
  return result
}

/** The node itself, or the children of a signed object; only in objects of this signature. */
function manifestsIn(node: XmlElement, { objects }: DsigSignature): XmlElement[] {
  const isObject = objects.includes(node)
  const candidates = isObject ? node.children.filter((child) => typeof child === 'object') : [node]
  const isHere = isObject || objects.some((object) => object === node.parent)
  return isHere ? candidates.filter((element) => isNamed(element, DSIG_NAMESPACE, 'Manifest')) : []
}

async function readManifest(
  manifest: XmlElement,
  signature: XmlElement,
  all: SignedDocument,
  detached: Detached,
): Promise<ReferenceOutcome[]> {
  const outcomes: ReferenceOutcome[] = []
  try {
    for (const reference of readReferences(childElements(manifest)))
      outcomes.push(await followReference(reference, signature, all, detached))
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
  }
  return outcomes
}

function remark({ status, reference }: ReferenceOutcome): Finding[] {
  if (status === 'fits') return []
  return [
    { severity: 'unclean', code: 'manifest-reference', detail: `${status}: ${(reference.uri ?? '').slice(0, 200)}` },
  ]
}

const MANIFEST_TYPE = `${DSIG_NAMESPACE}Manifest`
