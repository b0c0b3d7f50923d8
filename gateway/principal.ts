/**
 * Who is asking: the session behind a request and the factors it has shown.
 *
 * A browser carries a cookie, a program an API token in `Authorization: Bearer`; both name a session row. Everything
 * a policy decision needs to know about the person is gathered here once per request. Decisions are made elsewhere
 * (access.ts).
 */
import type { Context } from 'koa'
import type { Actor, Session, Storage, User, World } from '../storage/index.ts'
import { assuranceOf, sessionState } from '../policies/index.ts'
import type { Assurance, Levels } from '../policies/index.ts'
import { GatewayError } from './errors.ts'
import type { Cookies } from './http/cookies.ts'
import { equalSecrets } from './http/secrets.ts'

/** A signed-in person, as every handler and the upload endpoint see them. */
export interface Principal {
  readonly user: User
  readonly session: Session
  /** the user as the author of audit entries */
  readonly actor: Actor
  /** factors shown in this session and when; input of decide() */
  readonly assurance: Assurance
}

/** How a request was recognised. */
export interface Authentication {
  /**
   * Finds out who sends this request; null when nobody is signed in.
   *
   * On a method that changes something, a cookie session must also show its CSRF token in `X-CSRF-Token`, because a
   * browser sends cookies along with requests that other sites started. An API token needs none. The answer is
   * remembered for the request, so that asking twice costs nothing.
   *
   * @throws GatewayError `gateway/csrf-refused`
   */
  readonly authenticate: (ctx: Context) => Promise<Principal | null>
  /** The same without the CSRF test, for forms that carry the token in a field (http/route.ts). */
  readonly recognise: (ctx: Context) => Promise<Principal | null>
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]{20,200}=*)$/i
/** Even a statement that changes nothing waits for writers; a minute is exact enough for limits of many. */
const TOUCH_EVERY_MS = 60_000

export interface AuthenticationDeps extends World {
  storage: Storage
  levels: Levels
  cookies: Cookies
}

/** Makes the one reader of cookies and API tokens. */
export function createAuthentication(deps: AuthenticationDeps): Authentication {
  const known = new WeakMap<object, Promise<Principal | null>>()

  function recognise(ctx: Context): Promise<Principal | null> {
    const earlier = known.get(ctx.req)
    if (earlier) return earlier
    const found = lookUp(deps, ctx)
    known.set(ctx.req, found)
    return found
  }

  async function authenticate(ctx: Context): Promise<Principal | null> {
    const principal = await recognise(ctx)
    if (principal === null || principal.session.kind === 'token' || SAFE_METHODS.has(ctx.method)) return principal
    if (!equalSecrets(ctx.get('x-csrf-token'), principal.session.csrf)) throw new GatewayError('gateway/csrf-refused')
    return principal
  }

  return { authenticate, recognise }
}

/** The principal of a request that cannot go on without one. @throws GatewayError `gateway/sign-in-required` */
export function signedIn(principal: Principal | null): Principal {
  if (principal === null) throw new GatewayError('gateway/sign-in-required')
  return principal
}

async function lookUp(deps: AuthenticationDeps, ctx: Context): Promise<Principal | null> {
  const { storage, levels, cookies, clock } = deps
  const authorization = ctx.get('authorization')
  const token = authorization === '' ? cookies.session(ctx) : (BEARER.exec(authorization)?.[1] ?? null)
  if (token === null) return null
  const now = clock()
  const found = await storage.sessions.withUser(token, now)
  if (found?.session.kind !== (authorization === '' ? 'browser' : 'token')) return null
  const { session, user } = found
  if (user.state !== 'active') return null
  if (sessionState(session, user.audience, levels, now) !== 'alive') return null
  if (now.getTime() - session.lastSeenAt.getTime() >= TOUCH_EVERY_MS) await storage.sessions.touch(session.id, now)
  return {
    user,
    session,
    actor: { kind: 'user', id: user.id },
    assurance: assuranceOf(session, now),
  }
}
