/**
 * Gathers the facts of a sign-in and carries out what login.ts says: counts, compares, opens or raises the session.
 *
 * Tries are counted before anything is verified. A known and an unknown address cost the same work.
 */
import { LOCKOUT, sessionLimits } from '../../policies/index.ts'
import type { Factor, Levels } from '../../policies/index.ts'
import type { Rows, Storage, User, World } from '../../storage/index.ts'
import type { Principal } from '../principal.ts'
import { createDecoyAttempts } from './decoy-attempts.ts'
import { advance } from './login.ts'
import type { LoginOutcome } from './login.ts'
import type { Passwords } from './password.ts'
import { checkCode } from './totp.ts'

/** An outcome, with the new session token where one was made. */
export interface SignInResult {
  outcome: LoginOutcome
  /** null = nothing has changed, or the token stays as it is (API tokens) */
  token: string | null
}

export interface SignIn {
  /** Checks e-mail and password; on success opens a browser session that has shown the password. */
  withPassword(email: string, password: string): Promise<SignInResult>
  /** Checks a one-time code for a session; on success the session bears it, browsers under a new token. */
  withCode(principal: Principal, code: string): Promise<SignInResult>
  /** Opens a browser session for somebody who has just set up the account. @returns the token */
  open(rows: Rows, user: Pick<User, 'id' | 'audience'>, factors: readonly Factor[], now: Date): Promise<string>
}

export interface SignInDeps extends Pick<World, 'clock'> {
  storage: Storage
  levels: Levels
  passwords: Passwords
}

export function createSignIn(deps: SignInDeps): SignIn {
  const { storage, levels, passwords, clock } = deps
  const countDecoy = createDecoyAttempts()

  const open: SignIn['open'] = async (rows, user, factors, now) => {
    const { maxMs } = sessionLimits({}, user.audience, levels)
    const session = await rows.sessions.create(
      {
        userId: user.id,
        kind: 'browser',
        factors: Object.fromEntries(factors.map((factor) => [factor, now])),
        expiresAt: new Date(now.getTime() + maxMs),
      },
      { kind: 'user', id: user.id },
    )
    return session.token
  }

  async function withPassword(email: string, password: string): Promise<SignInResult> {
    const now = clock()
    const user = await storage.users.byEmail(email)
    const attempt = user ? await storage.users.countAttempt(user.id, 'password', now, LOCKOUT) : countDecoy(email, now)
    const encoded = user ? await storage.users.passwordHash(user.id) : null
    const matches = attempt.allowed && (await passwords.matches(encoded, password))
    const outcome = advance({ kind: 'await-password' }, { kind: 'password-checked', account: user, attempt, matches })
    if (outcome.kind !== 'go-on' || user === null) return { outcome, token: null }
    await storage.users.clearAttempts(user.id, 'password')
    return { outcome, token: await open(storage, user, ['password'], now) }
  }

  async function withCode({ user, session }: Principal, code: string): Promise<SignInResult> {
    const now = clock()
    const state = { kind: 'await-code', factors: Object.keys(session.factors) as Factor[] } as const
    const secret = await storage.users.totpSecret(user.id)
    const counts = secret === null ? null : await storage.users.countAttempt(user.id, 'totp', now, LOCKOUT)
    const attempt = counts ?? { allowed: true, retryAt: null }
    const verdict = secret === null || !attempt.allowed ? 'wrong' : await verdictOn(user, secret, code, now)
    const outcome = advance(state, { kind: 'code-checked', hasTotp: secret !== null, attempt, verdict })
    if (outcome.kind !== 'go-on') return { outcome, token: null }
    await storage.users.clearAttempts(user.id, 'totp')
    const rotate = session.kind === 'browser' ? 'rotate' : 'keep'
    return { outcome, token: (await storage.sessions.stepUp(session.id, 'totp', now, rotate)).token }
  }

  async function verdictOn(user: User, secret: string, code: string, now: Date) {
    const check = await checkCode(secret, code, now)
    if (check.kind !== 'right') return check.kind
    return (await storage.users.acceptTotpStep(user.id, check.step)) ? 'right' : 'reused'
  }

  return { withPassword, withCode, open }
}
