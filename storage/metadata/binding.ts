/**
 * What may be bound to a statement. libsql aborts the whole process on a boolean, cuts text at NUL and turns undefined
 * and NaN into null; so nothing of that reaches it, nor PostgreSQL, which would answer each in its own way.
 */
import { StorageError } from '../errors.ts'

const INT64_MAX = 2n ** 63n - 1n

/**
 * Passes null, finite numbers, 64 bit integers, text without NUL and bytes.
 *
 * @throws StorageError `storage/bad-value` anything else; names the position (from 1), never the value
 */
export function checkBindings(parameters: readonly unknown[]): void {
  for (let i = 0; i < parameters.length; i += 1) {
    const fault = faultOf(parameters[i])
    if (fault !== null) throw new StorageError('storage/bad-value', `parameter ${i + 1} is ${fault}`)
  }
}

function faultOf(value: unknown): string | null {
  if (typeof value === 'string') return value.includes('\0') ? 'text with a NUL' : null
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'not a finite number'
  if (value === null || value instanceof Uint8Array) return null
  if (typeof value === 'bigint') return value > INT64_MAX || value < -INT64_MAX - 1n ? 'beyond 64 bits' : null
  return `of type ${typeof value}`
}

/** Counts the places of a statement: `?` outside of quotes and comments. */
export function countPlaces(sql: string): number {
  const bare = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, '')
  return bare.split('?').length - 1
}
