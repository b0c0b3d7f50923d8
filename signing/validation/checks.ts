/**
 * The list of constraints that a validation went through, and the conclusion that follows from it.
 *
 * All constraints are kept, not only the first that failed. Which of them names the result is a matter of order: that
 * of the building blocks (ETSI EN 319 102-1 §5.3), what cannot be healed before what can.
 */
import type { Conclusion, ConstraintReport, SubIndication } from './report.ts'

export type Block = ConstraintReport['block']

/** A constraint that was looked at. `subject`: sha256 of a certificate or evidence, id of a time-stamp. */
export interface Checked {
  block: Block
  name: string
  subject?: string | null
}

export const passed = ({ block, name, subject = null }: Checked): ConstraintReport => ({
  block,
  name,
  result: 'passed',
  subIndication: null,
  detail: '',
  subject,
})

export const informed = (checked: Checked, detail: string): ConstraintReport => ({
  ...passed(checked),
  result: 'information',
  detail,
})

export function missed(checked: Checked, subIndication: SubIndication, detail: string): ConstraintReport {
  const result = FAILURES.has(subIndication) ? 'failed' : 'undecided'
  return { ...passed(checked), result, subIndication, detail }
}

/** The gravest of the constraints that did not hold. */
export function conclude(constraints: readonly ConstraintReport[]): Conclusion {
  const subs = constraints.flatMap(({ subIndication }) => (subIndication === null ? [] : [subIndication]))
  const [gravest] = subs.sort((a, b) => gravity(a) - gravity(b))
  if (gravest === undefined) return { indication: 'TOTAL-PASSED', subIndication: null }
  return { indication: FAILURES.has(gravest) ? 'TOTAL-FAILED' : 'INDETERMINATE', subIndication: gravest }
}

/** The lower, the graver. */
export function gravity(sub: SubIndication): number {
  return ORDER.indexOf(sub)
}

/** In the order of the building blocks; constraints of one certificate in the order in which DSS and others name them. */
const ORDER: readonly SubIndication[] = [
  'FORMAT_FAILURE',
  'NO_SIGNING_CERTIFICATE_FOUND',
  'POLICY_PROCESSING_ERROR',
  'SIGNATURE_POLICY_NOT_AVAILABLE',
  'HASH_FAILURE',
  'SIGNED_DATA_NOT_FOUND',
  'SIG_CRYPTO_FAILURE',
  'NOT_YET_VALID',
  'REVOKED',
  'EXPIRED',
  'NO_CERTIFICATE_CHAIN_FOUND',
  'NO_CERTIFICATE_CHAIN_FOUND_NO_POE',
  'CHAIN_CONSTRAINTS_FAILURE',
  'CERTIFICATE_CHAIN_GENERAL_FAILURE',
  'REVOKED_CA_NO_POE',
  'REVOKED_NO_POE',
  'OUT_OF_BOUNDS_NO_POE',
  'OUT_OF_BOUNDS_NOT_REVOKED',
  'REVOCATION_OUT_OF_BOUNDS_NO_POE',
  'TRY_LATER',
  'NO_POE',
  'SIG_CONSTRAINTS_FAILURE',
  'CRYPTO_CONSTRAINTS_FAILURE',
  'CRYPTO_CONSTRAINTS_FAILURE_NO_POE',
  'TIMESTAMP_ORDER_FAILURE',
]

/** ETSI EN 319 102-1 table 6: these mean TOTAL-FAILED, all others INDETERMINATE. */
const FAILURES: ReadonlySet<SubIndication> = new Set<SubIndication>([
  'FORMAT_FAILURE',
  'HASH_FAILURE',
  'SIG_CRYPTO_FAILURE',
  'REVOKED',
  'EXPIRED',
  'NOT_YET_VALID',
])
