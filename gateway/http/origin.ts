/**
 * Refuses what pages of other sites send.
 *
 * The comparison is with the configured public address; the Host header proves nothing, because whoever sends the
 * request chooses it.
 */
import type { Middleware } from 'koa'
import { GatewayError } from '../errors.ts'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const OWN_OR_TYPED = new Set(['', 'same-origin', 'none'])

/**
 * A request that may change something passes when its Origin is ours, or when it has none and the browser does not
 * say that another site started it (Fetch Metadata). Programs send neither header. Everything else is refused,
 * whether or not it is signed in.
 *
 * @throws GatewayError `gateway/foreign-origin`
 */
export function refuseForeignOrigins(publicOrigin: string): Middleware {
  return async (ctx, next) => {
    if (!SAFE_METHODS.has(ctx.method)) {
      const origin = ctx.get('origin')
      const foreign = origin === '' ? !OWN_OR_TYPED.has(ctx.get('sec-fetch-site')) : origin !== publicOrigin
      if (foreign) throw new GatewayError('gateway/foreign-origin')
    }
    await next()
  }
}
