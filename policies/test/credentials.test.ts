import assert from 'node:assert/strict'

import fc from 'fast-check'

import {
  FACTORS,
  LOCKOUT,
  PASSWORD,
  assuranceOf,
  decide,
  invitationRules,
  judgePassword,
  lockoutVerdict,
  mayEnrolSecondFactor,
  satisfied,
  sessionLimits,
  sessionState,
} from '../index.ts'
import type { AttemptRecord, EnrolmentFacts, Factor, SessionFacts } from '../index.ts'
import { levelsWith, shipped } from './support/policy-file.ts'

const NOW = new Date('2026-11-23T12:00:00Z')
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const before = (ms: number): Date => new Date(NOW.getTime() - ms)

describe('a row of failures', () => {
  const record = (change: Partial<AttemptRecord>): AttemptRecord => ({
    ...{ recent: 0, inWindow: 0, windowStart: before(HOUR), lastTry: before(0) },
    ...change,
  })
  const verdict = (change: Partial<AttemptRecord>): object => lockoutVerdict(record(change), LOCKOUT, NOW)

  it('costs nothing before the fifth', () => {
    assert.deepEqual(lockoutVerdict(null, LOCKOUT, NOW), { kind: 'allowed' })
    assert.deepEqual(verdict({ recent: 4 }), { kind: 'allowed' })
  })

  it('makes the next try wait 30 s, doubled by each failure up to 15 minutes', () => {
    const waits = [5, 6, 7, 8, 9, 10, 11, 49].map((recent) => {
      const answer = lockoutVerdict(record({ recent }), LOCKOUT, NOW)
      return answer.kind === 'wait' ? (answer.retryAt.getTime() - NOW.getTime()) / SECOND : answer.kind
    })
    assert.deepEqual(waits, [30, 60, 120, 240, 480, 900, 900, 900])
  })

  it('lets the next try through when its time has come, not a millisecond before', () => {
    assert.deepEqual(verdict({ recent: 5, lastTry: before(30 * SECOND) }), { kind: 'allowed' })
    assert.deepEqual(verdict({ recent: 5, lastTry: before(30 * SECOND - 1) }), {
      kind: 'wait',
      retryAt: new Date(NOW.getTime() + 1),
    })
  })

  it('locks after fifty within a day, until the day is over', () => {
    assert.deepEqual(verdict({ recent: 0, inWindow: 50 }), { kind: 'locked' })
    assert.deepEqual(verdict({ recent: 0, inWindow: 49 }), { kind: 'allowed' })
    assert.deepEqual(verdict({ inWindow: 50, windowStart: before(24 * HOUR) }), { kind: 'allowed' })
  })
})

describe('a new password', () => {
  const account = ['erika.muster@example.org', 'erika.muster']

  it('needs twelve characters, counted as people count them', () => {
    assert.equal(judgePassword('a1b2c3d4e5f', account), 'too-short')
    assert.equal(judgePassword('a1b2c3d4e5f6', account), 'good')
    assert.equal(judgePassword('äöüßÄÖÜẞéèêë'.normalize('NFD'), account), 'good')
    assert.equal(judgePassword('🔑🚪🏛️🌲🐻', account), 'too-short')
  })

  it('may be long, and not without end', () => {
    const long = 'abcdefgh'.repeat(32)
    assert.equal(long.length, PASSWORD.maxCharacters)
    assert.equal(judgePassword(long, account), 'good')
    assert.equal(judgePassword(`${long}x`, account), 'too-long')
  })

  it('needs more than four different characters', () => {
    assert.equal(judgePassword('abcdabcdabcd', account), 'too-uniform')
    assert.equal(judgePassword('abcdabcdabce', account), 'good')
  })

  it('is not made of the account', () => {
    assert.equal(judgePassword('Erika.Muster1', account), 'contains-account')
    assert.equal(judgePassword('erika.muster erika.muster', account), 'contains-account')
    assert.equal(judgePassword('Erika.Muster und vier Pferde', account), 'good')
    assert.equal(judgePassword('eva und vier Pferde', ['eva']), 'good')
  })
})

