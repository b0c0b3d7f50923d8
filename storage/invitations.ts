/** Invitations: a one-time link, and where the level asks for it a code on another channel. */
import type { Actor } from './actor.ts'
import type { InvitationId, UserId } from './ids.ts'

export interface NewInvitation {
  /** null only for purpose first-admin */
  userId: UserId | null
  purpose: 'join' | 'first-admin'
  withCode: boolean
  expiresAt: Date
}

export interface OpenInvitation {
  id: InvitationId
  userId: UserId | null
  purpose: 'join' | 'first-admin'
  needsCode: boolean
  codeAccepted: boolean
  expiresAt: Date
}

export interface Invitations {
  /** @returns token (32 bytes, base64url) for the link and the code (8 digits); neither can be read back later */
  create(invitation: NewInvitation, by: Actor): Promise<{ id: InvitationId; token: string; code: string | null }>
  /** Null = no such, used, expired, or five wrong codes. */
  open(token: string, now: Date): Promise<OpenInvitation | null>
  /** Counts before comparing; dead after five wrong codes. */
  tryCode(token: string, code: string, now: Date): Promise<'accepted' | 'wrong' | 'dead'>
  /** Uses it up. @throws StorageError `storage/not-found` somebody else was faster */
  consume(id: InvitationId, by: Actor): Promise<void>
  /** Takes back what is still open for a user, or for a purpose. @returns how many */
  revokeAll(whose: { userId: UserId } | { purpose: 'join' | 'first-admin' }, by: Actor): Promise<number>
}
