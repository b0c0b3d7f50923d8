/**
 * From facts to verdicts: the validation of a document after ETSI EN 319 102-1, format-independent.
 *
 * Pure: no clock, no network. The same facts, anchors, evidence, policy and time give the same report, years later too.
 */
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { TrustAnchor } from '../trust/trust-anchor.ts'
import { describeCertificates } from './describe.ts'
import type { DocumentFacts } from './facts.ts'
import type { Finding } from './finding.ts'
import { headlineOf } from './headline.ts'
import { policyHash } from './policy.ts'
import type { ValidationPolicy } from './policy.ts'
import type { Qualifier } from './qualifier.ts'
import type { TimestampReport, ValidationReport } from './report.ts'
import { judgeSignature, pathIds } from './signature.ts'
import { judgeTimestamps } from './timestamps.ts'
import type { JudgedTimestamp } from './timestamps.ts'
import { layOut } from './workbench.ts'

export interface JudgementInput {
  facts: DocumentFacts
  /** size and SHA-256 of what was read */
  document: Pick<ValidationReport['document'], 'sizeBytes' | 'sha256'>
  anchors: readonly TrustAnchor[]
  /** beside what the document carries: fetched, or kept from earlier; nothing in it is trusted */
  evidence: Evidence
  policy: ValidationPolicy
  now: Date
  /** null: no trusted lists */
  qualifier: Qualifier | null
  /** name and version of this program, for the report */
  producer: string
}

export function judge(input: JudgementInput): ValidationReport {
  const { facts, policy, now, qualifier } = input
  const bench = layOut(facts, input)
  const judged = judgeTimestamps(bench, facts)
  const context = { document: facts, timestamps: judged, qualifier }
  const signatures = facts.signatures.map((signature) => judgeSignature(bench, signature, context))
  const timestamps = facts.timestamps.flatMap(({ id }) => {
    const timestamp = judged.get(id)
    return timestamp === undefined ? [] : [timestampReport(timestamp, qualifier)]
  })
  const trusts = [...signatures, ...judged.values()].flatMap(({ trust }) => trust ?? [])
  const named = [...facts.signatures, ...facts.timestamps].flatMap(({ certificate }) => certificate ?? [])
  const onPaths = trusts.flatMap(({ path }) => (path === null ? [] : [...path.certificates, path.anchor.certificate]))
  const statuses = trusts.flatMap((trust) => trust.statuses)
  const parts = {
    signatures: signatures.map(({ report }) => ({ ...report, findings: weigh(report.findings, policy) })),
    timestamps,
    findings: weigh(facts.findings, policy),
  }
  return {
    version: 1,
    producer: input.producer,
    validationTime: now.toISOString(),
    policy: { id: policy.id, algorithms: policy.algorithms, sha256: policyHash(policy) },
    document: { format: facts.format, ...input.document },
    headline: headlineOf(parts),
    ...parts,
    certificates: describeCertificates([...named, ...onPaths], statuses),
    lists: [...(qualifier?.lists ?? [])],
  }
}

function timestampReport(judged: JudgedTimestamp, qualifier: Qualifier | null): TimestampReport {
  const { facts, conclusion, constraints, trust } = judged
  return {
    ...conclusion,
    id: facts.id,
    kind: facts.kind,
    time: facts.info?.genTime.toISOString() ?? null,
    certificate: facts.certificate?.sha256 ?? null,
    path: trust === null ? [] : pathIds(trust),
    qualified: isQualified(judged, qualifier),
    constraints: [...constraints],
    findings: [...facts.findings],
  }
}

function isQualified({ facts, conclusion, trust }: JudgedTimestamp, qualifier: Qualifier | null): boolean | null {
  const { certificate, info } = facts
  const path = trust?.path ?? null
  if (conclusion.indication === 'TOTAL-FAILED') return false
  if (certificate === null || info === null || path === null || qualifier === null) return null
  const { certificates, anchor } = path
  return qualifier.isQualifiedTimestamp({ certificate, path: certificates, anchor, genTime: info.genTime })
}

/** Where the policy asks for no full coverage, files that are not covered are a warning. */
function weigh(findings: readonly Finding[], { requireFullCoverage }: ValidationPolicy): Finding[] {
  return findings.map((finding) =>
    finding.code === 'files-not-covered' && !requireFullCoverage ? { ...finding, severity: 'warning' } : finding,
  )
}
