/**
 * What every part of the house takes from outside instead of reaching for it: time, chance and the log.
 * `cli/compose.ts` hands in the real ones; tests hand in a hand-turned clock.
 */

/** A structured logger; pino fits. Fields never hold file names, parties, tokens or key material. */
export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
  child(fields: Record<string, unknown>): Logger
}

/** Cryptographically strong random bytes. */
export type Random = (size: number) => Buffer

export interface World {
  /** The current time. */
  clock: () => Date
  random: Random
  log: Logger
}
