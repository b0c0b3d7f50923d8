/**
 * Proving who one is: parameters of the factors, and the rules of age, lock-out and enrolment.
 *
 * TOTP is RFC 6238. What a level asks stands in levels.yaml; what never depends on a level stands here.
 */
import { requireLevel } from './levels.ts'
import type { Audience, Factor, InvitationRules, Level, LevelRules, Levels } from './levels.ts'

/**
 * RFC 6238 with the parameters that common authenticator apps take.
 *
 * `toleranceSeconds`: [past, future] seconds around the current time step. The code of the step before is good in the
 * first 5 s of the new one, a future code never. Each code counts once (the last used step is stored).
 */
export const TOTP = {
  algorithm: 'sha1',
  digits: 6,
  periodSeconds: 30,
  secretBytes: 20,
  toleranceSeconds: [5, 0] as [number, number],
} as const

/** Digits of the code that travels beside an invitation link, and how many tries it has. */
export const INVITATION_CODE = { digits: 8, tries: 5 } as const

/**
 * After `freeTries` failures in a row every further try waits: `firstDelayMs`, doubled by each failure up to
 * `maxDelayMs`. `lockAfter` failures within `windowMs` lock the factor until an operator clears it. Tries are counted
 * before they are checked, so that parallel guesses all count.
 */
export interface LockoutRule {
  readonly freeTries: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  readonly lockAfter: number
  readonly windowMs: number
}

/** Guess odds of a 6-digit code under this rule: 50 tries a day at two acceptable codes, 1 in 10,000. */
export const LOCKOUT: LockoutRule = {
  freeTries: 5,
  firstDelayMs: 30_000,
  maxDelayMs: 900_000,
  lockAfter: 50,
  windowMs: 86_400_000,
}

/** What the store remembers of one factor of one account. */
export interface AttemptRecord {
  /** tries since the last success */
  readonly recent: number
  /** tries within the window that began at `windowStart`, successes included */
  readonly inWindow: number
  readonly windowStart: Date
  readonly lastTry: Date
}

export type LockoutVerdict =
  | { readonly kind: 'allowed' }
  /** too early; a try before `retryAt` is not looked at */
  | { readonly kind: 'wait'; readonly retryAt: Date }
  /** only an operator opens it again */
  | { readonly kind: 'locked' }

/**
 * Whether one more try may be looked at.
 *
 * @param record what was counted before this try; null when nothing was
 */
export function lockoutVerdict(record: AttemptRecord | null, rule: LockoutRule, now: Date): LockoutVerdict {
  if (record === null) return { kind: 'allowed' }
  const windowOpen = now.getTime() - record.windowStart.getTime() < rule.windowMs
  if (windowOpen && record.inWindow >= rule.lockAfter) return { kind: 'locked' }
  if (record.recent < rule.freeTries) return { kind: 'allowed' }
  const doublings = Math.min(record.recent - rule.freeTries, 30)
  const delay = Math.min(rule.firstDelayMs * 2 ** doublings, rule.maxDelayMs)
  const retryAt = new Date(record.lastTry.getTime() + delay)
  return retryAt.getTime() <= now.getTime() ? { kind: 'allowed' } : { kind: 'wait', retryAt }
}

/** Characters are Unicode code points after NFC; the upper bound keeps hashing costs in check. */
export const PASSWORD = { minCharacters: 12, maxCharacters: 256 } as const

export type PasswordVerdict = 'good' | 'too-short' | 'too-long' | 'too-uniform' | 'contains-account'

/**
 * Judges a new password. No rules on character classes (NIST SP 800-63B §3.1.1.2): length counts.
 *
 * @param account words that must not make up the password, e.g. the mail address and its part before the @
 */
export function judgePassword(password: string, account: readonly string[]): PasswordVerdict {
  const characters = Array.from(password.normalize('NFC'))
  if (characters.length < PASSWORD.minCharacters) return 'too-short'
  if (characters.length > PASSWORD.maxCharacters) return 'too-long'
  if (new Set(characters).size < 5) return 'too-uniform'
  const folded = characters.join('').toLowerCase()
  const words = account.map((word) => word.normalize('NFC').toLowerCase()).filter((word) => word.length >= 4)
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), folded)
  return rest.length < 8 && rest !== folded ? 'contains-account' : 'good'
}

/** What a session has proven. Dates are when each factor was last checked successfully. */
export interface Assurance {
  readonly factors: Readonly<Partial<Record<Factor, Date>>>
  /** when the session began */
  readonly since: Date
}

