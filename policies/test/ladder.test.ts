import assert from 'node:assert/strict'

import fc from 'fast-check'

import { diffLevels, parseLevels, tighten } from '../index.ts'
import type { Levels } from '../index.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { entry, levelsWith, shipped, shippedFile } from './support/policy-file.ts'
import type { PolicyFile } from './support/policy-file.ts'

type Mistake = [what: string, change: (file: PolicyFile) => unknown]

describe('the ladder', () => {
  const broken: Mistake[] = [
    ['a longer idle time above', (file) => (entry(file, 'SB3').audiences.staff.sessionIdle = 'PT2H')],
    ['a longer session above', (file) => (entry(file, 'SB3').audiences.external.sessionMax = 'P1D')],
    ['an older proof above', (file) => (entry(file, 'SB3').audiences.external.stepUpMaxAge = 'PT9H')],
    ['a longer invitation above', (file) => (entry(file, 'SB3').audiences.staff.invitation.validity = 'P15D')],
    [
      'an invitation to SB3 without code',
      (file) => (entry(file, 'SB3').audiences.staff.invitation.secondChannelCode = false),
    ],
    ['a password alone at SB3', (file) => (entry(file, 'SB3').audiences.external.factors = [['password']])],
    [
      'a code alone at SB3',
      (file) => (entry(file, 'SB3').audiences.external.factors = [['password', 'totp'], ['totp']]),
    ],
    ['levels in the wrong order', (file) => file.levels.reverse()],
    ['a level twice', (file) => file.levels.push(entry(shippedFile(), 'SB3'))],
  ]
  for (const [what, change] of broken)
    it(`does not stand with ${what}`, () => {
      const file = shippedFile()
      change(file)
      assert.throws(() => parseLevels(file), { code: 'policies/ladder-broken' })
    })

  it('does not let a level above accept a set that the level below would refuse', () => {
    const file = shippedFile()
    entry(file, 'SB2').audiences.staff.factors = [['password', 'totp']]
    entry(file, 'SB2').audiences.staff.invitation.secondChannelCode = true
    entry(file, 'SB2').id = 'SB1'
    entry(file, 'SB1').rank = 1
    file.levels.splice(1, 0, { ...entry(shippedFile(), 'SB2') })
    assert.throws(() => parseLevels(file), { code: 'policies/ladder-broken' })
  })

  it('stands with one level', () => {
    assert.deepEqual([...levelsWith((file) => file.levels.shift()).byId.keys()], ['SB3'])
  })
})

describe("a site's own file", () => {
  it('may leave a level out and tighten the others', () => {
    const site = levelsWith((file) => {
      file.levels.shift()
      entry(file, 'SB3').audiences.external.sessionIdle = 'PT5M'
      entry(file, 'SB3').audiences.staff.stepUpMaxAge = 'PT10M'
    })
    assert.equal(tighten(shipped, site), site)
  })

  it('may ask two factors at SB2', () => {
    const site = levelsWith((file) => (entry(file, 'SB2').audiences.staff.factors = [['password', 'totp']]))
    assert.equal(tighten(shipped, site), site)
  })

  const laxer: Mistake[] = [
    ['a longer idle time', (file) => (entry(file, 'SB3').audiences.staff.sessionIdle = 'PT16M')],
    ['a longer session at SB2', (file) => (entry(file, 'SB2').audiences.external.sessionMax = 'PT8H1M')],
    ['another way in', (file) => (entry(file, 'SB2').audiences.staff.factors = [['password'], ['totp']])],
    ['the laxer level for who names none', (file) => (file.defaultLevel = 'SB2')],
  ]
  for (const [what, change] of laxer)
    it(`may not bring ${what}`, () => {
      assert.throws(() => tighten(shipped, levelsWith(change)), { code: 'policies/laxer-than-shipped' })
    })

  it('may not bring a level that the program does not ship', () => {
    const site = levelsWith((file) => file.levels.push({ ...entry(shippedFile(), 'SB3'), id: 'SB4', rank: 4 }))
    assert.throws(() => tighten(shipped, site), { code: 'policies/laxer-than-shipped' })
  })

  it('is accepted exactly when the dry run shows nothing that gets laxer', () => {
    fc.assert(
      fc.property(siteFiles, (site) => {
        const changes = diffLevels(shipped, site)
        const isLaxer = changes.some(({ direction }) => direction === 'laxer')
        if (isLaxer) assert.throws(() => tighten(shipped, site), { code: 'policies/laxer-than-shipped' })
        else assert.equal(tighten(shipped, site), site)
      }),
    )
  })
})