describe('a session', () => {
  const session = (change: Partial<SessionFacts> = {}): SessionFacts => ({
    kind: 'browser',
    factors: { password: before(HOUR) },
    createdAt: before(HOUR),
    lastSeenAt: before(MINUTE),
    expiresAt: new Date(NOW.getTime() + HOUR),
    ...change,
  })
  const state = (change: Partial<SessionFacts>): string => sessionState(session(change), 'external', shipped, NOW)

  it('with the password alone has the limits of SB2', () => {
    assert.deepEqual(sessionLimits({ password: NOW }, 'external', shipped), { idleMs: 30 * MINUTE, maxMs: 8 * HOUR })
    assert.deepEqual(sessionLimits({}, 'staff', shipped), { idleMs: HOUR, maxMs: 12 * HOUR })
  })

  it('keeps the limits of SB3 once it has proven the second factor, however long ago', () => {
    const factors = { password: before(7 * HOUR), totp: before(7 * HOUR) }
    assert.deepEqual(sessionLimits(factors, 'external', shipped), { idleMs: 15 * MINUTE, maxMs: 4 * HOUR })
    assert.equal(state({ lastSeenAt: before(16 * MINUTE) }), 'alive')
    assert.equal(state({ factors, lastSeenAt: before(16 * MINUTE) }), 'idle')
  })

  it('ends to the millisecond', () => {
    assert.equal(state({ lastSeenAt: before(30 * MINUTE - 1) }), 'alive')
    assert.equal(state({ lastSeenAt: before(30 * MINUTE) }), 'idle')
    assert.equal(state({ createdAt: before(8 * HOUR - 1) }), 'alive')
    assert.equal(state({ createdAt: before(8 * HOUR) }), 'too-old')
    assert.equal(state({ expiresAt: NOW }), 'expired')
  })

  it('of a token ends when the token does', () => {
    const token = { kind: 'token', createdAt: before(90 * 24 * HOUR), lastSeenAt: before(80 * 24 * HOUR) } as const
    assert.equal(state(token), 'alive')
    assert.equal(state({ ...token, expiresAt: before(1) }), 'expired')
  })

  it('of a token proves its secret with every request, and nothing more', () => {
    const token = session({ kind: 'token', createdAt: before(90 * 24 * HOUR), factors: { totp: before(31 * MINUTE) } })
    assert.deepEqual(assuranceOf(token, NOW), { factors: { password: NOW, totp: before(31 * MINUTE) }, since: NOW })
    const browser = session()
    assert.deepEqual(assuranceOf(browser, NOW), { factors: browser.factors, since: browser.createdAt })
  })

  it('of a token opens SB2, and SB3 only after a step-up', () => {
    const actor = { userId: 'u', audience: 'external', admin: false, role: 'contributor', active: true } as const
    const ask = (level: 'SB2' | 'SB3', token: SessionFacts): object =>
      decide(
        { actor, action: 'file.upload', resource: { level, state: 'open' }, assurance: assuranceOf(token, NOW) },
        shipped,
        NOW,
      )
    const token = session({ kind: 'token', createdAt: before(90 * 24 * HOUR), factors: {} })
    assert.deepEqual(ask('SB2', token), { kind: 'allow' })
    assert.deepEqual(ask('SB3', token), { kind: 'step-up', factors: ['totp'] })
    assert.deepEqual(ask('SB3', { ...token, factors: { totp: before(MINUTE) } }), { kind: 'allow' })
  })
})

