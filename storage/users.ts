/** Accounts: who may sign in, what proves it, and how often a proof may be tried. */
import type { Factor, LockoutRule } from '../policies/index.ts'
import type { Actor } from './actor.ts'
import type { UnitId, UserId } from './ids.ts'
import type { Page, PageRequest } from './page.ts'

export interface User {
  id: UserId
  email: string
  name: string
  audience: 'staff' | 'external'
  unitId: UnitId | null
  admin: boolean
  state: 'invited' | 'active' | 'disabled'
  hasPassword: boolean
  hasTotp: boolean
  createdAt: Date
}

export interface NewUser {
  email: string
  name: string
  audience: 'staff' | 'external'
  unitId?: UnitId | null
  admin?: boolean
  /** encoded Argon2id hash; absent = invited, sets one later */
  passwordHash?: string
}

export interface UserPatch {
  name?: string
  email?: string
  audience?: 'staff' | 'external'
  unitId?: UnitId | null
  admin?: boolean
}

/** What is counted: 'code' is the second channel of an invitation. */
export type CountedFactor = Factor | 'code'

export interface Users {
  /** @throws StorageError `storage/already-exists` the address is taken */
  create(user: NewUser, by: Actor): Promise<User>
  /** @throws StorageError `storage/not-found` */
  byId(id: UserId): Promise<User>
  /** Address compared in lower case and NFC. */
  byEmail(email: string): Promise<User | null>
  list(page?: PageRequest): Promise<Page<User>>
  change(id: UserId, patch: UserPatch, by: Actor): Promise<User>
  /** Ends all sessions too. */
  disable(id: UserId, by: Actor): Promise<void>
  enable(id: UserId, by: Actor): Promise<void>
  passwordHash(id: UserId): Promise<string | null>
  /** Sets it, makes an invited account active and ends all sessions of the account. */
  setPassword(id: UserId, hash: string, by: Actor): Promise<void>
  /** Base32 as enrolled; null = not enrolled. */
  totpSecret(id: UserId): Promise<string | null>
  /** @param firstStep time step of the code that proved the enrolment; it and older ones are used up */
  setTotp(id: UserId, secretBase32: string, firstStep: number, by: Actor): Promise<void>
  removeTotp(id: UserId, by: Actor): Promise<void>
  /** True for exactly one caller per time step, and only when it is newer than the newest accepted. */
  acceptTotpStep(id: UserId, step: number): Promise<boolean>
  /** Counts an attempt before it is verified; atomic, so that parallel guesses are all counted. */
  countAttempt(
    id: UserId,
    factor: CountedFactor,
    now: Date,
    rule: LockoutRule,
  ): Promise<{ allowed: boolean; retryAt: Date | null }>
  clearAttempts(id: UserId, factor: CountedFactor): Promise<void>
}
