/** Who does something, as the audit log names it. */
import type { UserId } from './ids.ts'

export type Actor =
  | { kind: 'user'; id: UserId }
  /** a person at the command line, by the name of the operating system's account */
  | { kind: 'operator'; name: string }
  /** a part of the program acting by itself, e.g. "expire" */
  | { kind: 'system'; name: string }

/** The user behind an actor, or null. */
export function userOf(actor: Actor): UserId | null {
  return actor.kind === 'user' ? actor.id : null
}
