/** Inviting people and issuing API tokens: what `user invite`, `user token`, `apply`, `serve` and the demo share. */
import type { House } from './compose.ts'
import { everyRow, findRoom, findUnit, findUser } from './lookup.ts'
import { CliError } from './errors.ts'
import { invitationRules, requireLevel, type Audience, type Level, type Role } from '../policies/index.ts'
import type { Room, Rows, User } from '../storage/index.ts'

export interface InviteOptions {
  name?: string
  audience: Audience
  unit?: string
  level?: Level
  room?: string
  role: Role
}

export interface PrintedInvitation {
  userId: string
  link: string
  /** 8 digits; null where the level asks for none */
  code: string | null
  level: Level
  expiresAt: Date
}

const DAY_MS = 86_400_000

/**
 * Creates the account where there is none, makes it a member of `room`, takes back older invitations and makes a new one. Whether it needs
 * a code and how long it is good is for the level to say: the one given, else the highest of the person's rooms, else the default level.
 */
export async function invite(house: House, address: string, options: InviteOptions): Promise<PrintedInvitation> {
  const { storage, operator, levels, world } = house
  return storage.transact(async (rows) => {
    const room = options.room === undefined ? null : await findRoom(rows, options.room)
    const user = (await rows.users.byEmail(address)) ?? (await createUser(rows, address, options, house))
    if (user.state === 'disabled')
      throw new CliError('cli/usage', 'this account is disabled; run `amtsbote user enable` first')
    if (room) await rows.rooms.addMember(room.id, user.id, options.role, operator)
    const level = options.level ?? (await levelFor(rows, user, house))
    requireLevel(levels, level)
    const rules = invitationRules(levels, level, user.audience)
    const expiresAt = new Date(world.clock().getTime() + rules.validityMs)
    await rows.invitations.revokeAll({ userId: user.id }, operator)
    const made = await rows.invitations.create(
      { userId: user.id, purpose: 'join', withCode: rules.secondChannelCode, expiresAt },
      operator,
    )
    return { userId: user.id, link: house.invitationLink(made.token), code: made.code, level, expiresAt }
  })
}

async function createUser(rows: Rows, address: string, options: InviteOptions, house: House): Promise<User> {
  const unitId = options.unit === undefined ? null : (await findUnit(rows, options.unit)).id
  return rows.users.create(
    { email: address, name: options.name ?? address, audience: options.audience, unitId },
    house.operator,
  )
}

async function levelFor(rows: Rows, user: User, house: House): Promise<Level> {
  const { levels } = house
  const rooms: Room[] = await everyRow((page) => rows.rooms.ofUser(user.id, page))
  const rankOf = (level: Level): number => levels.byId.get(level)?.rank ?? 0
  return rooms.reduce(
    (high, room) => (rankOf(room.level) > rankOf(high) ? room.level : high),
    rooms[0]?.level ?? levels.defaultLevel,
  )
}

export interface TokenOptions {
  label: string
  /** how long it is good */
  days: number
}

/**
 * An API token: a session of its own that bears the factor `password`; the second factor is proven by step-up. Nobody gets one before
 * the first password: the server would not take it, and setting a password ends all sessions.
 */
export async function issueToken(
  house: House,
  address: string,
  options: TokenOptions,
): Promise<{ userId: string; token: string; expiresAt: Date }> {
  const { storage, operator, world } = house
  const user = await findUser(storage, address)
  if (user.state === 'disabled')
    throw new CliError('cli/usage', 'this account is disabled; run `amtsbote user enable` first')
  if (user.state === 'invited')
    throw new CliError(
      'cli/usage',
      'this account has no password yet; let the person open the link of `amtsbote user invite` first',
    )
  const now = world.clock()
  const expiresAt = new Date(now.getTime() + options.days * DAY_MS)
  const made = await storage.sessions.create(
    { userId: user.id, kind: 'token', factors: { password: now }, expiresAt, label: options.label },
    operator,
  )
  return { userId: user.id, token: made.token, expiresAt }
}
