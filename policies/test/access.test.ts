import assert from 'node:assert/strict'

import fc from 'fast-check'

import { ACTIONS, AUDIENCES, ROLES, decide, explain, requireLevel } from '../index.ts'
import type { Action, Assurance, Decision, Level, Question, ResourceState, Role } from '../index.ts'
import { levelsWith, shipped } from './support/policy-file.ts'

const NOW = new Date('2026-11-23T12:00:00Z')
const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000)

/** Everything right: staff, administrator, manager of an open SB3 room, both factors proven a minute ago. */
function question(action: Action, change: QuestionChange = {}): Question {
  const actor = { userId: 'u', audience: 'staff', admin: false, role: 'manager', active: true } as const
  return {
    actor: { ...actor, ...change.actor },
    action,
    resource: change.resource === null ? null : { level: 'SB3', state: 'open', ...change.resource },
    assurance: { factors: { password: ago(1), totp: ago(1) }, since: ago(1), ...change.assurance },
  }
}

interface QuestionChange {
  actor?: Partial<Question['actor']>
  resource?: Partial<NonNullable<Question['resource']>> | null
  assurance?: Partial<Assurance>
}

const ask = (action: Action, change?: QuestionChange): Decision => decide(question(action, change), shipped, NOW)
const allow = { kind: 'allow' }
const denied = (reason: string): object => ({ kind: 'deny', reason })

/** Acts that show or change what is in a room. */
const CONTENT = ['room.read', 'file.download', 'file.upload', 'file.seal', 'file.erase', 'message.send'] as const

describe('decide', () => {
  it('lets a manager of an open room do everything in it with fresh factors', () => {
    for (const action of [...CONTENT, 'room.list', 'room.manage'] as const) assert.deepEqual(ask(action), allow, action)
  })

  it('gives each role what its place on the ladder gives', () => {
    const least: Partial<Record<Action, Role>> = {
      'room.read': 'reader',
      'file.download': 'reader',
      'file.upload': 'contributor',
      'file.seal': 'contributor',
      'message.send': 'contributor',
      'file.erase': 'manager',
      'room.manage': 'manager',
    }
    for (const [action, needed] of Object.entries(least) as [Action, Role][])
      for (const role of ROLES) {
        const expected = ROLES.indexOf(role) >= ROLES.indexOf(needed) ? allow : denied('role-too-low')
        assert.deepEqual(ask(action, { actor: { role } }), expected, `${action} as ${role}`)
      }
  })

  it('denies everything to an account that is not active', () => {
    for (const action of ACTIONS)
      assert.deepEqual(ask(action, { actor: { active: false, admin: true } }), denied('account-inactive'), action)
  })

  it('shows no content to an administrator without a role', () => {
    for (const action of CONTENT)
      assert.deepEqual(ask(action, { actor: { admin: true, role: null } }), denied('not-a-member'), action)
  })

  it('lets an administrator list and manage rooms without a role', () => {
    for (const action of ['room.list', 'room.manage', 'room.create', 'house.manage'] as const)
      assert.deepEqual(ask(action, { actor: { admin: true, role: null } }), allow, action)
  })

  it('leaves the house to administrators', () => {
    for (const action of ['room.create', 'house.manage'] as const)
      assert.deepEqual(ask(action, { resource: null }), denied('administrators-only'), action)
  })

  it('never lets an external seal, send, manage or administer', () => {
    for (const action of ['file.seal', 'message.send', 'room.manage', 'room.create', 'house.manage'] as const)
      assert.deepEqual(ask(action, { actor: { audience: 'external', admin: true } }), denied('staff-only'), action)
  })

  it('denies what is about a room when no room is named', () => {
    for (const action of [...CONTENT, 'room.list', 'room.manage'] as const)
      assert.deepEqual(ask(action, { resource: null }), denied('not-a-member'), action)
  })

  it('lets a closed room be read and managed, and nothing be written', () => {
    const resource = { state: 'closed' } as const
    for (const action of ['room.list', 'room.read', 'file.download', 'room.manage', 'message.send'] as const)
      assert.deepEqual(ask(action, { resource }), allow, action)
    for (const action of ['file.upload', 'file.seal', 'file.erase'] as const)
      assert.deepEqual(ask(action, { resource }), denied('room-closed'), action)
  })

  it('leaves nothing of a room whose key is destroyed but its name', () => {
    const resource = { state: 'destroyed' } as const
    assert.deepEqual(ask('room.list', { resource }), allow)
    for (const action of [...CONTENT, 'room.manage'] as const)
      assert.deepEqual(ask(action, { resource }), denied('key-destroyed'), action)
  })

  it('denies a level that the policy file does not define', () => {
    for (const action of CONTENT)
      assert.deepEqual(ask(action, { resource: { level: 'SB4' } }), denied('level-not-in-force'))
    const none = { ...shipped, ladder: [], byId: new Map() }
    assert.deepEqual(decide(question('account.read'), none, NOW), denied('level-not-in-force'))
  })

  it('opens SB2 with the password and SB3 only with the second factor', () => {
    const assurance = { factors: { password: ago(1) } }
    assert.deepEqual(ask('file.download', { assurance, resource: { level: 'SB2' } }), allow)
    assert.deepEqual(ask('file.download', { assurance }), { kind: 'step-up', factors: ['totp'] })
    assert.deepEqual(ask('file.download', { assurance: { factors: {} } }), {
      kind: 'step-up',
      factors: ['password', 'totp'],
    })
  })

  it('takes a second factor until its age is over, to the millisecond', () => {
    const at = (ms: number): Assurance => ({
      factors: { password: ago(60), totp: new Date(NOW.getTime() - ms) },
      since: ago(60),
    })
    const { stepUpMaxAgeMs } = requireLevel(shipped, 'SB3').audiences.staff
    assert.deepEqual(ask('room.read', { assurance: at(stepUpMaxAgeMs) }), allow)
    assert.deepEqual(ask('room.read', { assurance: at(stepUpMaxAgeMs + 1) }), { kind: 'step-up', factors: ['totp'] })
  })

  it('wants a new sign-in once the session is as old as the level allows', () => {
    const since = (ms: number): QuestionChange => ({ assurance: { since: new Date(NOW.getTime() - ms) } })
    const { sessionMaxMs } = requireLevel(shipped, 'SB3').audiences.staff
    assert.deepEqual(ask('room.read', since(sessionMaxMs - 1)), allow)
    assert.deepEqual(ask('room.read', since(sessionMaxMs)), denied('session-too-old'))
    assert.deepEqual(ask('room.read', { assurance: { since: new Date(NaN) } }), denied('session-too-old'))
  })

  it('lists rooms of every level with the password alone', () => {
    assert.deepEqual(ask('room.list', { assurance: { factors: { password: ago(1) } } }), allow)
    assert.deepEqual(ask('account.read', { resource: null, assurance: { factors: { password: ago(1) } } }), allow)
  })

  it('asks administrators for the measure of the highest level', () => {
    const change = { actor: { admin: true }, assurance: { factors: { password: ago(1) } }, resource: null }
    assert.deepEqual(ask('house.manage', change), { kind: 'step-up', factors: ['totp'] })
    const sb2 = levelsWith((file) => {
      file.levels.pop()
      file.defaultLevel = 'SB2'
    })
    assert.deepEqual(decide(question('house.manage', change), sb2, NOW), allow)
  })

  it('denies before it asks for a code', () => {
    const assurance = { factors: {} }
    assert.deepEqual(ask('file.download', { actor: { role: null }, assurance }), denied('not-a-member'))
    assert.deepEqual(ask('file.upload', { resource: { state: 'closed' }, assurance }), denied('room-closed'))
  })
})

