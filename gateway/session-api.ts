/** The same for programs: sign in, step up, redeem an invitation, all as JSON. */
import { z } from 'zod'
import type { LoginOutcome } from './auth/login.ts'
import { enrolmentUri } from './auth/totp.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { shaped } from './http/input.ts'
import { anyone, members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { secondsUntil } from './session.ts'

const LOGIN = z.strictObject({ email: z.string().min(1).max(254), password: z.string().min(1).max(1000) })
const CODE = z.strictObject({ code: z.string().regex(/^\d{6}$/) })
const TOKEN = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const INVITATION_CODE = z.string().regex(/^\d{8}$/)
const LOOK = z.strictObject({ token: TOKEN, invitationCode: INVITATION_CODE.optional() })
const ACCEPT = z.strictObject({
  token: TOKEN,
  invitationCode: INVITATION_CODE.optional(),
  visit: TOKEN,
  password: z.string().min(1).max(1000),
  code: z
    .string()
    .regex(/^\d{6}$/)
    .optional(),
  name: z.string().min(1).max(200).optional(),
  email: z.email().max(254).optional(),
})

export function sessionApi(house: House): Route[] {
  return [
    anyone('api', 'POST /api/login', 'json', (call) => logIn(house, call)),
    members('api', 'POST /api/step-up', 'json', (call) => stepUp(house, call)),
    members('api', 'GET /api/session', 'none', ({ ctx, principal }) => {
      ctx.body = sessionDocument(principal)
    }),
    members('api', 'POST /api/logout', 'none', async ({ ctx, principal }) => {
      await house.storage.sessions.end(principal.session.id, principal.actor)
      house.cookies.clearSession(ctx)
      ctx.status = 204
    }),
    anyone('api', 'POST /api/invitations/look', 'json', (call) => look(house, call)),
    anyone('api', 'POST /api/invitations/accept', 'json', (call) => accept(house, call)),
  ]
}

/** The cookie is the session; `csrf` goes into `X-CSRF-Token` of whatever changes something. */
function sessionDocument({ user, session }: Pick<Principal, 'user' | 'session'>): Record<string, unknown> {
  return {
    user: { id: user.id, audience: user.audience, admin: user.admin, hasSecondFactor: user.hasTotp },
    kind: session.kind,
    factors: session.factors,
    csrf: session.kind === 'browser' ? session.csrf : null,
  }
}

async function logIn(house: House, call: Call): Promise<void> {
  await house.limits.countCredential(house.addressOf(call.ctx))
  const { email, password } = shaped(LOGIN, call.json)
  const { outcome, token } = await house.signIn.withPassword(email, password)
  await answer(house, call, token, outcome)
}

async function stepUp(house: House, call: Call<Principal>): Promise<void> {
  await house.limits.countCredential(house.addressOf(call.ctx))
  const { code } = shaped(CODE, call.json)
  const { outcome, token } = await house.signIn.withCode(call.principal, code)
  if (outcome.kind === 'go-on' && token === null) {
    call.ctx.body = { kind: call.principal.session.kind, proven: outcome.proven }
    return
  }
  await answer(house, call, token, outcome)
}

async function answer(house: House, call: Call, token: string | null, outcome: LoginOutcome): Promise<void> {
  if (token === null) throw faultOf(house, outcome)
  await begin(house, call, token)
}

/** Sets the cookie and answers with the session as it now is. */
async function begin(house: House, { ctx }: Call, token: string): Promise<void> {
  const session = await house.storage.sessions.byToken(token, house.clock())
  if (session === null) throw new GatewayError('gateway/sign-in-required')
  house.cookies.setSession(ctx, token)
  ctx.body = sessionDocument({ session, user: await house.storage.users.byId(session.userId) })
}

function faultOf(house: House, outcome: LoginOutcome): GatewayError {
  switch (outcome.kind) {
    case 'locked': {
      const seconds = secondsUntil(outcome.retryAt, house.clock())
      return new GatewayError('gateway/locked-out', seconds === null ? {} : { retryAfterSeconds: seconds })
    }
    case 'wrong-code':
      return new GatewayError('gateway/wrong-code', { facts: { reason: outcome.verdict } })
    case 'no-second-factor':
      return new GatewayError('gateway/no-second-factor')
    case 'refused':
    case 'go-on':
      return new GatewayError('gateway/wrong-credentials')
  }
}

/** What a program needs to redeem an invitation; `visit` and the code travel back with `accept`. */
async function look(house: House, call: Call): Promise<void> {
  await house.limits.countCredential(house.addressOf(call.ctx))
  const { token, invitationCode } = shaped(LOOK, call.json)
  const { invitation, user, enrols } = await house.invitations.look(token)
  if (invitation.needsCode && invitationCode === undefined) {
    call.ctx.body = { purpose: invitation.purpose, needsCode: true, totp: null }
    return
  }
  if (invitationCode !== undefined && (await house.invitations.tryCode(token, invitationCode)) === 'wrong') {
    throw new GatewayError('gateway/wrong-code', { facts: { reason: 'invitation' } })
  }
  const visit = house.random(32).toString('base64url')
  const secret = await house.invitations.totpSecret(token, visit)
  call.ctx.body = {
    purpose: invitation.purpose,
    needsCode: invitation.needsCode,
    visit,
    totp: enrols ? { secret, uri: enrolmentUri(secret, user?.email ?? call.texts.brand, call.texts.brand) } : null,
  }
}

async function accept(house: House, call: Call): Promise<void> {
  await house.limits.countCredential(house.addressOf(call.ctx))
  const { name = '', email = '', invitationCode = '', code = '', ...rest } = shaped(ACCEPT, call.json)
  const token = await house.invitations.accept({ ...rest, invitationCode, code, person: { name, email } })
  await begin(house, call, token)
}
