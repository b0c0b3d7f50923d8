/**
 * What every route is made with: the modules below, and the parts of the gateway that they share.
 *
 * Built once by app.ts; a route file takes what it needs from here and returns lines of the route table.
 */
import type { Context } from 'koa'
import type { Levels } from '../policies/index.ts'
import type { Storage, World } from '../storage/index.ts'
import type { Access } from './access.ts'
import type { InvitationFlow } from './auth/invitation.ts'
import type { SignIn } from './auth/sign-in.ts'
import type { Cookies } from './http/cookies.ts'
import type { Limits } from './http/limits.ts'
import type { Call } from './http/route.ts'
import type { Sealer } from './seal.ts'
import type { Site } from './site.ts'
import type { Turns } from './turns.ts'
import type { Frame, PageParts } from './web/layout.ts'

/** Sends a page made for this call. */
export type Show = (call: Call, page: (frame: Frame) => PageParts, status?: number) => void

export interface House extends World {
  storage: Storage
  levels: Levels
  site: Site
  access: Access
  signIn: SignIn
  invitations: InvitationFlow
  cookies: Cookies
  limits: Limits
  /** key of rate limits for the client of a request */
  addressOf(ctx: Context): string
  show: Show
  /** taken by whoever sends a file */
  turns: Turns
  /** taken by whoever has signatures validated */
  validationTurns: Turns
  /** a client that takes, or sends, nothing for so long is hung up on */
  idleMs: number
  /** null = no seal key is set up */
  seal: Sealer | null
}