/** Files of both levels with durations and factors turned at random, as far as their own ladder stands. */
const siteFiles: fc.Arbitrary<Levels> = fc
  .record({
    minutes: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 6, maxLength: 6 }),
    strictSb2: fc.boolean(),
    laxDefault: fc.boolean(),
    dropSb2: fc.boolean(),
  })
  .map(({ minutes, strictSb2, laxDefault, dropSb2 }) => {
    const file = shippedFile()
    const [a = 1, b = 1, c = 1, d = 1, e = 1, f = 1] = minutes
    const [low, high] = [entry(file, 'SB2').audiences.staff, entry(file, 'SB3').audiences.staff]
    low.sessionIdle = formatDuration(Math.max(a, b) * 60_000)
    high.sessionIdle = formatDuration(Math.min(a, b) * 60_000)
    low.sessionMax = formatDuration(Math.max(c, d) * 60_000)
    high.sessionMax = formatDuration(Math.min(c, d) * 60_000)
    low.stepUpMaxAge = formatDuration(Math.max(e, f) * 60_000)
    high.stepUpMaxAge = formatDuration(Math.min(e, f) * 60_000)
    if (strictSb2) low.factors = [['password', 'totp']]
    if (laxDefault && !dropSb2) file.defaultLevel = 'SB2'
    if (dropSb2) file.levels.shift()
    return parseLevels(file)
  })

describe('the dry run of a change', () => {
  it('is empty for the same file', () => {
    assert.deepEqual(diffLevels(shipped, parseLevels(shippedFile())), [])
  })

  it('names each value with its direction', () => {
    const after = levelsWith((file) => {
      entry(file, 'SB2').label['de'] = 'SB2 – offen'
      entry(file, 'SB2').audiences.staff.sessionMax = 'PT13H30M'
      entry(file, 'SB3').audiences.external.stepUpMaxAge = 'PT10M'
      entry(file, 'SB3').audiences.external.factors = [['totp', 'password']]
    })
    assert.deepEqual(diffLevels(shipped, after), [
      { path: 'SB2.label.de', before: 'SB2 – nicht vertraulich', after: 'SB2 – offen', direction: 'neutral' },
      { path: 'SB2.staff.sessionMax', before: 'PT12H', after: 'PT13H30M', direction: 'laxer' },
      { path: 'SB3.external.factors', before: 'password + totp', after: 'totp + password', direction: 'neutral' },
      { path: 'SB3.external.stepUpMaxAge', before: 'PT30M', after: 'PT10M', direction: 'tighter' },
    ])
  })

  it('shows a code that is dropped as laxer, one that is added as tighter', () => {
    const coded = levelsWith((file) => (entry(file, 'SB2').audiences.staff.invitation.secondChannelCode = true))
    const path = 'SB2.staff.invitation.secondChannelCode'
    assert.deepEqual(diffLevels(coded, shipped), [{ path, before: 'true', after: 'false', direction: 'laxer' }])
    assert.deepEqual(diffLevels(shipped, coded), [{ path, before: 'false', after: 'true', direction: 'tighter' }])
  })

  it('shows a level that goes as tighter, one that comes as laxer', () => {
    const strict = levelsWith((file) => file.levels.shift())
    assert.deepEqual(diffLevels(shipped, strict), [
      { path: 'SB2', before: 'in force', after: null, direction: 'tighter' },
    ])
    assert.deepEqual(diffLevels(strict, shipped), [
      { path: 'SB2', before: null, after: 'in force', direction: 'laxer' },
    ])
  })

  it('shows another default level', () => {
    const lax = levelsWith((file) => (file.defaultLevel = 'SB2'))
    const path = 'defaultLevel'
    assert.deepEqual(diffLevels(shipped, lax), [{ path, before: 'SB3', after: 'SB2', direction: 'laxer' }])
    assert.deepEqual(diffLevels(lax, shipped), [{ path, before: 'SB2', after: 'SB3', direction: 'tighter' }])
  })
})

describe('durations', () => {
  it('are the same after writing and reading', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999 * 1440 }), (minutes) => {
        assert.equal(parseDuration(formatDuration(minutes * 60_000)), minutes * 60_000)
      }),
    )
  })

  it('are nothing else', () => {
    for (const text of [
      '',
      'P',
      'PT',
      'P1',
      'P1DT',
      '1H',
      'PT1S',
      'P1Y',
      'PT-1M',
      'PT1.5H',
      'P0D',
      'pt1h',
      'PT1H ',
      'PT99999H',
    ])
      assert.equal(parseDuration(text), null, text)
  })
})