describe('factor sets', () => {
  const ages = { stepUpMaxAgeMs: 30 * MINUTE, sessionMaxMs: 4 * HOUR }
  const missing = (sets: Factor[][], password: number | null, totp: number | null): readonly Factor[] => {
    const factors = {
      ...(password === null ? {} : { password: before(password) }),
      ...(totp === null ? {} : { totp: before(totp) }),
    }
    return satisfied(sets, { factors, since: NOW }, ages, NOW)
  }

  it('let the password age with the session when a second factor is fresh', () => {
    assert.deepEqual(missing([['password', 'totp']], 4 * HOUR, 30 * MINUTE), [])
    assert.deepEqual(missing([['password', 'totp']], 4 * HOUR + 1, 0), ['password'])
    assert.deepEqual(missing([['password', 'totp']], 0, 30 * MINUTE + 1), ['totp'])
  })

  it('want a password that stands alone to be fresh', () => {
    assert.deepEqual(missing([['password']], 30 * MINUTE, null), [])
    assert.deepEqual(missing([['password']], 30 * MINUTE + 1, null), ['password'])
  })

  it('are met by any of them, and ask for the way that needs least', () => {
    assert.deepEqual(missing([['password', 'totp'], ['password']], 0, null), [])
    assert.deepEqual(missing([['password', 'totp'], ['totp']], null, null), ['totp'])
    assert.deepEqual(missing([['password'], ['totp']], null, null), ['password'])
  })

  it('do not take proofs from the future, but for clocks that differ by seconds', () => {
    assert.deepEqual(missing([['password', 'totp']], 0, -5 * SECOND), [])
    assert.deepEqual(missing([['password', 'totp']], 0, -5 * SECOND - 1), ['totp'])
    assert.deepEqual(missing([['password', 'totp']], 0, NaN), ['totp'])
  })

  it('are missing only what they name, for all proofs', () => {
    const sets = fc.array(fc.uniqueArray(fc.constantFrom(...FACTORS), { minLength: 1 }), { minLength: 1 })
    const proof = fc.option(fc.integer({ min: -HOUR, max: 5 * HOUR }))
    fc.assert(
      fc.property(sets, proof, proof, (factorSets, password, totp) => {
        const left = missing(factorSets, password, totp)
        assert(left.length === 0 || factorSets.some((set) => left.every((factor) => set.includes(factor))))
      }),
    )
  })
})

describe('setting up a second factor', () => {
  const facts = (change: Partial<EnrolmentFacts>): EnrolmentFacts => ({
    ...{ invitation: null, hasSecondFactor: false, audience: 'external', assurance: null },
    ...change,
  })
  const may = (change: Partial<EnrolmentFacts>): object => mayEnrolSecondFactor(facts(change), shipped, NOW)
  const join = { purpose: 'join', needsCode: true, codeAccepted: true } as const

  it('needs an invitation whose code was accepted', () => {
    assert.deepEqual(may({ invitation: join }), { kind: 'allow' })
    assert.deepEqual(may({ invitation: { ...join, codeAccepted: false } }), { kind: 'needs-second-channel' })
    assert.deepEqual(may({ invitation: { ...join, needsCode: false } }), { kind: 'needs-second-channel' })
  })

  it('is not open to who has only signed in with a password', () => {
    const assurance = { factors: { password: NOW }, since: NOW }
    assert.deepEqual(may({ assurance }), { kind: 'needs-second-channel' })
  })

  it('is open to the first administrator, whose link the operator saw', () => {
    const invitation = { purpose: 'first-admin', needsCode: false, codeAccepted: false } as const
    assert.deepEqual(may({ invitation }), { kind: 'allow' })
  })

  it('again needs the present one, fresh, even with an invitation', () => {
    const present = { hasSecondFactor: true, invitation: join } as const
    assert.deepEqual(may(present), { kind: 'step-up', factors: ['password', 'totp'] })
    const stale = { factors: { password: NOW, totp: before(31 * MINUTE) }, since: NOW }
    assert.deepEqual(may({ ...present, assurance: stale }), { kind: 'step-up', factors: ['totp'] })
    const fresh = { factors: { password: NOW, totp: before(MINUTE) }, since: NOW }
    assert.deepEqual(may({ ...present, assurance: fresh }), { kind: 'allow' })
  })
})

describe('an invitation', () => {
  it('follows the level and the audience that it is for', () => {
    assert.deepEqual(invitationRules(shipped, 'SB3', 'external'), { secondChannelCode: true, validityMs: 168 * HOUR })
    assert.deepEqual(invitationRules(shipped, 'SB2', 'staff'), { secondChannelCode: false, validityMs: 336 * HOUR })
  })

  it('to a level that is not in force is a fault', () => {
    const strict = levelsWith((file) => file.levels.shift())
    assert.throws(() => invitationRules(strict, 'SB2', 'staff'), { code: 'policies/bad-levels' })
  })
})
