/**
 * By which rules a validation decides where the standard leaves a choice (ETSI EN 319 102-1 §4.2.2, §5.1.4.3).
 *
 * Plain data: a report carries the hash of it, and the same document, evidence, policy and time give the same report.
 */
import { createHash } from 'node:crypto'
import type { AlgorithmPolicy } from '../../policies/index.ts'

export interface ValidationPolicy {
  readonly id: 'strict' | 'tolerant'
  /** the view of the algorithm tables that decides; the other one is shown */
  readonly algorithms: AlgorithmPolicy
  /**
   * What a change means that was made to a signed PDF and that its signature does not allow:
   * the signature failed, or a remark beside it
   */
  readonly forbiddenChanges: 'fail' | 'remark'
  /** a container with files that no signature covers is never "valid" */
  readonly requireFullCoverage: boolean
  /** see PathConditions.model */
  readonly pathModel: 'shell' | 'chain'
  readonly revocation: RevocationRules
  /** by how many milliseconds time-stamps of different authorities may contradict each other */
  readonly timestampSkewMs: number
}

/**
 * Revocation data count as long as they are in force at the time that matters: the best proven time of the signature.
 * Where nothing newer is at hand they may count longer, because what lies inside a document only grows older; the
 * report says so. Null: without end.
 */
export interface RevocationRules {
  /** how far clocks may differ */
  readonly skewMs: number
  /** how long data without nextUpdate are in force */
  readonly maxAgeMs: number
  /** days after thisUpdate, for certificates of signers */
  readonly signatureAgeDays: number | null
  /** days after thisUpdate, for certificates of time-stamping authorities: the outermost can have none newer */
  readonly timestampAgeDays: number | null
}

export const STRICT: ValidationPolicy = {
  id: 'strict',
  algorithms: 'ts119312',
  forbiddenChanges: 'fail',
  requireFullCoverage: true,
  pathModel: 'shell',
  revocation: { skewMs: 5 * 60_000, maxAgeMs: 24 * 3_600_000, signatureAgeDays: 366, timestampAgeDays: null },
  timestampSkewMs: 60_000,
}

/** Changes after signing and uncovered files are remarks, as in most validators of other countries. */
export const TOLERANT: ValidationPolicy = {
  ...STRICT,
  id: 'tolerant',
  forbiddenChanges: 'remark',
  requireFullCoverage: false,
}

/** SHA-256 over the settings, whatever order they were written in; lower-case hexadecimal. */
export function policyHash(policy: ValidationPolicy): string {
  return createHash('sha256').update(canonical(policy)).digest('hex')
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
