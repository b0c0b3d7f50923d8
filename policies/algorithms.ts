/**
 * Which algorithms are good enough, and until when: for new signatures, and for judging those of others.
 *
 * Sources: ETSI TS 119 312 v1.5.1 (2024-12), Bundesnetzagentur notice of 2024-09-06 (RSA below 3000 bit ends with 2025)
 * and the SOG-IS catalogue that it follows, BSI TR-02102-1 (2026). For our own signatures the stricter of them counts,
 * because a German court or archive asks the German one; other people's are judged under each view by itself.
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

/**
 * - `ts119312`: the European view, by which most validators of other countries judge
 * - `bnetza`: the German view for qualified signatures
 */
export type AlgorithmPolicy = 'ts119312' | 'bnetza'

/** What made a signature value; names as signing/trust/signature-value.ts gives them. */
export interface AlgorithmUse {
  /** rsa-pkcs1, rsa-pss, ecdsa, ecdsa-plain, eddsa, dsa */
  readonly signature: string
  /** null: the scheme has its own (EdDSA) */
  readonly digest: string | null
  /** rsa, ec, ed25519, ed448, dsa */
  readonly keyKind: string
  /** RSA and DSA: length of the modulus; elliptic curves: size of the field */
  readonly keyBits: number
}

/** The part of a signature that ends first, or that no table knows. */
export type AlgorithmPart = 'digest' | 'scheme' | 'key'

/**
 * - `good`: suitable at that time; `until` is the last instant of suitability of the weakest part, null without end
 * - `ended`: was suitable until `until`, which lies before that time
 * - `refused`: not in the table, or too weak since before tables were kept
 */
export type AlgorithmVerdict =
  | { readonly kind: 'good'; readonly until: Date | null }
  | { readonly kind: 'ended'; readonly part: AlgorithmPart; readonly until: Date }
  | { readonly kind: 'refused'; readonly part: AlgorithmPart }

/**
 * Was this combination of scheme, digest and key suitable at `at`?
 *
 * `at` is the best proven time of the object (a signature, certificate, CRL, OCSP answer or time-stamp), not its claim.
 */
export function judgeAlgorithm(use: AlgorithmUse, policy: AlgorithmPolicy, at: Date): AlgorithmVerdict {
  const digest = use.digest === null && use.signature === 'eddsa' ? [] : [judgeDigest(use.digest ?? '', policy, at)]
  const scheme = verdictOf('scheme', SCHEMES[policy].get(use.signature), at)
  return weakest([...digest, scheme, judgeKey(use, policy, at)])
}

/** Was this digest suitable at `at`, by itself: message digests, imprints of time-stamps, references in XML? */
export function judgeDigest(digest: string, policy: AlgorithmPolicy, at: Date): AlgorithmVerdict {
  return verdictOf('digest', DIGESTS[policy].get(digest), at)
}

/** Was a key of this kind and size suitable at `at`? */
export function judgeKey(
  { keyKind, keyBits }: Pick<AlgorithmUse, 'keyKind' | 'keyBits'>,
  policy: AlgorithmPolicy,
  at: Date,
): AlgorithmVerdict {
  const row = KEYS[policy].find(({ kind, minimumBits }) => kind === keyKind && keyBits >= minimumBits)
  return verdictOf('key', row?.until, at)
}

function verdictOf(part: AlgorithmPart, end: string | null | undefined, at: Date): AlgorithmVerdict {
  if (end === undefined) return { kind: 'refused', part }
  if (end === null) return { kind: 'good', until: null }
  const until = new Date(end)
  return at > until ? { kind: 'ended', part, until } : { kind: 'good', until }
}

/** What nobody knows outweighs what has ended, and what ended first outweighs the rest. */
function weakest(verdicts: readonly AlgorithmVerdict[]): AlgorithmVerdict {
  const order = (verdict: AlgorithmVerdict): number => {
    if (verdict.kind === 'refused') return -Infinity
    return verdict.until?.getTime() ?? Infinity
  }
  return verdicts.reduce((worst, verdict) => (order(verdict) < order(worst) ? verdict : worst), GOOD)
}

const GOOD: AlgorithmVerdict = { kind: 'good', until: null }

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

