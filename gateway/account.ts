/** Routes of one's own account: what is on file, and where one is signed in. */
import { parseId } from '../storage/index.ts'
import type { SessionId } from '../storage/index.ts'
import { GatewayError } from './errors.ts'
import type { House } from './house.ts'
import { members } from './http/route.ts'
import type { Call, Route } from './http/route.ts'
import type { Principal } from './principal.ts'
import { seeOther } from './session.ts'
import { accountPage } from './web/account-page.ts'

export function accountRoutes(house: House): Route[] {
  return [
    members('page', 'GET /account', 'none', async (call) => {
      house.access.house(call.principal, 'account.read')
      const sessions = await house.storage.sessions.list(call.principal.user.id)
      const page = { user: call.principal.user, sessions, current: call.principal.session }
      const ended = call.ctx.querystring === 'ended'
      house.show(call, (frame) => accountPage(frame, { ...page, ended }))
    }),
    members('page', 'POST /account/sessions/:id/end', 'form', async (call) => {
      await endSession(house, call)
      seeOther(call.ctx, '/account?ended')
    }),
    members('api', 'GET /api/account/sessions', 'none', async ({ ctx, principal }) => {
      house.access.house(principal, 'account.read')
      const sessions = await house.storage.sessions.list(principal.user.id)
      ctx.body = {
        items: sessions.map(({ id, kind, label, createdAt, lastSeenAt, expiresAt }) => {
          return { id, kind, label, createdAt, lastSeenAt, expiresAt, current: id === principal.session.id }
        }),
      }
    }),
    members('api', 'DELETE /api/account/sessions/:id', 'none', async (call) => {
      await endSession(house, call)
      call.ctx.status = 204
    }),
  ]
}

/** Ends one of the person's own sessions; another person's does not exist for them. */
async function endSession(house: House, { principal, param }: Call<Principal>): Promise<void> {
  house.access.house(principal, 'account.read')
  const id: SessionId = parseId('session', param('id'))
  const own = await house.storage.sessions.list(principal.user.id)
  if (!own.some((session) => session.id === id)) throw new GatewayError('gateway/not-found')
  await house.storage.sessions.end(id, principal.actor)
}
