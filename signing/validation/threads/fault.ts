/** Errors across threads: their code and message arrive, the class is made anew. */
import { SigningError } from '../../errors.ts'
import type { Fault } from './messages.ts'

export function faultOf(error: unknown): Fault {
  if (error instanceof SigningError) return { code: error.code, message: error.message }
  return { code: null, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

export function errorOf({ code, message }: Fault): Error {
  return code === null ? new Error(message) : new SigningError(code, message)
}
