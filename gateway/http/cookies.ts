/**
 * The two cookies: the session's token, and a visit for forms that are filled in before there is a session.
 *
 * Over https both bear the `__Host-` prefix (RFC 6265bis §4.1.3.2): Secure, Path=/, no Domain, so that no
 * neighbouring host can plant one. A browser refuses that prefix without Secure, hence plain names on a loopback
 * instance without TLS. Which of the two it is follows from the public address alone, never from a header.
 */
import { createHash } from 'node:crypto'
import type { Context } from 'koa'

/** 32 bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

export interface Cookies {
  /** The session token that the browser sent; null when absent or malformed. */
  session(ctx: Context): string | null
  setSession(ctx: Context, token: string): void
  clearSession(ctx: Context): void
  /** The secret of this browser visit, made and set when the browser has none. */
  visit(ctx: Context): string
  /** Ends the visit: the next form begins another. */
  clearVisit(ctx: Context): void
  /** The visit that the browser sent, without making one. */
  sentVisit(ctx: Context): string | null
}

export function createCookies(publicUrl: URL, random: (n: number) => Buffer): Cookies {
  const secure = publicUrl.protocol === 'https:'
  const names = secure
    ? { session: '__Host-amtsbote', visit: '__Host-amtsbote-visit' }
    : { session: 'amtsbote', visit: 'amtsbote-visit' }
  const attributes = `; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

  const set = (ctx: Context, name: string, value: string, more = '') => {
    ctx.append('Set-Cookie', `${name}=${value}${attributes}${more}`)
  }
  const sentVisit = (ctx: Context) => {
    const made: unknown = ctx.state['visit']
    return typeof made === 'string' ? made : readCookie(ctx, names.visit)
  }
  return {
    session: (ctx) => readCookie(ctx, names.session),
    setSession: (ctx, token) => {
      set(ctx, names.session, token)
    },
    clearSession: (ctx) => {
      set(ctx, names.session, '', '; Max-Age=0')
    },
    clearVisit: (ctx) => {
      set(ctx, names.visit, '', '; Max-Age=0')
    },
    sentVisit,
    visit: (ctx) => {
      const sent = sentVisit(ctx)
      if (sent !== null) return sent
      const made = random(32).toString('base64url')
      ctx.state['visit'] = made
      set(ctx, names.visit, made)
      return made
    },
  }
}

/** The form token of a visit: follows from the cookie, which no other site can read or set. */
export function visitCsrf(visit: string): string {
  return createHash('sha256').update(`amtsbote form token\n${visit}`).digest('base64url')
}

function readCookie(ctx: Context, name: string): string | null {
  const values = ctx
    .get('cookie')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  // Two cookies of one name mean that somebody planted one: neither is believed.
  return values.length === 1 && values[0] !== undefined && TOKEN.test(values[0]) ? values[0] : null
}
