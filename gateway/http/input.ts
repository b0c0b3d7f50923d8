/**
 * Reading bodies and queries of strangers: bounded in bytes, depth and shape, before any of it is used.
 *
 * Every value is taken once; a field that stands there twice is refused, because two readers would take different ones.
 */
import type { IncomingMessage } from 'node:http'
import type { Context } from 'koa'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { readBody } from './body.ts'

/** Forms and JSON of this interface are small; files have their own endpoints. */
const BODY_BYTES = 64 * 1024
const JSON_DEPTH = 8
const FIELDS = 32

/** The body as form fields (`application/x-www-form-urlencoded`). @throws GatewayError `gateway/bad-input` and others */
export async function readForm(ctx: Context): Promise<Record<string, string>> {
  requireType(ctx, 'application/x-www-form-urlencoded')
  const text = decode(await readBody(ctx.req, { limit: BODY_BYTES }))
  const fields: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(fields, name))
      throw new GatewayError('gateway/bad-input', { facts: { reason: 'repeated-field' } })
    if (Object.keys(fields).length >= FIELDS) throw new GatewayError('gateway/too-large')
    Object.defineProperty(fields, name, { value, enumerable: true })
  }
  return fields
}

/** RFC 9112 §6.3: a request without either header has no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** The body as JSON of a given shape; an absent body is `{}`. @throws GatewayError as {@link readForm} */
export async function readJson(ctx: Context): Promise<unknown> {
  if (!hasBody(ctx.req)) return {}
  requireType(ctx, 'application/json')
  const text = decode(await readBody(ctx.req, { limit: BODY_BYTES }))
  refuseDepth(text)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new GatewayError('gateway/bad-input', { facts: { reason: 'not-json' }, cause })
  }
}

/**
 * Takes a value as having this shape.
 *
 * @throws GatewayError `gateway/bad-input` with the names of the fields that are wrong, never their contents
 */
export function shaped<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).filter((path) => /^[\w.]{1,40}$/.test(path))
  throw new GatewayError('gateway/bad-input', { facts: { fields: [...new Set(fields)] } })
}

/** A single query value; null when absent. @throws GatewayError `gateway/bad-input` it is repeated or too long */
export function queryValue(ctx: Context, name: string): string | null {
  const values = new URLSearchParams(ctx.querystring).getAll(name)
  const [value = null] = values
  if (values.length > 1 || (value !== null && value.length > 1000)) {
    throw new GatewayError('gateway/bad-input', { facts: { fields: [name] } })
  }
  return value
}

/**
 * An address of this site to go on to; anything else becomes `fallback`.
 *
 * Only a path is accepted. `//host` and `/\host` are addresses of other sites to a browser.
 */
export function ownPath(text: string | null | undefined, fallback: string): string {
  if (text === null || text === undefined || text.length > 500) return fallback
  return /^\/(?![/\\])[A-Za-z0-9/_.~?=&%-]*$/.test(text) ? text : fallback
}

/** The fields of an interrupted form that are its own: without the token and what stepping up added. */
export function ownFields(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !STEP_UP_FIELDS.has(name)))
}

const STEP_UP_FIELDS = new Set(['csrf', 'code', 'next', 'resume'])

function requireType(ctx: Context, type: string): void {
  const given = ctx.get('content-type').split(';', 1).join('').trim().toLowerCase()
  if (given !== type) throw new GatewayError('gateway/wrong-media-type')
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new GatewayError('gateway/bad-input', { facts: { reason: 'not-utf-8' }, cause })
  }
}

/** Counts brackets outside of strings, so that the parser never sees what would exhaust its stack. */
function refuseDepth(text: string): void {
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/g)) {
    if (token === '[' || token === '{') depth += 1
    if (token === ']' || token === '}') depth -= 1
    if (depth > JSON_DEPTH) throw new GatewayError('gateway/bad-input', { facts: { reason: 'too-deep' } })
  }
}
