/** A person with a browser, for the demo: cookies, the anti-forgery token, an authenticator app. Knows nothing but addresses and codes. */
import { createHash } from 'node:crypto'
import { generate } from 'otplib'
import { z } from 'zod'
import { createApi, problemOf, type Answer, type Api, type ApiRequest } from '../client/api.ts'
import { CliError } from '../errors.ts'

export interface Visitor {
  api: Api
  /** the same person over another address, e.g. a proxy in front of the server */
  through: (origin: string) => Api
  /** Enters a code that is not the right one; throws cli/check-failed when it is taken. */
  refuseWrongCode: (token: string, right: string) => Promise<void>
  /** Redeems an invitation: link and code become a password, a second factor and a session. */
  redeem: (invitation: Invitation) => Promise<Redeemed>
  /** Downloads the newest or the given version and digests it on the way. */
  digestOf: (fileId: string, version?: number) => Promise<{ size: number; sha256: string }>
  bytesOf: (fileId: string, version: number) => Promise<Buffer>
}

export interface Invitation {
  token: string
  code: string | null
  /** the one that the person chooses */
  password: string
}

export interface Redeemed {
  /** factors that the new session has proven */
  factors: string[]
  /** base32, as the authenticator app keeps it; null = none was set up */
  totpSecret: string | null
}

const lookSchema = z.object({ visit: z.string(), totp: z.object({ secret: z.string() }).nullable() })
const sessionSchema = z.object({ csrf: z.string(), factors: z.record(z.string(), z.string()) })
const IDLE_MS = 30_000

/** @param server origin to talk to, may be a proxy in front of the real one */
export function createVisitor(server: string, clock: () => Date): Visitor {
  const browser = createBrowser()
  const api = browser.apiOf(server)
  return {
    api,
    through: browser.apiOf,
    refuseWrongCode: (token, right) => refuseWrongCode(api, token, right),
    redeem: (invitation) => redeem({ api, browser, clock }, invitation),
    digestOf: async (fileId, version) => {
      const hash = createHash('sha256')
      let size = 0
      for await (const chunk of await content(api, fileId, version)) {
        size += chunk.length
        hash.update(chunk)
      }
      return { size, sha256: hash.digest('hex') }
    },
    bytesOf: async (fileId, version) => {
      const chunks: Buffer[] = []
      for await (const chunk of await content(api, fileId, version)) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
  }
}

interface Browser {
  apiOf: (origin: string) => Api
  /** the anti-forgery token that goes with what changes something */
  keepCsrf: (token: string) => void
}

/** Keeps cookies as a browser does for one site, whatever their attributes. */
function createBrowser(): Browser {
  const cookies = new Map<string, string>()
  let csrf = ''
  const headers = () => ({
    ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
    ...(csrf === '' ? {} : { 'x-csrf-token': csrf }),
  })
  const onAnswer = (answer: Answer): void => {
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (at > 0) cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }
  return {
    apiOf: (origin) => createApi({ server: origin, code: null, idleMs: IDLE_MS, headers, onAnswer }),
    keepCsrf: (token) => {
      csrf = token
    },
  }
}

interface Redeeming {
  api: Api
  browser: Browser
  clock: () => Date
}

async function redeem({ api, browser, clock }: Redeeming, invitation: Invitation): Promise<Redeemed> {
  const { token, password } = invitation
  const withCode = invitation.code === null ? {} : { invitationCode: invitation.code }
  const seen = lookSchema.parse(await api.json(post('/api/invitations/look', { token, ...withCode })))
  const epoch = Math.floor(clock().getTime() / 1000)
  const code = seen.totp === null ? {} : { code: await generate({ secret: seen.totp.secret, epoch }) }
  const acceptance = { token, ...withCode, visit: seen.visit, password, ...code }
  const session = sessionSchema.parse(await api.json(post('/api/invitations/accept', acceptance)))
  browser.keepCsrf(session.csrf)
  return { factors: Object.keys(session.factors), totpSecret: seen.totp?.secret ?? null }
}

async function refuseWrongCode(api: Api, token: string, right: string): Promise<void> {
  const wrong = String((Number(right) + 1) % 100_000_000).padStart(8, '0')
  const answer = await api.send(post('/api/invitations/look', { token, invitationCode: wrong }))
  const { type } = await problemOf(answer)
  if (answer.status === 403 && type.endsWith('wrong-code')) return
  throw new CliError('cli/check-failed', `a wrong invitation code was answered with ${answer.status}`)
}

function post(path: string, body: object): ApiRequest {
  const bytes = Buffer.from(JSON.stringify(body))
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: bytes, length: bytes.length }
}

async function content(api: Api, fileId: string, version: number | undefined): Promise<AsyncIterable<Buffer>> {
  const query = version === undefined ? '' : `?version=${version}`
  return (await api.call({ method: 'GET', path: `/api/files/${fileId}/content${query}` })).body as AsyncIterable<Buffer>
}

/** The problem type with which the server refuses a request; throws cli/check-failed when it does not refuse. */
export async function refusalOf(api: Api, method: string, path: string): Promise<string> {
  const answer = await api.send({ method, path })
  const { type } = await problemOf(answer)
  if (answer.status < 400)
    throw new CliError('cli/check-failed', `${method} was answered with ${answer.status} where it had to be refused`)
  return type.slice(type.lastIndexOf('/') + 1)
}