/** What the store knows of a session, as far as rules need it. */
export interface SessionFacts {
  readonly kind: 'browser' | 'token'
  readonly factors: Readonly<Partial<Record<Factor, Date>>>
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/**
 * The assurance of a session at this request. A bearer token is a secret that is presented anew with every request, so
 * its factor `password` and its beginning are of now; a browser session lives from what was proven before.
 */
export function assuranceOf(session: SessionFacts, now: Date): Assurance {
  if (session.kind === 'browser') return { factors: session.factors, since: session.createdAt }
  return { factors: { ...session.factors, password: now }, since: now }
}

export type SessionState = 'alive' | 'expired' | 'idle' | 'too-old'

/** Whether a session may go on. Ask before noting the request as its last one; end the session unless `alive`. */
export function sessionState(session: SessionFacts, audience: Audience, levels: Levels, now: Date): SessionState {
  if (now.getTime() >= session.expiresAt.getTime()) return 'expired'
  if (session.kind === 'token') return 'alive'
  const { idleMs, maxMs } = sessionLimits(session.factors, audience, levels)
  if (now.getTime() - session.createdAt.getTime() >= maxMs) return 'too-old'
  return now.getTime() - session.lastSeenAt.getTime() >= idleMs ? 'idle' : 'alive'
}

/**
 * How long a session may live: the shortest limits of all levels whose factors it has proven, however long ago. A
 * session that has opened a higher level obeys the limits of that level to its end.
 */
export function sessionLimits(
  factors: SessionFacts['factors'],
  audience: Audience,
  levels: Levels,
): { readonly idleMs: number; readonly maxMs: number } {
  const reached = levels.ladder
    .map((level) => level.audiences[audience])
    .filter((rules, index) => index === 0 || rules.factorSets.some((set) => set.every((factor) => factors[factor])))
  return {
    idleMs: Math.min(...reached.map((rules) => rules.sessionIdleMs)),
    maxMs: Math.min(...reached.map((rules) => rules.sessionMaxMs)),
  }
}

/** Bounds on the age of a proof: `stepUpMaxAgeMs` for the second factor (or the only one), `sessionMaxMs` for the first. */
export interface Ages {
  readonly stepUpMaxAgeMs: number
  readonly sessionMaxMs: number
}

/**
 * Whether one of the factor sets is proven and fresh.
 *
 * In a set of several the password may be as old as a session may be, since a step-up asks for what one *has*; every
 * other factor, and a password that stands alone, must not be older than `stepUpMaxAgeMs`. A proof of the future is none.
 *
 * @returns the factors still to be proven in the set that needs the fewest (the earlier one of equals); empty = satisfied
 */
export function satisfied(
  factorSets: readonly (readonly Factor[])[],
  assurance: Assurance,
  ages: Ages,
  now: Date,
): readonly Factor[] {
  const missing = factorSets.map((set) =>
    set.filter((factor) => {
      const opensTheSession = factor === 'password' && set.length > 1
      return !isFresh(assurance.factors[factor], opensTheSession ? ages.sessionMaxMs : ages.stepUpMaxAgeMs, now)
    }),
  )
  return missing.reduce((best, candidate) => (candidate.length < best.length ? candidate : best))
}

function isFresh(provenAt: Date | undefined, maxAgeMs: number, now: Date): boolean {
  const ageMs = provenAt === undefined ? NaN : now.getTime() - provenAt.getTime()
  return ageMs >= -CLOCK_SKEW_MS && ageMs <= maxAgeMs
}

/** Two processes may differ by so much in what they call now. */
const CLOCK_SKEW_MS = 5_000

/** The rules of an invitation to content of a level. */
export function invitationRules(levels: Levels, level: Level, audience: Audience): InvitationRules {
  return requireLevel(levels, level).audiences[audience].invitation
}

/** What is known of the person who asks to set up a second factor. */
export interface EnrolmentFacts {
  /** the invitation being redeemed in this visit, if any */
  readonly invitation: {
    readonly purpose: 'join' | 'first-admin'
    readonly needsCode: boolean
    readonly codeAccepted: boolean
  } | null
  readonly hasSecondFactor: boolean
  readonly audience: Audience
  /** of the session that asks; null before the first sign-in */
  readonly assurance: Assurance | null
}

export type EnrolmentVerdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'step-up'; readonly factors: readonly Factor[] }
  /** the link alone does not say who holds it: an invitation with a code is needed */
  | { readonly kind: 'needs-second-channel' }

/**
 * Whether a second factor may be set up, or replaced, now.
 *
 * Who has one proves it freshly. Who has none needs an invitation whose code came another way than its link, or the
 * one-time link that the operator's own terminal showed: a second factor set up by whoever reads a stolen mail would
 * prove nothing.
 */
export function mayEnrolSecondFactor(facts: EnrolmentFacts, levels: Levels, now: Date): EnrolmentVerdict {
  const { invitation, assurance } = facts
  if (facts.hasSecondFactor) {
    const ages = strictest(levels).audiences[facts.audience]
    const missing = satisfied([['password', 'totp']], assurance ?? NOTHING_PROVEN, ages, now)
    return missing.length === 0 ? { kind: 'allow' } : { kind: 'step-up', factors: missing }
  }
  if (invitation === null) return { kind: 'needs-second-channel' }
  if (invitation.purpose === 'first-admin') return { kind: 'allow' }
  return invitation.needsCode && invitation.codeAccepted ? { kind: 'allow' } : { kind: 'needs-second-channel' }
}

const NOTHING_PROVEN: Assurance = { factors: {}, since: new Date(0) }

/** The highest level in force: acts that concern the whole house or an account's own factors take its measure. */
export function strictest(levels: Levels): LevelRules {
  return levels.ladder.reduce((high, level) => (level.rank > high.rank ? level : high))
}
