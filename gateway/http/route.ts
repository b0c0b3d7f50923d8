/**
 * The shape of a route, and the one way through which every route is entered: session, then body, then form token,
 * then the handler. A route cannot forget a check, because it does not make it.
 */
import type { Context } from 'koa'
import Router from '@koa/router'
import { GatewayError } from '../errors.ts'
import { signedIn } from '../principal.ts'
import type { Authentication, Principal } from '../principal.ts'
import { visitCsrf } from './cookies.ts'
import type { Cookies } from './cookies.ts'
import { readForm, readJson } from './input.ts'
import { equalSecrets } from './secrets.ts'
import { wordingOf } from '../web/text.ts'
import type { Wording } from '../web/text.ts'

/** What a handler gets. `P` is null where nobody needs to be signed in. */
export interface Call<P = Principal | null> extends Wording {
  readonly ctx: Context
  readonly principal: P
  /** token for the forms of the page that answers */
  readonly csrf: string
  /** fields of a form; empty for other bodies */
  readonly fields: Record<string, string>
  /** the parsed body of an API request; `{}` for other bodies */
  readonly json: unknown
  /** a part of the path by its name in the route */
  readonly param: (name: string) => string
  /** For `files` bodies, whose token arrives in the body: call with it before anything is stored. */
  readonly checkToken: (token: string | undefined) => void
}

type Method = 'GET' | 'POST' | 'DELETE'
/** page: faults become pages, and forms carry their token in a field; api: problem documents, token in a header */
type Face = 'page' | 'api'
/**
 * none: no body is read · form: urlencoded fields · json: an object of small size · files: multipart, read by the
 * handler, which calls `checkToken` first
 */
type Body = 'none' | 'form' | 'json' | 'files'
type Handle<P> = (call: Call<P>) => Promise<void> | void

/** One line of the route table. */
export type Route = { readonly method: Method; readonly path: string; readonly face: Face; readonly body: Body } & (
  | { readonly who: 'anyone'; readonly handle: Handle<Principal | null> }
  | { readonly who: 'members'; readonly handle: Handle<Principal> }
)

/** A route for everybody, signed in or not. */
export function anyone(face: Face, place: `${Method} /${string}`, body: Body, handle: Handle<Principal | null>): Route {
  return { ...placed(place), face, body, who: 'anyone', handle }
}

/** A route for people who are signed in; what they may do there is for access.ts to say. */
export function members(face: Face, place: `${Method} /${string}`, body: Body, handle: Handle<Principal>): Route {
  return { ...placed(place), face, body, who: 'members', handle }
}

function placed(place: `${Method} /${string}`): { method: Method; path: string } {
  const [method, path] = place.split(' ') as [Method, string]
  return { method, path }
}

export interface RouteDeps {
  authentication: Authentication
  cookies: Cookies
}

/** Puts the table into a router. */
export function createRouter(routes: readonly Route[], deps: RouteDeps): Router {
  const router = new Router()
  for (const route of routes) {
    router.register(route.path, [route.method], async (ctx) => {
      ctx.state['route'] = `${route.method} ${route.path}`
      ctx.state['face'] = route.face
      await enter(route, ctx, deps)
    })
  }
  return router
}

async function enter(route: Route, ctx: Context, deps: RouteDeps): Promise<void> {
  const principal =
    route.face === 'api' ? await deps.authentication.authenticate(ctx) : await deps.authentication.recognise(ctx)
  if (route.who === 'members') signedIn(principal)
  const csrf = tokenOf(route, ctx, principal, deps.cookies)
  const checkToken = (token: string | undefined) => {
    if (!equalSecrets(token ?? '', csrf)) throw new GatewayError('gateway/csrf-refused')
  }
  const fields = route.body === 'form' ? await readForm(ctx) : {}
  if (route.body === 'form') ctx.state['fields'] = fields
  if (route.face === 'page' && route.method !== 'GET' && route.body !== 'files') checkToken(fields['csrf'])
  const json = route.body === 'json' ? await readJson(ctx) : {}
  const call = { ...wordingOf(ctx), ctx, csrf, fields, json, param: paramReader(ctx), checkToken }
  await (route.who === 'anyone'
    ? route.handle({ ...call, principal })
    : route.handle({ ...call, principal: signedIn(principal) }))
}

/** The session's token; before there is a session, the one that follows from the visit's cookie. */
function tokenOf(route: Route, ctx: Context, principal: Principal | null, cookies: Cookies): string {
  if (principal !== null) return principal.session.csrf
  if (route.face === 'api') return ''
  // Only a page that is shown starts a visit: a form without its cookie is not ours.
  const visit = route.method === 'GET' ? cookies.visit(ctx) : cookies.sentVisit(ctx)
  return visit === null ? '' : visitCsrf(visit)
}

function paramReader(ctx: Context): (name: string) => string {
  const params = (ctx as Context & { params?: Record<string, string | undefined> }).params ?? {}
  return (name) => {
    const value = params[name]
    if (value === undefined) throw new GatewayError('gateway/not-found')
    return value
  }
}
