/**
 * Does a certificate fit the criteria of a qualification (ETSI TS 119 612 §5.5.9.2.2)?
 *
 * A third answer besides yes and no is needed: a criterion that this program does not know decides nothing, unless the
 * others decide without it.
 */
import { SigningError } from '../../errors.ts'
import type { Certificate } from '../certificate.ts'
import { readPolicies } from '../extensions.ts'
import type { Criterion, ServiceState } from './model.ts'

/** True, false, or null: not to be told. */
function fits(certificate: Certificate, criterion: Criterion): boolean | null {
  switch (criterion.kind) {
    case 'list':
      return combine(
        criterion.assert,
        criterion.criteria.map((part) => fits(certificate, part)),
      )
    case 'key-usage':
      return [...criterion.bits].every(([bit, value]) => (certificate.keyUsage?.has(bit) ?? false) === value)
    case 'policies':
      return includesAll(policiesOf(certificate), criterion.ids)
    case 'purposes':
      return includesAll(certificate.extendedKeyUsage ?? NONE, criterion.ids)
    case 'subject-attributes':
      return includesAll(new Set(certificate.subject.attributes.map(({ type }) => type)), criterion.ids)
    case 'unknown':
      return null
  }
}

/** Qualifiers of a state that hold for the certificate; null: a criterion cannot be decided. */
export function qualifiersFor(certificate: Certificate, state: ServiceState): ReadonlySet<string> | null {
  const held = new Set<string>()
  for (const { criteria, qualifiers } of state.qualifications) {
    const fit = fits(certificate, criteria)
    if (fit === null) return null
    if (fit) for (const qualifier of qualifiers) held.add(qualifier)
  }
  return held
}

function combine(assert: 'all' | 'atLeastOne' | 'none', answers: readonly (boolean | null)[]): boolean | null {
  const isUnclear = answers.includes(null)
  if (assert === 'all') return answers.includes(false) ? false : isUnclear ? null : true
  if (answers.includes(true)) return assert === 'atLeastOne'
  return isUnclear ? null : assert === 'none'
}

/** Policies of the certificate; none where the extension cannot be read. */
export function policiesOf(certificate: Certificate): ReadonlySet<string> {
  try {
    return readPolicies(certificate) ?? NONE
  } catch (error) {
    if (error instanceof SigningError) return NONE
    throw error
  }
}

function includesAll(held: ReadonlySet<string>, wanted: readonly string[]): boolean {
  return wanted.length > 0 && wanted.every((id) => held.has(id))
}

const NONE: ReadonlySet<string> = new Set<string>()
