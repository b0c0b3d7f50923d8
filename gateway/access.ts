/**
 * Puts a question to policies `decide()` and turns its answer into one the HTTP edge can render.
 *
 * The only way from a route to a room's contents. Who is no member learns that there is nothing, not that there is
 * something they must not see.
 */
import { decide } from '../policies/index.ts'
import type { Action, Levels, Role } from '../policies/index.ts'
import { isStorageError } from '../storage/index.ts'
import type { Room, RoomId, Storage, World } from '../storage/index.ts'
import { GatewayError } from './errors.ts'
import type { Principal } from './principal.ts'

export interface Access {
  /**
   * The room, if this person may do this there now.
   *
   * @throws GatewayError `gateway/not-found` no such room, or not a member of it
   * @throws GatewayError `gateway/denied` a member who may not; `facts.reason` is the rule
   * @throws GatewayError `gateway/step-up-required` `facts.factors` are missing or stale
   */
  room(principal: Principal, id: RoomId, action: Action): Promise<Room>
  /** What `decide` says without turning it into an error; for pages that show or hide a button. */
  ask(principal: Principal, room: Room, actions: readonly Action[]): Promise<Set<Action>>
  /** The same judgement for an act on no room. */
  house(principal: Principal, action: Action): void
}

export function createAccess(deps: { storage: Storage; levels: Levels } & Pick<World, 'clock'>): Access {
  const { storage, levels, clock } = deps

  const judge = (principal: Principal, action: Action, room: Room | null, role: Role | null) =>
    decide(
      {
        actor: {
          userId: principal.user.id,
          audience: principal.user.audience,
          admin: principal.user.admin,
          active: principal.user.state === 'active',
          role,
        },
        action,
        // a level that the policy does not define is denied there
        resource: room === null ? null : { level: room.level, state: room.state },
        assurance: principal.assurance,
      },
      levels,
      clock(),
    )

  return {
    room: async (principal, id, action) => {
      const { room, role } = await findRoom(storage, id, principal)
      enforce(judge(principal, action, room, role), room.level)
      return room
    },
    ask: async (principal, room, actions) => {
      const role = await storage.rooms.roleOf(room.id, principal.user.id)
      return new Set(actions.filter((action) => judge(principal, action, room, role).kind === 'allow'))
    },
    house: (principal, action) => {
      enforce(judge(principal, action, null, null), null)
    },
  }
}

function findRoom(storage: Storage, id: RoomId, { user }: Principal): Promise<{ room: Room; role: Role | null }> {
  return hideAbsence(storage.rooms.withRole(id, user.id))
}

/** What does not exist and what must not be known of are the same answer, down to its code. */
export async function hideAbsence<T>(search: Promise<T>): Promise<T> {
  try {
    return await search
  } catch (error) {
    if (isStorageError(error, 'storage/not-found')) throw new GatewayError('gateway/not-found', { cause: error })
    throw error
  }
}

function enforce(decision: ReturnType<typeof decide>, level: string | null): void {
  switch (decision.kind) {
    case 'allow':
      return
    case 'deny':
      if (decision.reason === 'not-a-member') throw new GatewayError('gateway/not-found')
      if (decision.reason === 'session-too-old') throw new GatewayError('gateway/sign-in-required')
      throw new GatewayError('gateway/denied', { facts: { reason: decision.reason } })
    case 'step-up':
      throw new GatewayError('gateway/step-up-required', {
        facts: { factors: decision.factors, ...(level === null ? {} : { level }) },
      })
  }
}
