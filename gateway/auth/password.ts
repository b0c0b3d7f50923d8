/**
 * Passwords: Argon2id (RFC 9106) with the parameters that OWASP names for 19 MiB.
 *
 * A hash costs memory on purpose, so only a few run at once; more wait, and when too many wait the request is refused
 * rather than the machine exhausted. An unknown address costs the same as a known one.
 */
import { hash, verify } from '@node-rs/argon2'
import { GatewayError } from '../errors.ts'

/** OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1. */
const ARGON2ID = 2
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** How many hashes may be at work, and how many may wait for that. */
export interface PasswordLoad {
  running: number
  waiting: number
}

/** 4 x 19 MiB at most; 200 in line are a few seconds. */
const USUAL_LOAD: PasswordLoad = { running: 4, waiting: 200 }

export interface Passwords {
  /** An encoded hash (PHC string) with a fresh salt. @throws GatewayError `gateway/busy` */
  hash(password: string): Promise<string>
  /**
   * Whether the password fits. With null, as for an unknown address, it does the same work and answers false.
   *
   * @throws GatewayError `gateway/busy`
   */
  matches(encoded: string | null, password: string): Promise<boolean>
}

export function createPasswords(random: (n: number) => Buffer, load = USUAL_LOAD): Passwords {
  const gate = createGate(load)
  // The hash of something nobody knows, for addresses that nobody has.
  let decoy: Promise<string> | null = null
  const decoyHash = () => (decoy ??= hash(random(32), PARAMETERS))

  return {
    hash: (password) => gate(() => hash(normal(password), { ...PARAMETERS, salt: random(16) })),
    matches: async (encoded, password) => {
      const known = encoded ?? (await decoyHash())
      const fits = await gate(() => verify(known, normal(password)))
      return fits && encoded !== null
    },
  }
}

/** The same password, typed on another keyboard, may arrive in another normal form. */
function normal(password: string): string {
  return password.normalize('NFC')
}

/** Lets `running` tasks run at once and `waiting` more wait. @throws GatewayError `gateway/busy` beyond that */
function createGate({ running, waiting }: PasswordLoad): <T>(task: () => Promise<T>) => Promise<T> {
  let active = 0
  const queue: (() => void)[] = []
  return async (task) => {
    if (active >= running) {
      if (queue.length >= waiting) throw new GatewayError('gateway/busy', { retryAfterSeconds: 5 })
      // The place is handed over by whoever leaves, so `active` stays as it is.
      await new Promise<void>((enter) => queue.push(enter))
    } else active += 1
    try {
      return await task()
    } finally {
      const next = queue.shift()
      if (next) next()
      else active -= 1
    }
  }
}
