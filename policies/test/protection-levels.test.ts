import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { z } from 'zod'

import { PolicyError, parseLevels, requireLevel } from '../index.ts'
import { entry, shipped, shippedFile } from './support/policy-file.ts'
import type { PolicyFile } from './support/policy-file.ts'

const MINUTE = 60_000

describe('the shipped policy file', () => {
  it('asks one factor at SB2 and two at SB3, of staff and of externals', () => {
    for (const audience of ['staff', 'external'] as const) {
      assert.deepEqual(requireLevel(shipped, 'SB2').audiences[audience].factorSets, [['password']])
      assert.deepEqual(requireLevel(shipped, 'SB3').audiences[audience].factorSets, [['password', 'totp']])
    }
  })

  it('wants a code on a second channel for invitations to SB3 only', () => {
    assert.equal(requireLevel(shipped, 'SB2').audiences.external.invitation.secondChannelCode, false)
    assert.equal(requireLevel(shipped, 'SB3').audiences.external.invitation.secondChannelCode, true)
  })

  it('gives the stricter level to who names none', () => {
    assert.equal(shipped.defaultLevel, 'SB3')
  })

  it('reads its durations in milliseconds', () => {
    const { external } = requireLevel(shipped, 'SB3').audiences
    assert.equal(external.sessionIdleMs, 15 * MINUTE)
    assert.equal(external.sessionMaxMs, 4 * 60 * MINUTE)
    assert.equal(external.stepUpMaxAgeMs, 30 * MINUTE)
    assert.equal(external.invitation.validityMs, 7 * 24 * 60 * MINUTE)
  })

  it('says by its code that a level is not in force', () => {
    assert.throws(() => requireLevel(shipped, 'SB4'), { code: 'policies/bad-levels' })
  })
})

type Mistake = [what: string, change: (file: PolicyFile) => unknown]

const SHAPE_MISTAKES: Mistake[] = [
  ['another schema version', (file) => (file.schemaVersion = 2)],
  ['a version without a number', (file) => (file.policyVersion = '2026-11-01')],
  ['a version that is no text', (file) => (file.policyVersion = 20261101)],
  ['no default level', (file) => delete file.defaultLevel],
  ['an unknown default level', (file) => (file.defaultLevel = 'SB5')],
  ['a key too many at the top', (file) => (file['owner'] = 'x')],
  ['no levels', (file) => (file.levels = [])],
  ['levels that are no list', (file) => (file.levels = {} as never)],
  ['a level that is none', (file) => (file.levels[0] = null as never)],
  ['a level that is a list', (file) => (file.levels[0] = [] as never)],
  ['an unknown level', (file) => (entry(file, 'SB2').id = 'SB9')],
  ['a label without English', (file) => delete entry(file, 'SB2').label['en']],
  ['an empty label', (file) => (entry(file, 'SB2').label['de'] = '')],
  ['a third audience', (file) => (entry(file, 'SB2').audiences['anonymous'] = entry(file, 'SB2').audiences.staff)],
  ['an audience missing', (file) => delete (entry(file, 'SB3').audiences as { staff?: unknown }).staff],
  ['no factor sets', (file) => (entry(file, 'SB3').audiences.external.factors = [])],
  ['an empty factor set', (file) => (entry(file, 'SB3').audiences.external.factors = [[]])],
  ['a factor twice', (file) => (entry(file, 'SB3').audiences.external.factors = [['totp', 'totp']])],
  ['a factor that is not built', (file) => (entry(file, 'SB3').audiences.external.factors = [['webauthn-uv']])],
  ['factors that are no sets', (file) => (entry(file, 'SB3').audiences.external.factors = ['password'])],
  ['a control that is not built', (file) => (entry(file, 'SB3').audiences.external['secondChannels'] = ['sms'])],
  ['a duration in months', (file) => (entry(file, 'SB2').audiences.staff.sessionMax = 'P1M')],
  ['a duration of nothing', (file) => (entry(file, 'SB2').audiences.staff.sessionMax = 'PT0M')],
  ['an empty duration', (file) => (entry(file, 'SB2').audiences.staff.sessionMax = 'P')],
  ['a duration with a bare T', (file) => (entry(file, 'SB2').audiences.staff.sessionMax = 'P1DT')],
  ['a duration that is a number', (file) => (entry(file, 'SB2').audiences.staff.sessionIdle = 900)],
  ['a negative duration', (file) => (entry(file, 'SB2').audiences.staff.stepUpMaxAge = '-PT5M')],
  ['a code that is a word', (file) => (entry(file, 'SB2').audiences.staff.invitation.secondChannelCode = 'yes')],
  ['an invitation without end', (file) => delete entry(file, 'SB2').audiences.staff.invitation.validity],
  ['a key too many in an invitation', (file) => (entry(file, 'SB2').audiences.staff.invitation['secretInMail'] = true)],
]

/** What a schema cannot say. */
const MEANING_MISTAKES: Mistake[] = [
  ['a rank that is not in the id', (file) => (entry(file, 'SB2').rank = 1)],
  ['a default level that is not defined', (file) => (file.defaultLevel = 'SB4')],
  ['a label with a control character', (file) => (entry(file, 'SB2').label['de'] = 'SB2\u202e')],
]

describe('a policy file with a mistake', () => {
  const schema = z.fromJSONSchema(
    JSON.parse(readFileSync(new URL('../levels.schema.json', import.meta.url), 'utf8')) as Parameters<
      typeof z.fromJSONSchema
    >[0],
  )

  it('is not the shipped one: that passes schema and reader', () => {
    assert.equal(schema.safeParse(shippedFile()).success, true)
    assert.equal(parseLevels(shippedFile()).ladder.length, 2)
  })

  for (const [what, change] of SHAPE_MISTAKES)
    it(`is refused by reader and schema: ${what}`, () => {
      const file = shippedFile()
      change(file)
      assert.throws(() => parseLevels(file), { code: 'policies/bad-levels' })
      assert.equal(schema.safeParse(file).success, false)
    })

  for (const [what, change] of MEANING_MISTAKES)
    it(`is refused by the reader: ${what}`, () => {
      const file = shippedFile()
      change(file)
      assert.throws(() => parseLevels(file), { code: 'policies/bad-levels' })
    })

  it('has its place named', () => {
    const file = shippedFile()
    entry(file, 'SB3').audiences.external.sessionIdle = 'soon'
    assert.throws(() => parseLevels(file), /levels\[1\]\.audiences\.external\.sessionIdle must be a duration/)
  })

  it('is never read as a policy: anything else throws our error, and nothing but it', () => {
    fc.assert(
      fc.property(fc.anything(), (source) => {
        assert.throws(() => parseLevels(source), PolicyError)
      }),
    )
  })

  it('is found wherever one value is replaced by something that does not belong there', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(null, undefined, {}, [], '', '\u0000', -1, NaN, [[]]), (pick, wrong) => {
        const file = shippedFile()
        const places = leaves(file)
        const place = places[pick % places.length]
        assert(place !== undefined)
        ;(place.owner as Record<string, unknown>)[place.key] = wrong
        assert.throws(() => parseLevels(file), PolicyError)
      }),
      { numRuns: 500 },
    )
  })
})

function leaves(value: object): { owner: object; key: string }[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const here = { owner: value, key }
    return typeof inner === 'object' && inner !== null ? [here, ...leaves(inner)] : [here]
  })
}
