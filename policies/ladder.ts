/**
 * Stricter and laxer: the comparison behind the ladder, a site's own file and the dry run of a change.
 *
 * Every comparison reads "is `after` laxer than `before` anywhere", value by value. Factor sets are laxer when one of
 * them can be met without meeting any set of the other side.
 */
import { formatDuration } from './duration.ts'
import { PolicyError } from './errors.ts'
import type { PolicyErrorCode } from './errors.ts'
import { AUDIENCES } from './levels.ts'
import type { AudienceRules, Factor, LevelRules, Levels } from './levels.ts'

/** One value that differs between two versions of the file. */
export interface Change {
  /** e.g. `SB3.external.sessionIdle` */
  readonly path: string
  /** text of the value; null where the level did not exist, or does no longer */
  readonly before: string | null
  readonly after: string | null
  readonly direction: 'tighter' | 'laxer' | 'neutral'
}

/**
 * Proves that no level is laxer than the one below it, and that what is confidential needs two factors and an
 * invitation with a code on a second channel.
 *
 * @throws PolicyError `policies/ladder-broken` the message names level and value
 */
export function proveLadder(levels: Levels): void {
  levels.ladder.forEach((upper, index) => {
    const lower = levels.ladder[index - 1]
    if (lower !== undefined) {
      if (upper.rank <= lower.rank) throw broken(`${upper.id} must stand below ${lower.id}, and once`)
      refuseLaxer(lower, upper, 'policies/ladder-broken', `laxer than ${lower.id} below it`)
    }
    if (upper.rank >= CONFIDENTIAL_RANK) proveConfidential(upper)
  })
}

/** SB3: from here on contents are confidential. */
const CONFIDENTIAL_RANK = 3

function proveConfidential(level: LevelRules): void {
  for (const audience of AUDIENCES) {
    const rules = level.audiences[audience]
    const weak = rules.factorSets.find((set) => !(set.includes('password') && set.includes('totp')))
    if (weak !== undefined) throw broken(`${level.id}.${audience}.factors allows ${weak.join(' + ')} alone`)
    if (!rules.invitation.secondChannelCode)
      throw broken(`${level.id}.${audience}.invitation needs a code on a second channel`)
  }
}

/**
 * A site's own file in force over the shipped one. It may leave levels out, and tighten those it names.
 *
 * @returns `site`, unchanged
 * @throws PolicyError `policies/laxer-than-shipped` the message names level and value
 */
export function tighten(shipped: Levels, site: Levels): Levels {
  for (const level of site.ladder) {
    const base = shipped.byId.get(level.id)
    if (base === undefined) throw laxer(`${level.id} is not a level of this program version`)
    refuseLaxer(base, level, 'policies/laxer-than-shipped', 'laxer than the shipped file')
  }
  if (rankOfDefault(site) < rankOfDefault(shipped))
    throw laxer(`defaultLevel ${site.defaultLevel} is laxer than ${shipped.defaultLevel}`)
  return site
}

/** What a new version of the file changes, level by level: the dry run that two people read before it is put in force. */
export function diffLevels(before: Levels, after: Levels): Change[] {
  const ids = [...new Set([...before.byId.keys(), ...after.byId.keys()])].sort()
  const changes = ids.flatMap((id) => diffLevel(before.byId.get(id), after.byId.get(id)))
  if (before.defaultLevel === after.defaultLevel) return changes
  const direction = rankOfDefault(after) < rankOfDefault(before) ? 'laxer' : 'tighter'
  return [{ path: 'defaultLevel', before: before.defaultLevel, after: after.defaultLevel, direction }, ...changes]
}

function diffLevel(before: LevelRules | undefined, after: LevelRules | undefined): Change[] {
  if (before === undefined || after === undefined) {
    // a level that appears opens a door, one that goes closes it
    if (after !== undefined) return [{ path: after.id, before: null, after: 'in force', direction: 'laxer' }]
    return before === undefined ? [] : [{ path: before.id, before: 'in force', after: null, direction: 'tighter' }]
  }
  const labels = (['de', 'en'] as const)
    .filter((language) => before.label[language] !== after.label[language])
    .map((language): Change => ({
      path: `${after.id}.label.${language}`,
      before: before.label[language],
      after: after.label[language],
      direction: 'neutral',
    }))
  return [...labels, ...compareRules(before, after)]
}

function refuseLaxer(before: LevelRules, after: LevelRules, code: PolicyErrorCode, why: string): void {
  const change = compareRules(before, after).find(({ direction }) => direction === 'laxer')
  if (change !== undefined) throw new PolicyError(code, `${change.path} ${String(change.after)} is ${why}`)
}

/** Every value that differs, by name of the level `after`. */
function compareRules(before: LevelRules, after: LevelRules): Change[] {
  return AUDIENCES.flatMap((audience) =>
    VALUES.map(({ name, show, isLaxer }): Change => {
      const [old, now] = [before.audiences[audience], after.audiences[audience]]
      const direction = isLaxer(old, now) ? 'laxer' : isLaxer(now, old) ? 'tighter' : 'neutral'
      return { path: `${after.id}.${audience}.${name}`, before: show(old), after: show(now), direction }
    }).filter((change) => change.before !== change.after),
  )
}

interface Value {
  readonly name: string
  readonly show: (rules: AudienceRules) => string
  readonly isLaxer: (before: AudienceRules, after: AudienceRules) => boolean
}

const VALUES: readonly Value[] = [
  {
    name: 'factors',
    show: ({ factorSets }) => factorSets.map((set) => set.join(' + ')).join(' or '),
    isLaxer: (before, after) => after.factorSets.some((set) => !before.factorSets.some((other) => covers(set, other))),
  },
  shorterIsStricter('sessionIdle', (rules) => rules.sessionIdleMs),
  shorterIsStricter('sessionMax', (rules) => rules.sessionMaxMs),
  shorterIsStricter('stepUpMaxAge', (rules) => rules.stepUpMaxAgeMs),
  shorterIsStricter('invitation.validity', (rules) => rules.invitation.validityMs),
  {
    name: 'invitation.secondChannelCode',
    show: ({ invitation }) => String(invitation.secondChannelCode),
    isLaxer: (before, after) => before.invitation.secondChannelCode && !after.invitation.secondChannelCode,
  },
]

function shorterIsStricter(name: string, ms: (rules: AudienceRules) => number): Value {
  return {
    name,
    show: (rules) => formatDuration(ms(rules)),
    isLaxer: (before, after) => ms(after) > ms(before),
  }
}

function covers(set: readonly Factor[], other: readonly Factor[]): boolean {
  return other.every((factor) => set.includes(factor))
}

function rankOfDefault(levels: Levels): number {
  return levels.byId.get(levels.defaultLevel)?.rank ?? 0
}

function broken(message: string): PolicyError {
  return new PolicyError('policies/ladder-broken', message)
}

function laxer(message: string): PolicyError {
  return new PolicyError('policies/laxer-than-shipped', message)
}
