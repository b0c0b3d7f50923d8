/** Sessions: a random token outside, its SHA-256 in the row. */
import type { Factor } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import type { SessionId, UserId } from './ids.ts'

/** Which factors were proven, and when last. */
export type ProvenFactors = Partial<Record<Factor, Date>>

export interface Session {
  id: SessionId
  userId: UserId
  kind: 'browser' | 'token'
  factors: ProvenFactors
  /** anti-forgery value */
  csrf: string
  label: string | null
  createdAt: Date
  lastSeenAt: Date
  expiresAt: Date
}

export interface NewSession {
  userId: UserId
  kind: 'browser' | 'token'
  factors: ProvenFactors
  expiresAt: Date
  /** what an API token is for */
  label?: string
}

export interface Sessions {
  /** @returns the token, 32 bytes as base64url; it cannot be read back later */
  create(session: NewSession, by: Actor): Promise<{ id: SessionId; token: string }>
  /** Null = unknown, ended or expired. Does not touch. */
  byToken(token: string, now: Date): Promise<Session | null>
  /** Notes that it was used; writes at most once a minute. */
  touch(session: Session, now: Date): Promise<void>
  /**
   * Adds a factor.
   * @param rotate 'rotate' gives a new token and voids the old one (browsers, against fixation)
   */
  stepUp(id: SessionId, factor: Factor, at: Date, rotate: 'rotate' | 'keep'): Promise<{ token: string | null }>
  end(id: SessionId, by: Actor): Promise<void>
  /** @returns how many */
  endAll(userId: UserId, by: Actor): Promise<number>
  list(userId: UserId): Promise<Session[]>
  /** Removes expired ones. @returns how many */
  sweep(now: Date): Promise<number>
}
