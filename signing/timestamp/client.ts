/**
 * Gets time-stamps from authorities over HTTP (RFC 3161 §3.4), in the order given, and believes none of them unchecked.
 *
 * Every attempt has a new nonce. An authority that failed three times in a row is left alone for a minute.
 */
import { SigningError } from '../errors.ts'
import type { Http, HttpResponse } from '../http.ts'
import { timestampRequest } from './request.ts'
import type { TimestampDigest } from './request.ts'
import { checkResponse } from './response.ts'
import type { ResponseConditions } from './response.ts'
import type { TimestampToken } from './token.ts'

/** What makes time-stamps, wherever from. */
export interface TimestampSource {
  /** used for imprints where nothing else decides */
  readonly digest: TimestampDigest
  /** room in bytes that a token of this source needs at most, as far as is known */
  readonly tokenBytes: number
  /**
   * @param value digest of what is stamped, by `digest`
   * @throws SigningError `signing/timestamp-unavailable`
   */
  stamp(value: Buffer): Promise<TimestampToken>
}

export interface TimestampService {
  url: string
  /** RFC 7617 */
  credentials?: { user: string; password: string }
  /** object identifier of the policy to ask for */
  policy?: string
}

export interface TimestampClientOptions {
  /** in the order in which they are asked */
  services: readonly [TimestampService, ...TimestampService[]]
  http: Http
  now: () => Date
  random: (bytes: number) => Buffer
  trusts: ResponseConditions['trusts']
  /** policies that are accepted from services without a policy of their own; absent: any */
  policies?: ReadonlySet<string>
  digest?: TimestampDigest
  /** for one attempt; 10 s unless told otherwise */
  timeoutMs?: number
}

/** A `TimestampSource` that asks services over HTTP; each gets three attempts when it does not answer. */
export function timestampClient(options: TimestampClientOptions): TimestampSource {
  const digest = options.digest ?? 'sha256'
  const health = new Map<string, Health>()
  let largest = FIRST_TOKEN_BYTES

  async function stamp(value: Buffer): Promise<TimestampToken> {
    const failures: string[] = []
    for (const service of options.services) {
      const state = health.get(service.url) ?? { failures: 0, restingUntil: 0 }
      health.set(service.url, state)
      if (options.now().getTime() < state.restingUntil) {
        failures.push('resting after failures')
        continue
      }
      const result = await ask(options, service, { digest, value })
      if (typeof result !== 'string') {
        state.failures = 0
        largest = Math.max(largest, Math.ceil(result.der.length * 1.25))
        return result
      }
      failures.push(result)
      if (++state.failures >= FAILURES_BEFORE_REST) state.restingUntil = options.now().getTime() + REST_MS
    }
    throw new SigningError('signing/timestamp-unavailable', `no authority gave a time-stamp: ${failures.join('; ')}`)
  }

  return {
    digest,
    get tokenBytes() {
      return largest
    },
    stamp,
  }
}

interface Health {
  failures: number
  /** milliseconds since 1970 */
  restingUntil: number
}

/** The token, or why there is none. */
async function ask(
  options: TimestampClientOptions,
  service: TimestampService,
  { digest, value }: { digest: TimestampDigest; value: Buffer },
): Promise<TimestampToken | string> {
  let failure = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const request = timestampRequest(digest, value, options.random(NONCE_BYTES), service.policy ?? null)
    const answer = await post(options, service, request.der)
    if (typeof answer === 'string') {
      failure = answer
      continue
    }
    const { trusts, policies, now } = options
    const verdict = await checkResponse(request, answer.body, {
      now: now(),
      trusts,
      ...(policies === undefined ? {} : { policies }),
    })
    if (verdict.kind === 'accepted') return verdict.token
    // what is wrong will be wrong again; only "not now" is worth another try
    failure = `${verdict.reason} (${verdict.detail})`
    if (verdict.reason !== 'not-granted') return failure
  }
  return failure
}

async function post(
  { http, timeoutMs }: TimestampClientOptions,
  { url, credentials }: TimestampService,
  body: Buffer,
): Promise<HttpResponse | string> {
  const login =
    credentials === undefined ? null : Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')
  const headers = {
    'content-type': 'application/timestamp-query',
    accept: 'application/timestamp-reply',
    ...(login === null ? {} : { authorization: `Basic ${login}` }),
  }
  try {
    const answer = await http({
      method: 'POST',
      url,
      headers,
      body,
      timeoutMs: timeoutMs ?? 10_000,
      maxBytes: MAX_ANSWER_BYTES,
    })
    return answer.status === 200 ? answer : `HTTP status ${answer.status}`
  } catch (error) {
    if (error instanceof SigningError) return error.message
    throw error
  }
}

const NONCE_BYTES = 16
const ATTEMPTS = 3
const FAILURES_BEFORE_REST = 3
const REST_MS = 60_000
const MAX_ANSWER_BYTES = 256 * 1024
/** a token with a chain of two RSA-4096 certificates has some 7 kB */
const FIRST_TOKEN_BYTES = 12 * 1024
