/**
 * tus 1.0.0 (resumable uploads) at /api/uploads: @tus/server in Koa, over `storage.uploads`.
 *
 * The address of an upload is its ticket. A POST needs a session or a token and the policy's consent; HEAD, PATCH and
 * DELETE need only the ticket, so that an upload outlives the session that began it. What the library leaves undone
 * stands in conformance.ts, checksum.ts and concatenation.ts; docs/divergences.md lists it.
 */
import type { Context, Middleware } from 'koa'
import type { Logger, Storage, World } from '../../storage/index.ts'
import type { Access } from '../access.ts'
import { GatewayError } from '../errors.ts'
import { causesOf } from '../http/faults.ts'
import { problemDocument, problemOf } from '../http/problem.ts'
import type { Principal } from '../principal.ts'
import type { Turns } from '../turns.ts'
import { wordingOf } from '../web/text.ts'
import { admit } from './admission.ts'
import type { Answer } from './answer.ts'
import { sendAnswer } from './answer.ts'
import { CHECKSUM_ALGORITHMS, parseUploadChecksum } from './checksum.ts'
import { ticketOf } from './concatenation.ts'
import { TUS_VERSION, meantMethod, requireShape, requireVersion } from './conformance.ts'
import type { Exchange } from './exchange.ts'
import { Exchanges, keyIn } from './exchange.ts'
import { joinPartials } from './final-upload.ts'
import { readTusHeaders } from './headers.ts'
import { limitSilence } from './idle.ts'
import { unpackHeaders } from './kept-headers.ts'
import { BodilessServer } from './library.ts'
import { libraryFault } from './library-fault.ts'
import { leaseLocker, release } from './locker.ts'
import { UploadStore } from './store.ts'
import { isWholeBody, takeWhole, wholeAnswer } from './whole-body.ts'

const UPLOADS_PATH = '/api/uploads'

export interface TusDeps extends Pick<World, 'clock' | 'log'> {
  storage: Pick<Storage, 'uploads'>
  access: Access
  turns: Turns
  /** Finds the session or token of a request; null without one. */
  authenticate: (ctx: Context) => Promise<Principal | null>
  limits: TusLimits
}

export interface TusLimits {
  /** Largest upload, in bytes. */
  maxSizeBytes: number
  /** An unfinished upload lives so long after its last acknowledged byte. */
  expiresAfterMs: number
  /** A client that sends nothing for so long is hung up on. */
  idleMs: number
}

/**
 * The endpoint; every other path goes to `next`. Mount it before any body parser, on a server whose
 * `requestTimeout` is 0: it guards against silence by itself (idle.ts).
 */
export function tusMiddleware(deps: TusDeps): Middleware {
  const endpoint = createEndpoint(deps)
  return async (ctx, next) => {
    if (ctx.path !== UPLOADS_PATH && !ctx.path.startsWith(`${UPLOADS_PATH}/`)) {
      await next()
      return
    }
    ctx.state['route'] = `${ctx.method} ${UPLOADS_PATH}` // the log never sees a ticket
    limitSilence(ctx.req, deps.limits.idleMs)
    let answer: Answer
    try {
      answer = await endpoint(ctx)
    } catch (error) {
      answer = refusal(deps, ctx, error)
    }
    await sendAnswer(ctx, answer)
  }
}

function createEndpoint(deps: TusDeps): (ctx: Context) => Promise<Answer> {
  const { uploads } = deps.storage
  const limits = { path: UPLOADS_PATH, ...deps.limits }
  const exchanges = new Exchanges()
  const library = new BodilessServer({
    path: UPLOADS_PATH,
    datastore: new UploadStore({ uploads, exchanges, clock: deps.clock, turns: deps.turns, ...deps.limits }),
    locker: leaseLocker(uploads, exchanges),
    maxSize: deps.limits.maxSizeBytes,
    relativeLocation: true,
    allowedOrigins: () => false,
    namingFunction: ({ url }) => keyIn(url),
    onResponseError: ({ url }, error) => {
      exchanges.byKey(keyIn(url)).fault = libraryFault(error)
      return undefined
    },
  })

  return async (ctx) => {
    const exchange = await openExchange({ ...deps, ...limits }, ctx, exchanges.nextKey())
    if (exchange.admission?.concat.kind === 'final') {
      await joinPartials({ uploads, ...limits }, exchange)
      return { status: 201, headers: answerHeaders(exchange, null), body: null }
    }
    try {
      if (isWholeBody(exchange, uploads.wholeBytes)) {
        await takeWhole({ uploads, ...limits }, exchange)
        return { status: 201, headers: answerHeaders(exchange, wholeAnswer(exchange)), body: null }
      }
      const response = await exchanges.during(exchange, () => library.handleWeb(bodiless(exchange)))
      if (exchange.fault === null && response.status >= 400) exchange.fault = libraryFault(response.status)
      if (exchange.fault !== null) throw exchange.fault as Error
      return { status: response.status, headers: answerHeaders(exchange, response.headers), body: null }
    } catch (error) {
      await forget(deps, exchange)
      throw error
    } finally {
      await release(exchange)
    }
  }
}

