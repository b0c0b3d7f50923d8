/** How many rows a caller of the API asks for. */
import type { Context } from 'koa'
import { GatewayError } from '../errors.ts'
import { queryValue } from './input.ts'

const MOST_ROWS = 500

/** `?limit=`, 1 to 500. @throws GatewayError `gateway/bad-input` */
export function anyLimit(ctx: Context, fallback: number): number {
  const text = queryValue(ctx, 'limit')
  if (text === null) return fallback
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MOST_ROWS) throw new GatewayError('gateway/bad-input', { facts: { fields: ['limit'] } })
  return limit
}
