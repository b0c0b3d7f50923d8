/**
 * Headers of every answer, errors included.
 *
 * No page carries a script, so the policy allows none at all. `same-origin` rather than `no-referrer`: with the
 * latter browsers send `Origin: null` with forms (Fetch §3.2, "append a request Origin header"), and the Origin
 * is what tells our own forms from foreign ones.
 */
import type { Middleware } from 'koa'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** Two years, as the preload list asks. */
const STRICT_TRANSPORT_SECURITY = 'max-age=63072000; includeSubDomains'

/** Sets the security headers before anything else runs; `https` says whether the public address is https. */
export function securityHeaders(https: boolean): Middleware {
  return async (ctx, next) => {
    ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('Referrer-Policy', 'same-origin')
    ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
    ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
    ctx.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=()')
    ctx.set('Cache-Control', 'no-store')
    if (https) ctx.set('Strict-Transport-Security', STRICT_TRANSPORT_SECURITY)
    await next()
  }
}
