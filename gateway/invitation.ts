/**
 * Routes of an invitation: code of the second channel, then password and second factor on one page.
 *
 * Looking changes nothing: a link scanner of a mail server does not use an invitation up.
 */
import { isStorageError } from '../storage/index.ts'
import { enrolmentUri, qrPicture } from './auth/totp.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { anyone } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import { seeOther } from './session.ts'
import { acceptPage, invitationCodePage } from './web/invitation-page.ts'
import type { Texts } from './web/text.ts'

/** Where a person redeems the invitation of this token, below the public address. */
export function invitationPath(token: string): string {
  return `/invitation/${token}`
}

export function invitationRoutes(house: House): Route[] {
  return [
    anyone('page', 'GET /invitation/:token', 'none', async (call) => {
      await house.limits.countCredential(house.addressOf(call.ctx))
      const token = tokenOf(call)
      const { invitation } = await house.invitations.look(token)
      house.cookies.visit(call.ctx)
      if (!invitation.needsCode) return showAccept(house, call, { problem: null, status: 200 })
      house.show(call, (frame) => invitationCodePage(frame, { token, problem: null }))
    }),
    anyone('page', 'POST /invitation/:token/code', 'form', async (call) => {
      await house.limits.countCredential(house.addressOf(call.ctx))
      const token = tokenOf(call)
      const verdict = await house.invitations.tryCode(token, call.fields['invitationCode'] ?? '')
      if (verdict === 'accepted') return showAccept(house, call, { problem: null, status: 200 })
      const problem = call.texts.invitation.codeWrong
      house.show(call, (frame) => invitationCodePage(frame, { token, problem }), 403)
    }),
    anyone('page', 'POST /invitation/:token', 'form', (call) => accept(house, call)),
  ]
}

async function accept(house: House, call: Call): Promise<void> {
  const { ctx, fields, texts } = call
  await house.limits.countCredential(house.addressOf(ctx))
  const { password = '', repeat = '', invitationCode = '' } = fields
  const token = tokenOf(call)
  const { invitation } = await house.invitations.look(token)
  // Before the page shows whose account this is.
  if (invitation.needsCode && (await house.invitations.tryCode(token, invitationCode)) === 'wrong') {
    const problem = texts.invitation.codeWrong
    house.show(call, (frame) => invitationCodePage(frame, { token, problem }), 403)
    return
  }
  if (password !== repeat) return showAccept(house, call, { problem: texts.invitation.mismatch, status: 422 })
  try {
    const { name = '', email = '', code = '' } = fields
    const visit = visitOf(house, call)
    const person = { name: name.trim(), email: email.trim() }
    const session = await house.invitations.accept({ token, invitationCode, password, code, visit, person })
    house.cookies.clearVisit(ctx)
    house.cookies.setSession(ctx, session)
    seeOther(ctx, '/rooms')
  } catch (error) {
    const problem = correctable(error, texts)
    if (problem === null) throw error
    return showAccept(house, call, { problem, status: 422 })
  }
}

/** What the reader can put right on the same page; null = something else went wrong. */
function correctable(error: unknown, texts: Texts): string | null {
  if (isStorageError(error, 'storage/already-exists')) return texts.invitation.emailTaken
  if (!(error instanceof GatewayError)) return null
  const { rule, reason } = error.facts
  if (error.code === 'gateway/bad-input') return texts.invitation.incomplete
  if (error.code === 'gateway/weak-password') {
    return texts.invitation.weak[rule as keyof Texts['invitation']['weak']]
  }
  if (error.code !== 'gateway/wrong-code') return null
  if (reason === 'invitation') return texts.invitation.codeWrong
  return reason === 'clock' ? texts.code.clock : texts.code.wrong
}

async function showAccept(house: House, call: Call, { problem, status }: { problem: string | null; status: number }) {
  const token = tokenOf(call)
  const { user, enrols } = await house.invitations.look(token)
  const { name = '', email = '', invitationCode = '' } = call.fields
  const secret = await house.invitations.totpSecret(token, visitOf(house, call))
  const account = user?.email ?? new URL(house.site.publicUrl).hostname
  const picture = enrols ? await qrPicture(enrolmentUri(secret, account, call.texts.brand)) : ''
  const page = {
    ...{ token, invitationCode, problem, person: user, entered: { name, email } },
    totp: enrols ? { secret, picture } : null,
  }
  house.show(call, (frame) => acceptPage(frame, page), status)
}

/** The browser visit that the TOTP key follows from; without its cookie the form was not shown by us. */
function visitOf(house: House, call: Call): string {
  const visit = call.ctx.method === 'GET' ? house.cookies.visit(call.ctx) : house.cookies.sentVisit(call.ctx)
  if (visit === null) throw new GatewayError('gateway/csrf-refused')
  return visit
}

function tokenOf(call: Call): string {
  const token = call.param('token')
  if (!/^[A-Za-z0-9_-]{43}$/.test(token)) throw new GatewayError('gateway/link-gone')
  return token
}