/** All that can be wrong with a request before the library sees it, in the order of the protocol. */
async function openExchange(deps: TusDeps & Parameters<typeof admit>[0], ctx: Context, key: string): Promise<Exchange> {
  const method = meantMethod(ctx.req)
  ctx.method = method // before anything asks whether this request changes something
  requireVersion(ctx.req, method)
  const headers = readTusHeaders(ctx.req)
  requireShape(method, headers)
  const ticket = ticketOf(ctx.path, UPLOADS_PATH)
  const atEndpoint = ctx.path.replace(/\/$/, '') === UPLOADS_PATH
  if (ticket === null && !atEndpoint) throw new GatewayError('gateway/not-found')
  if (method !== 'OPTIONS' && (method === 'POST') !== atEndpoint) throw new GatewayError('gateway/method-not-allowed')
  return {
    key,
    request: ctx.req,
    method,
    headers,
    ticket,
    checksum: headers.uploadChecksum === null ? null : parseUploadChecksum(headers.uploadChecksum),
    admission: method === 'POST' ? await admit(deps, ctx, headers) : null,
    lease: null,
    upload: null,
    fault: null,
  }
}

/** The request as the library may see it: what it decides about, and no bytes. */
function bodiless({ method, headers, key }: Exchange): Request {
  const told: Record<string, string> = { 'tus-resumable': TUS_VERSION }
  if (headers.uploadLength !== null) told['upload-length'] = String(headers.uploadLength)
  if (headers.deferLength) told['upload-defer-length'] = '1'
  if (headers.uploadOffset !== null) told['upload-offset'] = String(headers.uploadOffset)
  if (headers.contentType !== null) told['content-type'] = headers.contentType
  if (headers.contentLength !== null) told['content-length'] = String(headers.contentLength)
  // The library only looks at the last part of the path; the host is nobody's.
  return new Request(`http://localhost${UPLOADS_PATH}/${key}`, { method, headers: told })
}

/** Headers that are the protocol's; what the library says beyond (CORS, types of empty bodies) stays behind. */
const TAKEN_OVER = /^(?:tus-|upload-|cache-control$)/

function answerHeaders(exchange: Exchange, given: Headers | Map<string, string> | null): Record<string, string> {
  const { method, ticket, upload } = exchange
  const headers: Record<string, string> = { 'Tus-Resumable': TUS_VERSION }
  given?.forEach((value, name) => {
    if (TAKEN_OVER.test(name)) headers[name] = value
  })
  if (method === 'OPTIONS') headers['Tus-Checksum-Algorithm'] = CHECKSUM_ALGORITHMS
  // relative, so that no Host header of a stranger decides where the client sends its bytes
  if (method === 'POST' && ticket !== null) headers['Location'] = `${UPLOADS_PATH}/${ticket}`
  if (upload === null) return headers
  // expiration: as an HTTP date, on answers of unfinished uploads
  if (upload.state === 'open') headers['Upload-Expires'] = upload.expiresAt.toUTCString()
  if (method !== 'HEAD') return headers
  const kept = unpackHeaders(upload.metadata)
  if (kept.uploadMetadata !== null) headers['Upload-Metadata'] = kept.uploadMetadata
  if (kept.uploadConcat !== null) headers['Upload-Concat'] = kept.uploadConcat
  return headers
}

/** A POST that failed leaves nothing behind: nobody has learned its ticket. */
async function forget({ storage, log }: TusDeps, exchange: Exchange): Promise<void> {
  const { method, upload, admission } = exchange
  if (method !== 'POST' || upload === null || admission === null) return
  try {
    exchange.lease ??= await storage.uploads.acquire(upload.id, { waitMs: 0 })
    await storage.uploads.cancel(exchange.lease, admission.principal.actor)
  } catch (error) {
    log.warn({ causes: causesOf(error), upload: upload.id }, 'an upload without an owner is left until it expires')
  }
}

function refusal({ log }: TusDeps, ctx: Context, error: unknown): Answer {
  const problem = problemOf(error)
  const id = String(ctx.state['requestId'])
  logRefusal(log, { status: problem.status, code: problem.code, requestId: id }, error)
  const headers: Record<string, string> = {
    'Tus-Resumable': TUS_VERSION,
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
  }
  // Core protocol, Tus-Version: MUST be in the answer to a version that is not supported
  if (problem.status === 412) headers['Tus-Version'] = TUS_VERSION
  if (problem.status === 405) headers['Allow'] = 'POST, HEAD, PATCH, DELETE, OPTIONS'
  if (problem.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="amtsbote"'
  if (problem.retryAfterSeconds !== null) headers['Retry-After'] = String(problem.retryAfterSeconds)
  const body = ctx.method === 'HEAD' ? null : JSON.stringify(problemDocument(problem, id, wordingOf(ctx).language))
  return { status: problem.status, headers, body }
}

function logRefusal(log: Logger, fields: Record<string, unknown>, error: unknown): void {
  if (Number(fields['status']) >= 500) log.error({ ...fields, causes: causesOf(error) }, 'an upload request failed')
  else log.debug({ ...fields, causes: causesOf(error) }, 'an upload request was refused')
}
