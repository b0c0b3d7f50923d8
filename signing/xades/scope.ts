/**
 * How much of the document the references of a signature cover, by the identity of elements (ETSI EN 319 102-1 §5.2.7,
 * signature wrapping): what is shown to a person must be what was signed.
 */
import type { SignatureScope } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { isNamed } from '../xml/find.ts'
import { DSIG_NAMESPACE } from '../xml/namespaces.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { ReferenceOutcome } from './outcomes.ts'
import type { Properties } from './properties.ts'

export interface ScopeReading {
  scope: SignatureScope
  findings: Finding[]
}

export interface ScopeQuestion {
  signature: DsigSignature
  properties: Properties | null
  root: XmlElement
  /** of the signature and of its manifests */
  outcomes: readonly ReferenceOutcome[]
  isBroken: boolean
  isCountersignature: boolean
}

export function scopeOf(question: ScopeQuestion): ScopeReading {
  const { properties, outcomes, root, isCountersignature } = question
  if (question.isBroken) return { scope: { kind: 'nothing', names: [], revisionBytes: null }, findings: [] }
  const data = outcomes.filter(
    ({ node, status }) => status === 'fits' && (node === null || node !== properties?.signed),
  )
  const names = [...new Set(data.flatMap(nameOf))]
  const scope = (kind: SignatureScope['kind']): SignatureScope => ({ kind, names, revisionBytes: null })
  if (isCountersignature) return { scope: scope('whole'), findings: [] }
  const left = leftOver(question, data)
  if (data.some(isWholeDocument)) return { scope: scope('whole'), findings: left }
  if (isSignatureFile(root)) return { scope: scope(left.length === 0 ? 'whole' : 'part'), findings: left }
  // signed content that hides in a signature is not what anybody sees
  const isHidden = data.every(({ node }) => node !== null && isInSignature(node))
  const detail = names.join(' ')
  const finding: Finding = { severity: isHidden ? 'unclean' : 'warning', code: 'element-only', detail }
  return { scope: scope('part'), findings: [finding, ...left] }
}

/** Every element counts, only signatures are left out. */
function isWholeDocument({ place, reference }: ReferenceOutcome): boolean {
  return place === 'whole' && reference.steps?.every(({ kind }) => kind !== 'base64') === true
}

/** Objects of the signature that nothing covers: a place to hide what others may take for signed. */
function leftOver({ signature, properties }: ScopeQuestion, data: readonly ReferenceOutcome[]): Finding[] {
  const covered = new Set(data.map(({ node }) => node))
  const isCovered = (object: XmlElement): boolean =>
    object === properties?.object ||
    covered.has(object) ||
    object.children.every((child) => (typeof child === 'string' ? child.trim() === '' : covered.has(child)))
  const left = signature.objects.filter((object) => !isCovered(object))
  return left.length === 0
    ? []
    : [{ severity: 'warning', code: 'unknown-elements', detail: `${left.length} objects that are not signed` }]
}

/** The document is nothing but signatures: the root is one, or all of its elements are. */
function isSignatureFile(root: XmlElement): boolean {
  const isSignature = (element: XmlElement): boolean => isNamed(element, DSIG_NAMESPACE, 'Signature')
  const children = root.children.filter((child) => typeof child === 'object')
  return isSignature(root) || (children.length > 0 && children.every(isSignature))
}

function isInSignature(node: XmlElement): boolean {
  for (let at: XmlElement | null = node; at; at = at.parent) if (isNamed(at, DSIG_NAMESPACE, 'Signature')) return true
  return false
}

function nameOf({ reference, place }: ReferenceOutcome): string[] {
  return place === 'whole' ? [] : [(reference.uri ?? '').slice(0, 300)]
}
