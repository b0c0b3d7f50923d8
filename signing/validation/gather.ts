/**
 * Fills up the evidence of a document before it is judged: the only step of a validation that may wait on a network.
 */
import type { Certificate } from '../trust/certificate.ts'
import type { EvidenceSource, Leaf } from '../trust/online.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { DocumentFacts } from './facts.ts'
import type { ValidationReport } from './report.ts'

/**
 * Asks for the signers whose verdict the evidence at hand left open, or let count for longer than it was in force, and
 * for the authorities of time-stamps that did not pass.
 *
 * @param before the report without anything fetched
 */
export async function gather(
  facts: DocumentFacts,
  before: ValidationReport,
  source: EvidenceSource,
): Promise<Evidence> {
  const leaves = openLeaves(facts, before)
  if (leaves.length === 0) return NOTHING
  return (await source.collect(leaves, facts.evidence)).evidence
}

function openLeaves(facts: DocumentFacts, before: ValidationReport): Leaf[] {
  const open = new Set<string>()
  for (const { certificate, indication, findings } of [...before.signatures, ...before.timestamps]) {
    const isAged = findings.some(({ code }) => code === 'revocation-aged')
    if (certificate !== null && (indication === 'INDETERMINATE' || isAged)) open.add(certificate)
  }
  const all = [...facts.signatures, ...facts.timestamps].flatMap(({ certificate }) => certificate ?? [])
  const distinct = new Map<string, Certificate>(all.map((certificate) => [certificate.sha256, certificate]))
  return [...distinct.values()]
    .filter(({ sha256 }) => open.has(sha256))
    .slice(0, MAX_LEAVES)
    .map((certificate) => ({ certificate }))
}

const NOTHING: Evidence = { certificates: [], crls: [], ocsps: [] }
/** each may mean several exchanges; a document with more signers is asked about again */
const MAX_LEAVES = 50
