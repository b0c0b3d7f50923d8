/**
 * Protection levels: the words and the shape of the rules.
 *
 * SB2 is for what is not confidential, SB3 for everything confidential. Values stand in levels.yaml.
 */
import { PolicyError } from './errors.ts'

/** Protection levels a file may define; which of them are in force is `Levels.byId`. */
export const LEVELS = ['SB1', 'SB2', 'SB3', 'SB4'] as const
export type Level = (typeof LEVELS)[number]

/** Ways to prove who one is that this program can check. */
export const FACTORS = ['password', 'totp'] as const
export type Factor = (typeof FACTORS)[number]

/** Who an account belongs to: the city's own people, or anybody else. */
export const AUDIENCES = ['staff', 'external'] as const
export type Audience = (typeof AUDIENCES)[number]

export interface InvitationRules {
  /** the link alone is not enough; a code that travels another way is asked too */
  readonly secondChannelCode: boolean
  /** how long an invitation is good after its making */
  readonly validityMs: number
}

export interface AudienceRules {
  /** any of these sets is enough; in a set every factor is needed. Never empty, no empty set */
  readonly factorSets: readonly (readonly Factor[])[]
  /** a session able to open the level ends after so long without a request */
  readonly sessionIdleMs: number
  /** … and after so long in any case */
  readonly sessionMaxMs: number
  /** greatest age of the proof of the second factor, or of the only one */
  readonly stepUpMaxAgeMs: number
  readonly invitation: InvitationRules
}

export interface LevelRules {
  readonly id: Level
  /** place on the ladder, 1 to 4 */
  readonly rank: number
  readonly label: { readonly de: string; readonly en: string }
  readonly audiences: Readonly<Record<Audience, AudienceRules>>
}

export interface Levels {
  /** `YYYY-MM-DD.n`, recorded at every start */
  readonly policyVersion: string
  /** what a call gets that names no level */
  readonly defaultLevel: Level
  /** the levels in force, laxest first */
  readonly ladder: readonly LevelRules[]
  readonly byId: ReadonlyMap<Level, LevelRules>
}

/**
 * The rules of a level that is in force.
 *
 * @throws PolicyError `policies/bad-levels` the level is not in force here
 */
export function requireLevel(levels: Levels, level: Level): LevelRules {
  const rules = levels.byId.get(level)
  if (rules === undefined) throw new PolicyError('policies/bad-levels', `level ${level} is not in force here`)
  return rules
}
