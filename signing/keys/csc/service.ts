/**
 * Calls to a remote signing service (Cloud Signature Consortium API 1.0.4 and 2.0.0.2): JSON over POST with a token.
 *
 * A call is sent again once where it certainly never left (no connection), and once with a new token after a 401; never
 * otherwise, because a signature may have been made. What the service says in words is told, but no secret of ours.
 */
import { SigningError } from '../../errors.ts'
import type { Http, HttpResponse } from '../../http.ts'

/** How the service knows us. */
export type CscAuthorisation =
  /** OAuth 2 client credentials (RFC 6749 §4.4); `tokenUrl` null: below the address that the service names */
  | { kind: 'client'; clientId: string; clientSecret: string; tokenUrl: string | null }
  /** a token that was got elsewhere */
  | { kind: 'bearer'; token: string }
  /** nothing, or a client certificate that `http` brings along */
  | { kind: 'none' }

export interface CscServiceOptions {
  http: Http
  /** address up to and with /csc/v1 or /csc/v2 */
  url: string
  authorisation: CscAuthorisation
  clock: () => Date
  /** for one call */
  timeoutMs: number
}

export type Json = Readonly<Record<string, unknown>>

export interface CscService {
  /**
   * @throws SigningError `signing/key-unavailable` no answer or a failing service, `signing/pin-refused` the service refuses
   * PIN or password, `signing/signature-failed` it refuses the call
   */
  call: (method: string, body: Json, as?: 'public') => Promise<Json>
  /** Gives the addresses of the token server, once `info` has named it. */
  tokensFrom: (base: string) => void
}

export function createCscService(options: CscServiceOptions): CscService {
  const { url, authorisation, clock } = options
  const base = url.replace(/\/+$/, '')
  let tokenServer = base
  let known: { token: string; until: number } | null = null

  async function token(renew: boolean): Promise<string | null> {
    if (authorisation.kind === 'none') return null
    if (authorisation.kind === 'bearer') return authorisation.token
    if (known !== null && !renew && clock().getTime() < known.until) return known.token
    const { clientId, clientSecret, tokenUrl } = authorisation
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'service',
    }
    const answer = await post(options, tokenUrl ?? `${tokenServer}/oauth2/token`, {
      type: 'application/x-www-form-urlencoded',
      body: new URLSearchParams(form).toString(),
    })
    const content = judged(answer)
    const value = content['access_token']
    if (typeof value !== 'string') throw unavailable('the service gave no token')
    const seconds = numberIn(content, 'expires_in') ?? 300
    known = { token: value, until: clock().getTime() + Math.max(0, seconds - 30) * 1000 }
    return value
  }

  async function ask(method: string, body: Json, bearer: string | null): Promise<HttpResponse> {
    const content = { type: 'application/json', body: JSON.stringify(body) }
    return post(options, `${base}/${method}`, bearer === null ? content : { ...content, bearer })
  }

  return {
    call: async (method, body, as) => {
      const answer = await ask(method, body, as === 'public' ? null : await token(false))
      if (answer.status !== 401 || as === 'public' || authorisation.kind !== 'client') return judged(answer)
      return judged(await ask(method, body, await token(true)))
    },
    tokensFrom: (address) => {
      tokenServer = address.replace(/\/+$/, '')
    },
  }
}

interface Content {
  type: string
  body: string
  bearer?: string
}

async function post(options: CscServiceOptions, url: string, content: Content): Promise<HttpResponse> {
  const headers: Record<string, string> = { 'content-type': content.type, accept: 'application/json' }
  if (content.bearer !== undefined) headers['authorization'] = `Bearer ${content.bearer}`
  const body = Buffer.from(content.body, 'utf8')
  const request = {
    method: 'POST',
    url,
    headers,
    body,
    timeoutMs: options.timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
  } as const
  try {
    return await options.http(request).catch((error: unknown) => {
      if (!neverLeft(error)) throw error
      return options.http(request)
    })
  } catch (cause) {
    throw cause instanceof SigningError ? unavailable('the service does not answer', cause) : cause
  }
}

/** There was no connection, so nothing was sent over it. */
function neverLeft(error: unknown): boolean {
  const cause = error instanceof SigningError ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && NO_CONNECTION.has(String(cause.code))
}

/** The content of a good answer, else the fault that it stands for. */
function judged({ status, body }: HttpResponse): Json {
  const content = parse(body)
  if (status >= 200 && status < 300) return content
  const error = stringIn(content, 'error') ?? ''
  // the words of the service may quote what it was sent: the code is enough
  const said = /^[a-z_]{1,40}$/.test(error) ? `: ${error}` : ''
  if (error === 'invalid_pin' || error === 'invalid_otp') {
    throw new SigningError('signing/pin-refused', `the service refuses the PIN${said}`)
  }
  if (status >= 500 || status === 401 || status === 429) throw unavailable(`the service answers ${status}${said}`)
  throw new SigningError('signing/signature-failed', `the service answers ${status}${said}`)
}

function parse(body: Buffer): Json {
  try {
    const content: unknown = JSON.parse(body.toString('utf8'))
    return typeof content === 'object' && content !== null && !Array.isArray(content) ? (content as Json) : {}
  } catch {
    return {} // some say their errors in plain text
  }
}

/** A field by any of its spellings. */
export function stringIn(content: Json, ...names: string[]): string | null {
  const value = names.map((name) => content[name]).find((found) => typeof found === 'string' && found !== '')
  return typeof value === 'string' ? value : null
}

export function numberIn(content: Json, name: string): number | null {
  const value = Number(content[name])
  return content[name] === undefined || !Number.isFinite(value) ? null : value
}

export function stringsIn(content: Json, name: string): string[] {
  const value = content[name]
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}

export function objectIn(content: Json, name: string): Json {
  const value = content[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function unavailable(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/key-unavailable', message, { cause })
}

const NO_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
])
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
