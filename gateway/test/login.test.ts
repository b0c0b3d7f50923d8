import assert from 'node:assert/strict'
import { advance } from '../auth/login.ts'
import type { LoginEvent, LoginState } from '../auth/login.ts'

const START: LoginState = { kind: 'await-password' }
const ALLOWED = { allowed: true, retryAt: null }

function password(change: Partial<LoginEvent & { kind: 'password-checked' }>): LoginEvent {
  const account = { state: 'active', hasTotp: false } as const
  return { kind: 'password-checked', account, attempt: ALLOWED, matches: true, ...change }
}

function code(change: Partial<LoginEvent & { kind: 'code-checked' }>): LoginEvent {
  return { kind: 'code-checked', hasTotp: true, attempt: ALLOWED, verdict: 'right', ...change }
}

describe('advance', () => {
  it('signs in with a password where no second factor is set up', () => {
    const outcome = advance(START, password({}))
    assert.deepEqual(outcome, {
      kind: 'go-on',
      state: { kind: 'signed-in', factors: ['password'] },
      proven: 'password',
    })
  })

  it('asks for the code after the password where one is set up', () => {
    const first = advance(START, password({ account: { state: 'active', hasTotp: true } }))
    assert.equal(first.state.kind, 'await-code')
    const second = advance(first.state, code({}))
    assert.deepEqual(second.state, { kind: 'signed-in', factors: ['password', 'totp'] })
  })

  it('answers the same to an unknown address, a wrong password, and an account that may not sign in', () => {
    const outcomes = [
      advance(START, password({ account: null, matches: false })),
      advance(START, password({ matches: false })),
      advance(START, password({ account: { state: 'disabled', hasTotp: true } })),
      advance(START, password({ account: { state: 'invited', hasTotp: false } })),
      advance(START, password({ account: null, matches: true })),
    ]
    for (const outcome of outcomes) assert.deepEqual(outcome, { kind: 'refused', state: START })
  })

  it('does not look at a password or a code while the account is locked', () => {
    const retryAt = new Date('2026-01-31T23:59:00Z')
    const locked = { allowed: false, retryAt }
    assert.deepEqual(advance(START, password({ attempt: locked })), { kind: 'locked', state: START, retryAt })
    const state = { kind: 'await-code', factors: ['password'] } as const
    assert.deepEqual(advance(state, code({ attempt: locked })), { kind: 'locked', state, retryAt })
  })

  it('takes no code before the password', () => {
    assert.deepEqual(advance(START, code({})), { kind: 'refused', state: START })
  })

  it('stays where it is after a code that is wrong, used, or of another time', () => {
    const state = { kind: 'await-code', factors: ['password'] } as const
    for (const verdict of ['wrong', 'reused', 'clock'] as const) {
      assert.deepEqual(advance(state, code({ verdict })), { kind: 'wrong-code', state, verdict })
    }
  })

  it('says so when there is no second factor to prove', () => {
    const state = { kind: 'signed-in', factors: ['password'] } as const
    assert.deepEqual(advance(state, code({ hasTotp: false })), { kind: 'no-second-factor', state })
  })

  it('proves the code anew in a session that has proven it before', () => {
    const state = { kind: 'signed-in', factors: ['password', 'totp'] } as const
    assert.deepEqual(advance(state, code({})), { kind: 'go-on', state, proven: 'totp' })
  })
})
