/**
 * Which keys and digests may still make new signatures, and until when.
 *
 * Sources: BSI TR-02102-1 (2026), ETSI TS 119 312 v1.5.1, Bundesnetzagentur notice of 2024-09-06 (RSA below 3000 bit
 * ends with 2025). The stricter of them counts, because a German court or archive asks the German one.
 */

/** `bits`: RSA modulus length, or the size of the curve's field. */
export interface KeyFacts {
  kind: 'rsa' | 'ec'
  bits: number
}

/**
 * `good` now and for another year · `ending`: good now, ends within a year · `refused`: not suitable at `now`.
 * `until` is the last instant of suitability; null where no end is set.
 */
export interface KeyVerdict {
  kind: 'good' | 'ending' | 'refused'
  until: Date | null
}

/** May a key of this kind and size make a new signature at `now`? */
export function judgeSigningKey(key: KeyFacts, now: Date): KeyVerdict {
  const rule = SIGNING_KEYS.find((row) => row.kind === key.kind && key.bits >= row.minimumBits)
  if (rule === undefined) return { kind: 'refused', until: null }
  const until = rule.until === null ? null : new Date(rule.until)
  if (until === null) return { kind: 'good', until }
  if (now > until) return { kind: 'refused', until }
  return { kind: now.getTime() + YEAR_MS > until.getTime() ? 'ending' : 'good', until }
}

/** Strongest row first; the first that fits decides. What fits no row is refused. */
const SIGNING_KEYS = [
  { kind: 'rsa', minimumBits: 3000, until: null },
  { kind: 'rsa', minimumBits: 1900, until: '2025-12-31T23:59:59Z' },
  { kind: 'ec', minimumBits: 250, until: '2035-12-31T23:59:59Z' },
] as const satisfies readonly { kind: KeyFacts['kind']; minimumBits: number; until: string | null }[]

const YEAR_MS = 365 * 24 * 60 * 60 * 1000
