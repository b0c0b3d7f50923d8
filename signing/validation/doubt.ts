/**
 * A constraint of a path that does not hold at the time of validation, and what would heal it (ETSI EN 319 102-1 §5.5.4
 * and §5.6.2): a proof that the signature, or a piece of evidence, existed early enough.
 */
import { informed, missed } from './checks.ts'
import type { Checked } from './checks.ts'
import type { Proof } from './poe.ts'
import type { ConstraintReport, SubIndication } from './report.ts'

export interface Doubt {
  readonly checked: Checked
  readonly sub: SubIndication
  /** English, for experts */
  readonly detail: string
  /** it is no matter if the object existed at `until`; null: no single proof helps */
  readonly cure: { readonly proof: Proof; readonly until: Date } | null
  /** sliding the time of validation may help (past.ts) */
  readonly past: boolean
  /** what it becomes when it is proven that the signature was made after `cure.until`; null: the same */
  readonly proven: SubIndication | null
}

/** What the proofs at hand make of a doubt: a report when it is settled, null while it stays open. */
export function settle({ checked, cure, detail, proven }: Doubt, madeAfter: Proof | null): ConstraintReport | null {
  if (cure === null) return null
  const { proof, until } = cure
  if (proof.time <= until) return informed(checked, `${detail}; existed at ${at(proof)}`)
  if (proven === null || madeAfter === null || madeAfter.time <= until) return null
  return missed(checked, proven, `${detail}; made after ${at(madeAfter)}`)
}

export function openDoubt({ checked, sub, detail }: Doubt): ConstraintReport {
  return missed(checked, sub, detail)
}

export const at = ({ time, source }: Proof): string => `${time.toISOString()} (${source})`