describe('every question', () => {
  it('about SB3 content is allowed only with a fresh code, a fresh enough password, a role and an active account', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const verdict = decide(asked, shipped, NOW)
        if (verdict.kind !== 'allow' || asked.resource?.level !== 'SB3' || !isContent(asked.action)) return
        const { actor, assurance } = asked
        const rules = requireLevel(shipped, 'SB3').audiences[actor.audience]
        const [password, totp] = [assurance.factors.password, assurance.factors.totp]
        assert(totp !== undefined && NOW.getTime() - totp.getTime() <= rules.stepUpMaxAgeMs)
        assert(password !== undefined && NOW.getTime() - password.getTime() <= rules.sessionMaxMs)
        assert(NOW.getTime() - assurance.since.getTime() < rules.sessionMaxMs)
        assert(actor.active && actor.role !== null)
      }),
      { numRuns: 5_000 },
    )
  })

  it('is not answered better with less: fewer factors, a lower role, an older proof never open a door', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        if (decide(asked, shipped, NOW).kind === 'allow') return
        for (const weaker of weakenings(asked)) assert.notEqual(decide(weaker, shipped, NOW).kind, 'allow')
      }),
      { numRuns: 2_000 },
    )
  })

  it('that is answered with a step-up is allowed once those factors are proven', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const verdict = decide(asked, shipped, NOW)
        if (verdict.kind !== 'step-up') return
        assert.notEqual(verdict.factors.length, 0)
        const proven = Object.fromEntries(verdict.factors.map((factor) => [factor, NOW]))
        const assurance = { ...asked.assurance, factors: { ...asked.assurance.factors, ...proven } }
        assert.deepEqual(decide({ ...asked, assurance }, shipped, NOW), allow)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is explained as it is decided, by the check that decided it', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { decision, checks } = explain(asked, shipped, NOW)
        assert.deepEqual(decision, decide(asked, shipped, NOW))
        assert.equal(checks.at(-1)?.verdict, decision.kind === 'allow' ? 'passed' : decision.kind)
        assert(checks.slice(0, -1).every(({ verdict }) => verdict === 'passed'))
      }),
    )
  })
})

function isContent(action: Action): boolean {
  return (CONTENT as readonly Action[]).includes(action)
}

function weakenings(asked: Question): Question[] {
  const { actor, assurance } = asked
  const lower = actor.role === null ? null : (ROLES[ROLES.indexOf(actor.role) - 1] ?? null)
  return [
    { ...asked, assurance: { ...assurance, factors: {} } },
    { ...asked, assurance: { ...assurance, since: new Date(assurance.since.getTime() - 3_600_000) } },
    { ...asked, actor: { ...actor, role: lower } },
    { ...asked, actor: { ...actor, admin: false } },
    { ...asked, actor: { ...actor, active: false } },
  ]
}

const times = fc.integer({ min: -60, max: 20 * 60 }).map(ago)
const questions: fc.Arbitrary<Question> = fc.record({
  actor: fc.record({
    userId: fc.constant('u'),
    audience: fc.constantFrom(...AUDIENCES),
    admin: fc.boolean(),
    role: fc.constantFrom<Role | null>(null, ...ROLES),
    active: fc.boolean(),
  }),
  action: fc.constantFrom(...ACTIONS),
  resource: fc.option(
    fc.record({
      level: fc.constantFrom<Level>('SB2', 'SB3', 'SB4'),
      state: fc.constantFrom<ResourceState>('open', 'closed', 'destroyed'),
    }),
  ),
  assurance: fc.record({
    factors: fc.record({ password: times, totp: times }, { requiredKeys: [] }),
    since: times,
  }),
})