/** SHAKE256 is part of Ed448 itself (RFC 8032 §5.2): who accepts that, accepts it */
const STRONG_DIGESTS = [
  'sha256',
  'sha384',
  'sha512',
  'sha512-256',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'shake256',
] as const

/** Digest to the last instant of suitability; null: no end set. TS 119 312 §A.1 and its earlier editions. */
const EUROPEAN_DIGESTS: readonly (readonly [string, string | null])[] = [
  ['md5', '2004-08-01T00:00:00Z'],
  ['sha1', '2012-08-01T00:00:00Z'],
  ['ripemd160', '2014-08-01T00:00:00Z'],
  ['sha224', '2029-01-01T00:00:00Z'],
  ['sha512-224', '2029-01-01T00:00:00Z'],
  ['sha3-224', '2029-01-01T00:00:00Z'],
  ...STRONG_DIGESTS.map((digest) => [digest, null] as const),
]

/** The yearly notices of the Bundesnetzagentur on suitable algorithms, as far as they set an end for making signatures. */
const GERMAN_DIGESTS: readonly (readonly [string, string | null])[] = [
  ['sha1', '2008-06-30T23:59:59Z'],
  ['ripemd160', '2010-12-31T23:59:59Z'],
  ['sha224', '2015-12-31T23:59:59Z'],
  ...STRONG_DIGESTS.map((digest) => [digest, null] as const),
]
const DIGESTS: Readonly<Record<AlgorithmPolicy, ReadonlyMap<string, string | null>>> = {
  ts119312: new Map(EUROPEAN_DIGESTS),
  bnetza: new Map(GERMAN_DIGESTS),
}

/** PKCS#1 v1.5 is "legacy" in TS 119 312: recognised until the end of 2028, recommended for nothing new. */
const SCHEMES: Readonly<Record<AlgorithmPolicy, ReadonlyMap<string, string | null>>> = {
  ts119312: new Map([
    ['rsa-pkcs1', '2029-01-01T00:00:00Z'],
    ['rsa-pss', null],
    ['ecdsa', null],
    ['ecdsa-plain', null],
    ['eddsa', null],
    ['dsa', '2029-01-01T00:00:00Z'],
  ]),
  bnetza: new Map([
    ['rsa-pkcs1', null],
    ['rsa-pss', null],
    ['ecdsa', null],
    ['ecdsa-plain', null],
    ['eddsa', null],
  ]),
}

interface KeyRow {
  readonly kind: string
  readonly minimumBits: number
  readonly until: string | null
}

/** Longest key first: the first row that fits decides. Brainpool curves count by the size of their field like any other. */
const KEYS: Readonly<Record<AlgorithmPolicy, readonly KeyRow[]>> = {
  ts119312: [
    { kind: 'rsa', minimumBits: 3000, until: null },
    { kind: 'rsa', minimumBits: 1900, until: '2028-12-31T23:59:59Z' },
    { kind: 'rsa', minimumBits: 1024, until: '2019-10-01T00:00:00Z' },
    { kind: 'ec', minimumBits: 256, until: null },
    { kind: 'ec', minimumBits: 224, until: '2021-10-01T00:00:00Z' },
    { kind: 'ed25519', minimumBits: 255, until: null },
    { kind: 'ed448', minimumBits: 448, until: null },
    { kind: 'dsa', minimumBits: 2048, until: '2029-01-01T00:00:00Z' },
  ],
  bnetza: [
    { kind: 'rsa', minimumBits: 3000, until: null },
    { kind: 'rsa', minimumBits: 1900, until: '2025-12-31T23:59:59Z' },
    { kind: 'rsa', minimumBits: 1728, until: '2010-12-31T23:59:59Z' },
    { kind: 'rsa', minimumBits: 1536, until: '2009-12-31T23:59:59Z' },
    { kind: 'rsa', minimumBits: 1280, until: '2008-12-31T23:59:59Z' },
    { kind: 'rsa', minimumBits: 1024, until: '2008-03-31T23:59:59Z' },
    { kind: 'ec', minimumBits: 250, until: null },
    { kind: 'ec', minimumBits: 224, until: '2015-12-31T23:59:59Z' },
    { kind: 'ed25519', minimumBits: 255, until: null },
    { kind: 'ed448', minimumBits: 448, until: null },
  ],
}
