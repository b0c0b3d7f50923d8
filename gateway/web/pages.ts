/** Sends pages: puts the frame around them, for handlers and for faults. */
import type { Context } from 'koa'
import type { Levels } from '../../policies/index.ts'
import type { Show } from '../house.ts'
import { visitCsrf } from '../http/cookies.ts'
import type { Cookies } from '../http/cookies.ts'
import { ownFields } from '../http/input.ts'
import type { FaultPage } from '../http/faults.ts'
import type { Problem } from '../http/problem.ts'
import type { Authentication, Principal } from '../principal.ts'
import { errorPage } from './error-page.ts'
import { layout } from './layout.ts'
import type { Frame, PageParts } from './layout.ts'
import { codePage } from './login-page.ts'
import { wordingOf } from './text.ts'
import type { Wording } from './text.ts'

export interface PageDeps {
  levels: Levels
  stylesheet: string
  authentication: Authentication
  cookies: Cookies
}

export interface Pages {
  show: Show
  showFault: FaultPage
}

export function createPages(deps: PageDeps): Pages {
  const frameOf = (ctx: Context, words: Wording, principal: Principal | null, csrf: string): Frame => ({
    ...{ language: words.language, texts: words.texts, levels: deps.levels, stylesheet: deps.stylesheet, csrf },
    person: principal?.user.name ?? null,
    // The switch leads back by GET: to the page itself, or to where its form stood.
    path: ctx.method === 'GET' ? `${ctx.path}${ctx.search}`.slice(0, 500) : backOf(ctx),
  })
  const send = (ctx: Context, frame: Frame, parts: PageParts, status: number) => {
    ctx.status = status
    ctx.type = 'text/html; charset=utf-8'
    ctx.set('Content-Language', frame.language)
    ctx.vary('Accept-Language')
    ctx.body = layout(frame, parts)
  }

  return {
    show: (call, page, status = 200) => {
      const frame = frameOf(call.ctx, call, call.principal, call.csrf)
      send(call.ctx, frame, page(frame), status)
    },
    showFault: async (ctx, problem, requestId) => {
      const principal = await signedInOrNobody(deps.authentication, ctx)
      const onward = elsewhere(ctx, problem)
      if (onward !== null) {
        ctx.status = 303
        ctx.set('Location', onward)
        ctx.body = ''
        return
      }
      const csrf = principal?.session.csrf ?? visitCsrf(deps.cookies.visit(ctx))
      const frame = frameOf(ctx, wordingOf(ctx), principal, csrf)
      const parts = problem.code === 'gateway/step-up-required' ? resumePage(ctx, frame) : null
      send(ctx, frame, parts ?? errorPage(frame, problem, requestId), problem.status)
    },
  }
}

/** Even an error page must come when the database does not answer. */
async function signedInOrNobody(authentication: Authentication, ctx: Context): Promise<Principal | null> {
  try {
    return await authentication.recognise(ctx)
  } catch {
    return null
  }
}

/** Faults that a person answers on another page: signing in, or the second factor. Null = show an error page. */
function elsewhere(ctx: Context, problem: Problem): string | null {
  const here = ctx.method === 'GET' ? `${ctx.path}${ctx.search}` : backOf(ctx)
  const next = `?next=${encodeURIComponent(here)}`
  if (problem.code === 'gateway/sign-in-required') return `/login${here === '/' ? '' : next}`
  if (problem.code !== 'gateway/step-up-required') return null
  const factors = problem.facts['factors']
  if (Array.isArray(factors) && factors.includes('password')) return `/login${next}`
  return ctx.method === 'GET' || sentFields(ctx) === null ? `/step-up${next}` : null
}

/** Asks for the code and sends the interrupted form again afterwards. */
function resumePage(ctx: Context, frame: Frame): PageParts | null {
  const fields = sentFields(ctx)
  if (fields === null) return null
  const resume = { path: ctx.path, fields: ownFields(fields) }
  return codePage(frame, { next: backOf(ctx), resume, problem: null, none: false, optional: false })
}

function sentFields(ctx: Context): Record<string, string> | null {
  const fields: unknown = ctx.state['fields']
  return typeof fields === 'object' && fields !== null ? (fields as Record<string, string>) : null
}

/** The page that the form of this address stands on. */
function backOf(ctx: Context): string {
  const named: unknown = ctx.state['back']
  if (typeof named === 'string') return named
  const parent = ctx.path.replace(/\/(seal|erase|end|code)$/, '')
  return parent === ctx.path || parent.includes('/sessions/') ? '/' : parent
}
