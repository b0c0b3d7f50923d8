/**
 * Signing in and stepping up, as a pure state machine: password, then second factor, then session.
 *
 * Takes what has been found out (attempt counted, hash compared, code checked) and says where that leads. It waits for
 * nothing and knows no HTTP; sign-in.ts gathers the facts and carries out what is said here.
 */
import type { Factor } from '../../policies/index.ts'

export type LoginState =
  | { kind: 'await-password' }
  /** the password is right; the account has a second factor, which is asked next */
  | { kind: 'await-code'; factors: readonly Factor[] }
  | { kind: 'signed-in'; factors: readonly Factor[] }

/** What the count of attempts answered before anything was verified. `retryAt` null = an operator has to unlock. */
export interface Attempt {
  allowed: boolean
  retryAt: Date | null
}

export type CodeVerdict = 'right' | 'wrong' | 'reused' | 'clock'

export type LoginEvent =
  | {
      kind: 'password-checked'
      /** null = no account of this address */
      account: { state: 'invited' | 'active' | 'disabled'; hasTotp: boolean } | null
      attempt: Attempt
      matches: boolean
    }
  | { kind: 'code-checked'; hasTotp: boolean; attempt: Attempt; verdict: CodeVerdict }

export type LoginOutcome =
  | { kind: 'go-on'; state: LoginState; proven: Factor }
  /** deliberately the same for unknown address, wrong password, disabled and invited accounts */
  | { kind: 'refused'; state: LoginState }
  | { kind: 'wrong-code'; state: LoginState; verdict: Exclude<CodeVerdict, 'right'> }
  | { kind: 'no-second-factor'; state: LoginState }
  | { kind: 'locked'; state: LoginState; retryAt: Date | null }

/** Where an event leads. A code is never taken before a password: the state says what may come next. */
export function advance(state: LoginState, event: LoginEvent): LoginOutcome {
  return event.kind === 'password-checked' ? afterPassword(state, event) : afterCode(state, event)
}

function afterPassword(state: LoginState, event: LoginEvent & { kind: 'password-checked' }): LoginOutcome {
  if (!event.attempt.allowed) return { kind: 'locked', state, retryAt: event.attempt.retryAt }
  if (event.account?.state !== 'active' || !event.matches) return { kind: 'refused', state }
  const factors: Factor[] = ['password']
  const next: LoginState = event.account.hasTotp ? { kind: 'await-code', factors } : { kind: 'signed-in', factors }
  return { kind: 'go-on', state: next, proven: 'password' }
}

function afterCode(state: LoginState, event: LoginEvent & { kind: 'code-checked' }): LoginOutcome {
  if (state.kind === 'await-password') return { kind: 'refused', state }
  if (!event.hasTotp) return { kind: 'no-second-factor', state }
  if (!event.attempt.allowed) return { kind: 'locked', state, retryAt: event.attempt.retryAt }
  if (event.verdict !== 'right') return { kind: 'wrong-code', state, verdict: event.verdict }
  const factors = [...new Set<Factor>([...state.factors, 'totp'])]
  return { kind: 'go-on', state: { kind: 'signed-in', factors }, proven: 'totp' }
}
