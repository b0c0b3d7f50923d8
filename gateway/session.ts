/** Routes of signing in and out, stepping up, and the language switch. */
import type { LoginOutcome } from './auth/login.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { ownFields, ownPath, queryValue } from './http/input.ts'
import { anyone, members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { waitText } from './web/error-page.ts'
import { codePage, loginPage } from './web/login-page.ts'
import { LANGUAGES, languageCookie } from './web/text.ts'
import type { Texts } from './web/text.ts'

const HOME = '/rooms'

export function sessionRoutes(house: House): Route[] {
  return [
    anyone('page', 'GET /', 'none', ({ ctx, principal }) => {
      seeOther(ctx, principal === null ? '/login' : HOME)
    }),
    anyone('page', 'GET /login', 'none', (call) => {
      const page = { email: '', next: nextOf(call), problem: null, ended: call.ctx.querystring === 'ended' }
      house.show(call, (frame) => loginPage(frame, page))
    }),
    anyone('page', 'POST /login', 'form', (call) => logIn(house, call)),
    members('page', 'GET /step-up', 'none', (call) => {
      const page = { next: nextOf(call), resume: null, problem: null, none: !call.principal.user.hasTotp }
      const optional = queryValue(call.ctx, 'optional') === 'yes'
      house.show(call, (frame) => codePage(frame, { ...page, optional }))
    }),
    members('page', 'POST /step-up', 'form', (call) => stepUp(house, call)),
    members('page', 'POST /logout', 'form', async ({ ctx, principal }) => {
      await house.storage.sessions.end(principal.session.id, principal.actor)
      house.cookies.clearSession(ctx)
      ctx.set('Clear-Site-Data', '"storage"')
      seeOther(ctx, '/login?ended')
    }),
    anyone('page', 'POST /language', 'form', ({ ctx, fields }) => {
      const language = LANGUAGES.find((candidate) => candidate === fields['language'])
      if (language === undefined) throw new GatewayError('gateway/bad-input', { facts: { fields: ['language'] } })
      ctx.append('Set-Cookie', languageCookie(language, house.site.publicUrl.startsWith('https:')))
      seeOther(ctx, ownPath(fields['next'], '/'))
    }),
  ]
}

async function logIn(house: House, call: Call): Promise<void> {
  const { ctx, fields, texts } = call
  await house.limits.countCredential(house.addressOf(ctx))
  const { email = '', password = '' } = fields
  const { outcome, token } = await house.signIn.withPassword(email.slice(0, 254), password.slice(0, 1000))
  const next = ownPath(fields['next'], HOME)
  if (token !== null) {
    // The session that the browser had so far ends: one browser, one person.
    if (call.principal !== null) await house.storage.sessions.end(call.principal.session.id, call.principal.actor)
    house.cookies.clearVisit(ctx)
    house.cookies.setSession(ctx, token)
    const asksCode = outcome.state.kind === 'await-code'
    seeOther(ctx, asksCode ? `/step-up?optional=yes&next=${encodeURIComponent(next)}` : next)
    return
  }
  const page = { email, next, problem: problemOf(house, outcome, texts), ended: false }
  house.show(call, (frame) => loginPage(frame, page), outcome.kind === 'locked' ? 429 : 401)
}

async function stepUp(house: House, call: Call<Principal>): Promise<void> {
  const { ctx, principal, fields, texts } = call
  await house.limits.countCredential(house.addressOf(ctx))
  const { code = '', next: nextField, resume: resumeField } = fields
  const { outcome, token } = await house.signIn.withCode(principal, code)
  const next = ownPath(nextField, HOME)
  const resume = ownPath(resumeField, '')
  if (outcome.kind === 'go-on') {
    if (token !== null) house.cookies.setSession(ctx, token)
    // 307 sends the interrupted form again as it was (RFC 9110 §15.4.8); its token is this session's as before.
    if (resume !== '') redirect(ctx, resume, 307)
    else seeOther(ctx, next)
    return
  }
  const page = {
    next,
    resume: resume === '' ? null : { path: resume, fields: ownFields(fields) },
    problem: problemOf(house, outcome, texts),
    none: outcome.kind === 'no-second-factor',
    optional: false,
  }
  house.show(call, (frame) => codePage(frame, page), outcome.kind === 'locked' ? 429 : 403)
}

function problemOf(house: House, outcome: LoginOutcome, texts: Texts): string | null {
  switch (outcome.kind) {
    case 'go-on':
      return null
    case 'refused':
      return texts.login.refused
    case 'wrong-code':
      return texts.code[outcome.verdict]
    case 'no-second-factor':
      return texts.code.none
    case 'locked':
      return waitText(secondsUntil(outcome.retryAt, house.clock()), texts.locked)
  }
}

/** Whole seconds until then; null stays null. */
export function secondsUntil(at: Date | null, now: Date): number | null {
  return at === null ? null : Math.max(1, Math.ceil((at.getTime() - now.getTime()) / 1000))
}

function nextOf(call: Call): string {
  return ownPath(queryValue(call.ctx, 'next'), HOME)
}

/** After a form: GET that address (RFC 9110 §15.4.4). */
export function seeOther(ctx: Call['ctx'], path: string): void {
  redirect(ctx, path, 303)
}

function redirect(ctx: Call['ctx'], path: string, status: number): void {
  ctx.status = status
  ctx.set('Location', path)
  ctx.body = ''
}
