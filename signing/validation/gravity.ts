/** The order in which the faults of a signature are told, and in which the first one decides. */
import type { SignatureFault, SignatureFaultCode } from './facts.ts'

/** The gravest first: what is certainly broken before what cannot be told, before what a rule forbids. */
export function gravestFirst(faults: readonly SignatureFault[]): SignatureFault[] {
  return faults.toSorted((a, b) => GRAVITY.indexOf(a.code) - GRAVITY.indexOf(b.code))
}

const GRAVITY: readonly SignatureFaultCode[] = [
  'format',
  'forbidden-change',
  'digest',
  'value',
  'data-missing',
  'certificate-missing',
  'certificate-reference',
  'algorithm',
  'policy-missing',
  'constraints',
]
