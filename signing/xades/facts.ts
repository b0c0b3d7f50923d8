/**
 * Facts about one ds:Signature: whether it holds together, who made it, what it claims and covers, its time-stamps and
 * the evidence that it carries (ETSI EN 319 132-1, EN 319 102-1 §5.2).
 */
import { evidenceOf } from '../cms/carried.ts'
import { SigningError } from '../errors.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import type { AlgorithmInUse, SignatureFacts, SignatureFault, TimestampFacts } from '../validation/facts.ts'
import type { Finding } from '../validation/finding.ts'
import { gravestFirst } from '../validation/gravity.ts'
import { objectId } from '../validation/object-id.ts'
import { readDsig } from '../xml/dsig.ts'
import type { DsigSignature } from '../xml/dsig.ts'
import { XADES_NAMESPACE } from '../xml/namespaces.ts'
import type { SignedDocument } from '../xml/references.ts'
import type { XmlElement } from '../xml/tree.ts'
import { objectsWithin } from './carried.ts'
import { readCertificateReferences } from './certificate-reference.ts'
import { NO_CLAIMS, readClaims } from './claims.ts'
import { coreFaults } from './core-faults.ts'
import { readManifests } from './manifests.ts'
import { followReference } from './outcomes.ts'
import type { Detached, ReferenceOutcome } from './outcomes.ts'
import { profileFaults } from './profile.ts'
import { isXades, readProperties } from './properties.ts'
import type { Properties } from './properties.ts'
import { scopeOf } from './scope.ts'
import { findSigner } from './signer.ts'
import { readStamps } from './timestamps.ts'

export interface XmlSignatureReading {
  element: XmlElement
  all: SignedDocument
  detached: Detached
  id: string
  /** file in a container; empty: none */
  name: string
  /** the signature that this one countersigns: its id, and the element of its value */
  countersigned: { id: string; valueElement: XmlElement } | null
  nextTimestampId: () => string
  /** certificates of the document, for signatures that carry none themselves */
  others: readonly Certificate[]
  readable: (ders: readonly Buffer[]) => Certificate[]
}

export interface XmlSignatureFacts {
  signature: SignatureFacts
  timestamps: TimestampFacts[]
  evidence: Evidence
}

/**
 * Reads and judges one signature.
 *
 * @throws SigningError `signing/xml-malformed`, `signing/xml-too-large` it cannot even be taken apart
 */
export async function readXmlSignature(reading: XmlSignatureReading): Promise<XmlSignatureFacts> {
  const { element, all, detached } = reading
  const signature = readDsig(element)
  const properties = readProperties(signature, all.ids)
  const outcomes: ReferenceOutcome[] = []
  for (const reference of signature.references) outcomes.push(await followReference(reference, element, all, detached))
  const manifests = await readManifests(signature, outcomes, all, detached)
  const stamps =
    properties === null
      ? { timestamps: [], findings: [] }
      : await readStamps({ signature, properties, outcomes, all }, reading.nextTimestampId)
  const parts: Parts = { signature, properties, outcomes, manifests, stamps }
  return {
    signature: describe(reading, parts),
    timestamps: stamps.timestamps,
    evidence: evidenceOf(objectsWithin(element)),
  }
}

interface Parts {
  signature: DsigSignature
  properties: Properties | null
  outcomes: readonly ReferenceOutcome[]
  manifests: Awaited<ReturnType<typeof readManifests>>
  stamps: Awaited<ReturnType<typeof readStamps>>
}

function describe(reading: XmlSignatureReading, parts: Parts): SignatureFacts {
  const { signature, properties, outcomes, manifests, stamps } = parts
  const { all, countersigned } = reading
  const core = coreFaults({ signature, properties, outcomes, all, countersigned: countersigned?.valueElement ?? null })
  const trusted = core.areSigned ? properties : null
  const references = trusted === null ? null : readCertificateReferences(trusted)
  const own = reading.readable(evidenceOf(objectsWithin(reading.element)).certificates)
  const signer = findSigner(signature, [...own, ...reading.others], references, all.budget)
  const claimed = trusted === null ? NO_CLAIMS : readClaims(trusted)
  const faults = [
    ...core.faults,
    ...manifests.faults,
    ...signer.faults,
    ...missingNames(references),
    ...policyFaults(claimed.policy),
  ]
  const { scope, findings } = scopeOf({
    signature,
    properties,
    root: all.document.root,
    outcomes: [...outcomes, ...manifests.outcomes],
    isBroken: faults.some(({ code }) => BREAKING.has(code)),
    isCountersignature: countersigned !== null,
  })
  return {
    id: reading.id,
    form: 'XAdES',
    name: reading.name,
    countersigns: countersigned?.id ?? null,
    faults: gravestFirst(faults),
    certificate: signer.certificate,
    claimed,
    algorithms: algorithmsOf(parts, signer.certificate),
    valueId: objectId(signature.value),
    timestampIds: stamps.timestamps.map(({ id }) => id),
    profileFaults: profileFaults({ signature, properties: trusted, certificate: signer.certificate }),
    carriesEvidence: carriesEvidence(properties),
    scope,
    findings: [
      ...signer.findings,
      ...baselineFindings(references, properties),
      ...manifests.findings,
      ...findings,
      ...stamps.findings,
    ],
  }
}

function missingNames(references: readonly unknown[] | null): SignatureFault[] {
  return references === null ? [{ code: 'constraints', detail: 'no signed property names the certificate' }] : []
}

function policyFaults(policy: string | null): SignatureFault[] {
  return policy === null ? [] : [{ code: 'policy-missing', detail: `signature policy ${policy}` }]
}

function baselineFindings(references: readonly unknown[] | null, properties: Properties | null): Finding[] {
  const findings: Finding[] = []
  if (references === null) findings.push({ severity: 'warning', code: 'not-baseline', detail: '' })
  if (properties !== null && properties.namespace !== XADES_NAMESPACE)
    findings.push({
      severity: 'warning',
      code: 'not-baseline',
      detail: `an older version of XAdES: ${properties.namespace}`,
    })
  return findings
}

/** Signature and reference digests; those of the certificate's name are shown, not judged. */
function algorithmsOf({ signature, outcomes }: Parts, certificate: Certificate | null): AlgorithmInUse[] {
  const digests = outcomes.map(({ reference }, index): AlgorithmInUse => ({
    place: `reference ${index + 1}`,
    use: { digest: reference.digest },
  }))
  if (certificate === null || signature.method === null) return digests
  try {
    return [{ place: 'signature', use: algorithmFacts(signature.method.facts, certificate.spki) }, ...digests]
  } catch (error) {
    if (error instanceof SigningError) return digests
    throw error
  }
}

/** Revocation data among the unsigned properties themselves; those inside time-stamps are the time-stamps' own. */
function carriesEvidence(properties: Properties | null): boolean {
  return (properties?.unsigned ?? [])
    .filter((element) => EVIDENCE_PROPERTIES.some((name) => isXades(element, name)))
    .some((element) => objectsWithin(element).some(({ kind }) => kind === 'crl' || kind === 'ocsp'))
}

const EVIDENCE_PROPERTIES = ['RevocationValues', 'TimeStampValidationData', 'AnyValidationData'] as const
const BREAKING: ReadonlySet<string> = new Set(['format', 'digest', 'value', 'data-missing', 'algorithm'])
