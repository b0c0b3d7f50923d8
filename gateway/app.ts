/**
 * The Koa application: middleware in reading order, then the route table.
 *
 * Does not listen; the command that serves gives it a server (its timeouts: `requestTimeout` 0, because a large upload
 * takes hours and tus/idle.ts guards against silence; `headersTimeout` as Node has it).
 */
import Koa from 'koa'
import type { Context, Middleware } from 'koa'
import type { Levels } from '../policies/index.ts'
import type { Storage, World } from '../storage/index.ts'
import { createAccess } from './access.ts'
import { accountRoutes } from './account.ts'
import { loadAssets } from './assets.ts'
import { createInvitationFlow } from './auth/invitation.ts'
import { createPasswords } from './auth/password.ts'
import { createSignIn } from './auth/sign-in.ts'
import { GatewayError } from './errors.ts'
import { fileRoutes } from './files.ts'
import { healthMiddleware } from './health.ts'
import type { House } from './house.ts'
import { clientAddressReader } from './http/client-address.ts'
import { createCookies } from './http/cookies.ts'
import { causesOf, renderFaults } from './http/faults.ts'
import { securityHeaders } from './http/headers.ts'
import { createLimits } from './http/limits.ts'
import type { LimitRules } from './http/limits.ts'
import { refuseForeignOrigins } from './http/origin.ts'
import { requestLog } from './http/request-log.ts'
import { createRouter } from './http/route.ts'
import type { Route } from './http/route.ts'
import { invitationRoutes } from './invitation.ts'
import { osciMiddleware } from './osci.ts'
import type { AnswerOsci } from './osci.ts'
import { createAuthentication } from './principal.ts'
import { roomRoutes } from './rooms.ts'
import type { Sealer } from './seal.ts'
import { sessionApi } from './session-api.ts'
import { sessionRoutes } from './session.ts'
import { sealBatchRoutes } from './seal-batches.ts'
import { signatureRoutes } from './signatures.ts'
import type { Site } from './site.ts'
import { limitSilence } from './tus/idle.ts'
import { tusMiddleware } from './tus/server.ts'
import type { TusLimits } from './tus/server.ts'
import { VALIDATIONS_AT_ONCE, createTurns, filesAtOnce } from './turns.ts'
import { uploadFormRoutes } from './upload-form.ts'
import type { Validate } from './validation.ts'
import { createPages } from './web/pages.ts'

export interface AppDeps extends World {
  storage: Storage
  levels: Levels
  site: Site
  uploads: Omit<TusLimits, 'maxSizeBytes'>
  /** null = no seal key is set up */
  seal: Sealer | null
  /** null = signatures are not validated here */
  validate: Validate | null
  /** null = no intermediary is embedded */
  osci: AnswerOsci | null
  /** absent = limits that suit an office */
  limits?: LimitRules
}

export interface App {
  koa: Koa
  /** the route table, for whoever wants to walk over it */
  routes: readonly Route[]
}

/** Builds the application. */
export function createApp(deps: AppDeps): App {
  const { storage, levels, site, log } = deps
  const publicUrl = new URL(site.publicUrl)
  const cookies = createCookies(publicUrl, deps.random)
  const authentication = createAuthentication({ ...deps, cookies })
  const access = createAccess(deps)
  const assets = loadAssets()
  const pages = createPages({ levels, stylesheet: assets.stylesheet, authentication, cookies })
  const limits = createLimits(deps.limits)
  const readAddress = clientAddressReader(site.trustedProxies)
  const addressOf = (ctx: Context) => readAddress(ctx.req)
  const passwords = createPasswords(deps.random)
  const signIn = createSignIn({ ...deps, passwords })
  const invitations = createInvitationFlow({ ...deps, passwords, signIn })
  const turns = createTurns(filesAtOnce(deps.storage.uploads.bodiesAtOnce))
  const house: House = {
    ...deps,
    turns,
    validationTurns: createTurns(VALIDATIONS_AT_ONCE),
    idleMs: deps.uploads.idleMs,
    access,
    signIn,
    invitations,
    cookies,
    limits,
    addressOf,
    show: pages.show,
  }

  const routes = routeTable(house, deps.validate)
  const router = createRouter(routes, { authentication, cookies })
  const koa = new Koa()
  koa.use(healthMiddleware(storage))
  koa.use(requestLog(log, deps.random))
  koa.use(securityHeaders(publicUrl.protocol === 'https:'))
  koa.use(renderFaults(log, pages.showFault))
  koa.use(assets.middleware)
  koa.use(countRequests(house))
  koa.use(hangUpOnSilence(deps.uploads.idleMs))
  koa.use(refuseForeignOrigins(publicUrl.origin))
  koa.use(
    tusMiddleware({
      ...{ ...deps, access, turns, authenticate: authentication.authenticate },
      limits: { ...deps.uploads, maxSizeBytes: site.maxUploadBytes },
    }),
  )
  if (deps.osci !== null) koa.use(osciMiddleware(deps.osci, site.maxOsciBytes))
  koa.use(router.routes() as unknown as Middleware)
  koa.use(knownPathOtherMethod(routes))
  koa.on('error', (error: unknown) => {
    log.warn({ causes: causesOf(error) }, 'connection fault')
  })
  return { koa, routes }
}

/** Every address of pages and API; uploads, OSCI, health and assets are mounted above. */
function routeTable(house: House, validate: Validate | null): Route[] {
  return [
    ...sessionRoutes(house),
    ...sessionApi(house),
    ...invitationRoutes(house),
    ...roomRoutes(house),
    ...uploadFormRoutes(house),
    ...fileRoutes(house),
    ...signatureRoutes(house, validate),
    ...sealBatchRoutes(house),
    ...accountRoutes(house),
  ]
}

/** A body that stops coming holds a connection: the server itself sets no limit on whole requests. */
function hangUpOnSilence(idleMs: number): Middleware {
  return async (ctx, next) => {
    if (!ctx.req.complete) limitSilence(ctx.req, idleMs)
    await next()
  }
}

function countRequests({ limits, addressOf }: Pick<House, 'limits' | 'addressOf'>): Middleware {
  return async (ctx, next) => {
    await limits.countRequest(addressOf(ctx))
    await next()
  }
}

/** 405 with `Allow` where the address exists (RFC 9110 §15.5.6). */
function knownPathOtherMethod(routes: readonly Route[]): Middleware {
  const patterns = routes.map(({ method, path }) => ({
    method,
    matches: new RegExp(`^${path.replace(/:[a-z]+/g, '[^/]+')}$`),
  }))
  return (ctx) => {
    const allowed = patterns.filter(({ matches }) => matches.test(ctx.path)).map(({ method }) => method)
    if (allowed.length === 0) throw new GatewayError('gateway/not-found')
    ctx.set('Allow', [...new Set(allowed)].join(', '))
    throw new GatewayError('gateway/method-not-allowed')
  }
}
