/**
 * Rate limits by client address, kept in this process.
 *
 * They blunt floods and guessing across many accounts. What protects a single account is counted in the database
 * before each check (storage `users.countAttempt`) and holds across processes and restarts; this here may be lost.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { GatewayError } from '../errors.ts'

export interface Limits {
  /** Counts one try to sign in, to enter a code or to open an invitation. @throws GatewayError `gateway/too-many-requests` */
  countCredential(address: string): Promise<void>
  /** Counts one request of any kind. @throws GatewayError `gateway/too-many-requests` */
  countRequest(address: string): Promise<void>
}

/** How much one address may do; generous, because a whole office may share one. */
export interface LimitRules {
  credentialsPerMinute: number
  requestsPerMinute: number
}

const OFFICE: LimitRules = { credentialsPerMinute: 60, requestsPerMinute: 30_000 }

export function createLimits(rules: LimitRules = OFFICE): Limits {
  const credentials = new RateLimiterMemory({ points: rules.credentialsPerMinute, duration: 60 })
  const requests = new RateLimiterMemory({ points: rules.requestsPerMinute, duration: 60 })
  return {
    countCredential: (address) => count(credentials, address),
    countRequest: (address) => count(requests, address),
  }
}

async function count(limiter: RateLimiterMemory, address: string): Promise<void> {
  try {
    await limiter.consume(address)
  } catch (cause) {
    if (!(cause instanceof RateLimiterRes)) throw cause
    throw new GatewayError('gateway/too-many-requests', {
      retryAfterSeconds: Math.max(1, Math.ceil(cause.msBeforeNext / 1000)),
    })
  }
}
