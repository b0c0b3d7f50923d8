/**
 * The strict reader of `levels.yaml`.
 *
 * Shape: levels.schema.json. The reader takes what a YAML parser returned and trusts nothing in it: a key too many, a
 * key too few or a value out of bounds is a fault that names its place. What the values must be to each other stands in
 * ladder.ts.
 */
import { parseDuration } from './duration.ts'
import { PolicyError } from './errors.ts'
import { proveLadder } from './ladder.ts'
import { AUDIENCES, FACTORS, LEVELS } from './levels.ts'
import type { AudienceRules, Factor, LevelRules, Levels } from './levels.ts'

/**
 * Reads a policy file.
 *
 * @param source the object that a YAML or JSON parser returned
 * @throws PolicyError `policies/bad-levels` the shape is wrong; the message names the place
 * @throws PolicyError `policies/ladder-broken` a level is laxer than the one below it
 */
export function parseLevels(source: unknown): Levels {
  const file = fields(source, 'file', ['schemaVersion', 'policyVersion', 'defaultLevel', 'levels'])
  if (file['schemaVersion'] !== 1) throw bad('schemaVersion', 'must be 1')
  const policyVersion = text(file['policyVersion'], 'policyVersion', /^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]+$/)
  const ladder = list(file['levels'], 'levels').map((entry, index) => readLevel(entry, `levels[${index}]`))
  const byId = new Map(ladder.map((rules) => [rules.id, rules]))
  const defaultLevel = oneOf(file['defaultLevel'], 'defaultLevel', LEVELS)
  if (!byId.has(defaultLevel)) throw bad('defaultLevel', `${defaultLevel} is not defined in this file`)
  const levels = { policyVersion, defaultLevel, ladder, byId }
  proveLadder(levels)
  return levels
}

function readLevel(source: unknown, at: string): LevelRules {
  const level = fields(source, at, ['id', 'rank', 'label', 'audiences'])
  const label = fields(level['label'], `${at}.label`, ['de', 'en'])
  const audiences = fields(level['audiences'], `${at}.audiences`, AUDIENCES)
  const id = oneOf(level['id'], `${at}.id`, LEVELS)
  const rank = LEVELS.indexOf(id) + 1
  if (level['rank'] !== rank) throw bad(`${at}.rank`, `must be ${rank} for ${id}`)
  return {
    id,
    rank,
    label: { de: text(label['de'], `${at}.label.de`, LABEL), en: text(label['en'], `${at}.label.en`, LABEL) },
    audiences: {
      staff: readAudience(audiences['staff'], `${at}.audiences.staff`),
      external: readAudience(audiences['external'], `${at}.audiences.external`),
    },
  }
}

const LABEL = /^[^\p{Cc}\p{Cf}]{1,80}$/u

function readAudience(source: unknown, at: string): AudienceRules {
  const rules = fields(source, at, ['factors', 'sessionIdle', 'sessionMax', 'stepUpMaxAge', 'invitation'])
  const invitation = fields(rules['invitation'], `${at}.invitation`, ['secondChannelCode', 'validity'])
  const code = invitation['secondChannelCode']
  if (typeof code !== 'boolean') throw bad(`${at}.invitation.secondChannelCode`, 'must be true or false')
  return {
    factorSets: list(rules['factors'], `${at}.factors`).map((set, index) =>
      readFactorSet(set, `${at}.factors[${index}]`),
    ),
    sessionIdleMs: duration(rules['sessionIdle'], `${at}.sessionIdle`),
    sessionMaxMs: duration(rules['sessionMax'], `${at}.sessionMax`),
    stepUpMaxAgeMs: duration(rules['stepUpMaxAge'], `${at}.stepUpMaxAge`),
    invitation: { secondChannelCode: code, validityMs: duration(invitation['validity'], `${at}.invitation.validity`) },
  }
}

function readFactorSet(source: unknown, at: string): Factor[] {
  const set = list(source, at).map((factor) => oneOf(factor, at, FACTORS))
  if (new Set(set).size !== set.length) throw bad(at, 'names a factor twice')
  return set
}

function fields(source: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) throw bad(at, 'must be a mapping')
  const record = source as Record<string, unknown>
  const surplus = Object.keys(record).find((name) => !names.includes(name))
  if (surplus !== undefined) throw bad(at, `has an unknown key ${JSON.stringify(surplus)}`)
  const missing = names.find((name) => !Object.hasOwn(record, name))
  if (missing !== undefined) throw bad(at, `lacks the key ${missing}`)
  return record
}

function list(source: unknown, at: string): unknown[] {
  if (!Array.isArray(source) || source.length === 0) throw bad(at, 'must be a list with at least one entry')
  return source as unknown[]
}

function oneOf<const T extends string>(source: unknown, at: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === source)
  if (word === undefined) throw bad(at, `must be one of ${words.join(', ')}`)
  return word
}

function text(source: unknown, at: string, pattern: RegExp): string {
  if (typeof source !== 'string' || !pattern.test(source)) throw bad(at, `must be a text like ${pattern.source}`)
  return source
}

function duration(source: unknown, at: string): number {
  const ms = typeof source === 'string' ? parseDuration(source) : null
  if (ms === null) throw bad(at, 'must be a duration like PT15M or P7D')
  return ms
}

function bad(at: string, what: string): PolicyError {
  return new PolicyError('policies/bad-levels', `${at} ${what}`)
}
