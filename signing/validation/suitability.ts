/**
 * Algorithm constraints (ETSI EN 319 102-1 §5.2.8.4.3): was every algorithm good enough when its object existed for sure?
 */
import { judgeAlgorithm, judgeDigest } from '../../policies/index.ts'
import type { AlgorithmPolicy, AlgorithmVerdict } from '../../policies/index.ts'
import { readOrNull } from '../errors.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import { informed, missed, passed } from './checks.ts'
import type { Checked } from './checks.ts'
import type { AlgorithmInUse } from './facts.ts'
import type { Proof } from './poe.ts'
import type { AlgorithmReport, ConstraintReport } from './report.ts'

type Use = AlgorithmInUse['use']

/** @param madeAfter the time before which it was not made; null: not known */
export function suitability(
  checked: Checked,
  use: Use,
  { view, proof, madeAfter }: { view: AlgorithmPolicy; proof: Proof; madeAfter: Proof | null },
): ConstraintReport {
  const verdict = judgeUse(use, view, proof.time)
  if (verdict.kind === 'good') {
    const ended = judgeUse(use, view, new Date(8.64e15)).kind !== 'good'
    return proof.source === 'now' || !ended ? passed(checked) : informed(checked, `${nameOf(use)}: ${proof.source}`)
  }
  if (verdict.kind === 'refused') return missed(checked, 'CRYPTO_CONSTRAINTS_FAILURE', `${nameOf(use)} is not suitable`)
  const late = madeAfter !== null && madeAfter.time > verdict.until
  const sub = late ? 'CRYPTO_CONSTRAINTS_FAILURE' : 'CRYPTO_CONSTRAINTS_FAILURE_NO_POE'
  return missed(checked, sub, `${nameOf(use)} was suitable until ${verdict.until.toISOString()}`)
}

/** What signed a certificate, list or answer; null when its identifiers cannot be read. */
export function useOf(algorithm: Buffer, spki: Buffer): Use | null {
  return readOrNull(() => algorithmFacts(algorithm, spki))
}

export function algorithmReport({ place, use }: AlgorithmInUse): AlgorithmReport {
  const until = (view: AlgorithmPolicy): string | null => {
    const verdict = judgeUse(use, view, BEFORE_ALL)
    return verdict.kind === 'good' ? (verdict.until?.toISOString() ?? null) : 'refused'
  }
  return { place, name: nameOf(use), until: { ts119312: until('ts119312'), bnetza: until('bnetza') } }
}

function judgeUse(use: Use, view: AlgorithmPolicy, at: Date): AlgorithmVerdict {
  return 'signature' in use ? judgeAlgorithm(use, view, at) : judgeDigest(use.digest ?? '', view, at)
}

function nameOf(use: Use): string {
  if (!('signature' in use)) return use.digest ?? 'unknown digest'
  const key = use.curve ?? String(use.keyBits)
  const scheme = use.signature === 'unknown' ? use.oid : use.signature
  return [scheme, use.digest, key].filter((part) => part !== null).join(' ')
}

const BEFORE_ALL = new Date(0)
