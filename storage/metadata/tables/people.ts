/** Rows about people: units, accounts, attempts, invitations, sessions. Times are ms since epoch, UTC. */
import type { InvitationId, SessionId, UnitId, UserId } from '../../ids.ts'

/** An organisational unit (Referat, Eigenbetrieb). Written by the operator. */
export interface UnitTable {
  id: UnitId
  /** unique, as shown */
  name: string
  created_at: number
}

/** A person who may sign in. */
export interface UserAccountTable {
  id: UserId
  /** as shown */
  email: string
  /** lower case, NFC; unique */
  email_key: string
  name: string
  audience: 'staff' | 'external'
  /** null = belongs to no unit */
  unit_id: UnitId | null
  /** 1 = may administer the installation */
  admin: 0 | 1
  /** invited = has never set a password; disabled = may not sign in, sessions ended */
  state: 'invited' | 'active' | 'disabled'
  /** encoded Argon2id hash (PHC string); null = none set yet */
  password_hash: string | null
  /** TOTP secret, sealed under the system scope; null = not enrolled */
  totp_secret: Buffer | null
  /** newest time step (RFC 6238 T) that was accepted; a code works once; 0 = none yet */
  totp_last_step: number
  created_at: number
}

/** What was tried per account and factor; counted before the verification. See policies, `lockoutVerdict`. */
export interface LockoutTable {
  user_id: UserId
  factor: string
  /** tries since the last success */
  recent: number
  /** tries within the window that began at window_start, successes included */
  in_window: number
  window_start: number
  last_try: number
}

/** A one-time link, by itself or with a code that travels on another channel. */
export interface InvitationTable {
  id: InvitationId
  /** null = for the first administrator, whose account does not exist yet */
  user_id: UserId | null
  purpose: 'join' | 'first-admin'
  /** SHA-256 of the token in the link, hex; unique */
  token_hash: string
  /** HMAC of the code under the system scope, hex; null = no code needed */
  code_hash: string | null
  /** wrong codes so far; at five the invitation is dead */
  code_failures: number
  /** when the right code was given; null = not yet or none needed */
  code_accepted_at: number | null
  expires_at: number
  created_at: number
}

/** A signed-in browser, or an API token that an operator handed out. */
export interface SessionTable {
  id: SessionId
  user_id: UserId
  kind: 'browser' | 'token'
  /** SHA-256 of the token, hex; unique */
  token_hash: string
  /** JSON object: factor → ms since epoch at which it was last proven */
  factors: string
  /** anti-forgery value of the session's forms; no secret towards the user */
  csrf: string
  /** what an API token is for, given by its issuer; null for browsers */
  label: string | null
  created_at: number
  last_seen_at: number
  expires_at: number
}
