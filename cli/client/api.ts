/**
 * A client of the HTTP API as an external would write one: problems as errors, step-up on demand. How requests prove who sends them
 * (bearer token, cookie) is for the caller to say. Knows no stores and no tus.
 */
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { CliError } from '../errors.ts'

export interface ApiSettings {
  /** origin of the server, e.g. https://austausch.example.de */
  server: string
  /** headers that say who sends the request */
  headers: () => OutgoingHttpHeaders
  /** sees every answer, e.g. to keep cookies */
  onAnswer?: (answer: Answer) => void
  /** a current code of the authenticator app, asked for only when the server wants one; null = none can be given */
  code: (() => Promise<string>) | null
  /** a connection on which nothing moves is given up after this long */
  idleMs: number
}

export interface ApiRequest {
  method: string
  /** path from the root, or a whole address of this server */
  path: string
  headers?: OutgoingHttpHeaders
  body?: Buffer | Readable
  /** with `body`: how many bytes it has */
  length?: number
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  /** not read yet; whoever asked must read or destroy it */
  body: IncomingMessage
}

export interface Api {
  origin: string
  /** One exchange; a network fault is `cli/unreachable`, any status is an answer. */
  send(request: ApiRequest): Promise<Answer>
  /** Exchange whose answer must be 2xx: a refusal is thrown, a wish for the second factor is fulfilled once and the request repeated. */
  call(request: ApiRequest): Promise<Answer>
  json(request: ApiRequest): Promise<unknown>
}

const MAX_JSON_BYTES = 4 << 20

export function createApi(settings: ApiSettings): Api {
  const origin = originOf(settings.server)

  function send(request: ApiRequest): Promise<Answer> {
    return exchange(origin, request, settings)
  }

  async function call(request: ApiRequest): Promise<Answer> {
    const answer = await send(request)
    if (answer.status < 300) return answer
    const problem = await problemOf(answer)
    if (!problem.type.endsWith('step-up-required') || settings.code === null) throw refused(answer.status, problem)
    await stepUp(await settings.code())
    const second = await send(request)
    if (second.status < 300) return second
    throw refused(second.status, await problemOf(second))
  }

  async function stepUp(code: string): Promise<void> {
    const body = Buffer.from(JSON.stringify({ code }))
    const answer = await send({
      method: 'POST',
      path: '/api/step-up',
      headers: { 'content-type': 'application/json' },
      body,
      length: body.length,
    })
    if (answer.status >= 300) throw refused(answer.status, await problemOf(answer))
    answer.body.resume()
  }

  async function json(request: ApiRequest): Promise<unknown> {
    const answer = await call(request)
    return JSON.parse((await readAll(answer.body)).toString('utf8')) as unknown
  }

  return { origin, send, call, json }
}

/** What the server says is wrong, from a problem document (RFC 9457) or from nothing but the status. */
export interface ServerProblem {
  type: string
  title: string
}

export async function problemOf(answer: Answer): Promise<ServerProblem> {
  const text = (await readAll(answer.body)).toString('utf8')
  try {
    const document = JSON.parse(text) as Partial<Record<string, unknown>>
    const { type, title } = document
    return { type: typeof type === 'string' ? type : '', title: typeof title === 'string' ? title : '' }
  } catch {
    return { type: '', title: '' }
  }
}

/** One line for a refusal, with what to do about the common ones. */
export function refused(status: number, problem: ServerProblem): CliError {
  const said = problem.title === '' ? `status ${status}` : `${problem.title} (${status})`
  const advice = ADVICE_BY_PROBLEM[problem.type.split('/').at(-1) ?? ''] ?? ADVICE_BY_STATUS[status] ?? ''
  return new CliError('cli/server-refused', `the server says: ${said}${advice}`)
}

const ADVICE_BY_PROBLEM: Readonly<Record<string, string>> = {
  'step-up-required': '; give a code of your authenticator app with --totp',
  'wrong-code': '; a code works once: wait for the next one of your authenticator app',
}

const ADVICE_BY_STATUS: Readonly<Record<number, string>> = {
  401: '; make a new token with `amtsbote user token`',
  404: '; check the room and the file, and that you are a member',
  413: '; the file is larger than the server takes',
  507: '; ask the operators of the server to make room',
}

async function readAll(body: IncomingMessage): Promise<Buffer> {
  const declared = Number(body.headers['content-length'] ?? 0)
  if (declared > MAX_JSON_BYTES) {
    body.destroy()
    throw new CliError(
      'cli/server-refused',
      'the answer of the server is too long to be one of Amtsbote; check --server',
    )
  }
  return buffer(body)
}

function originOf(server: string): string {
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new CliError('cli/usage', '--server needs an address such as https://austausch.example.de')
  }
  return new URL(server).origin
}

function exchange(origin: string, request: ApiRequest, settings: ApiSettings): Promise<Answer> {
  const url = new URL(request.path, origin)
  if (url.origin !== origin)
    return Promise.reject(
      new CliError('cli/server-refused', 'the server points to another server; nothing is sent there'),
    )
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const { body, length } = request
    const headers = {
      accept: 'application/json, application/problem+json',
      'accept-language': 'en',
      ...(length === undefined ? {} : { 'content-length': length }),
      ...settings.headers(),
      ...request.headers,
    }
    const outgoing = send(url, { method: request.method, headers, agent: false })
    const fail = (cause: Error): void => {
      outgoing.destroy()
      reject(new CliError('cli/unreachable', `${origin} does not answer; check --server and the connection`, { cause }))
    }
    outgoing.setTimeout(settings.idleMs, () => outgoing.destroy(new Error('nothing moved in time')))
    outgoing.on('error', fail)
    outgoing.on('response', (answer) => {
      const received = { status: answer.statusCode ?? 0, headers: answer.headers, body: answer }
      settings.onAnswer?.(received)
      resolve(received)
    })
    if (body === undefined) outgoing.end()
    else if (Buffer.isBuffer(body)) outgoing.end(body)
    else body.on('error', fail).pipe(outgoing)
  })
}
