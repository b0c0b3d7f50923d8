/** A serving installation in this process, and people in it who have redeemed their invitations. */
import { generate } from 'otplib'
import { giveKeys, temporaryInstallation, type Installation } from './cli.ts'
import { systemWorld } from '../../compose.ts'
import { loadConfig } from '../../config.ts'
import { createVisitor, type Visitor } from '../../demo/visitor.ts'
import { invite, issueToken } from '../../people.ts'
import { startServing, type Serving } from '../../serving.ts'
import type { Level } from '../../../policies/index.ts'
import type { Room } from '../../../storage/index.ts'

export interface Served {
  at: Installation
  serving: Serving
  origin: string
  room: (name: string, level: Level) => Promise<Room>
  /** a member of the room with password and authenticator app */
  person: (address: string, room: Room) => Promise<Person>
  end: () => Promise<void>
}

export interface Person {
  visitor: Visitor
  /** file that holds an API token */
  tokenFile: string
  /** code of the app for a moment in which no other was used yet */
  code: () => Promise<string>
}

export async function servedInstallation(extra: readonly string[] = []): Promise<Served> {
  const at = temporaryInstallation(extra)
  await giveKeys(at)
  const serving = await startServing(loadConfig(at.config), systemWorld('silent'))
  const { house } = serving
  const origin = `http://127.0.0.1:${serving.port}`
  return {
    at,
    serving,
    origin,
    room: (name, level) => house.storage.rooms.create({ name, level }, house.operator),
    person: async (address, room) => {
      const { link, code } = await invite(house, address, { audience: 'staff', room: room.id, role: 'manager' })
      const visitor = createVisitor(origin, house.world.clock)
      const token = link.slice(link.lastIndexOf('/') + 1)
      const { totpSecret } = await visitor.redeem({ token, code, password: 'correct horse battery staple 7' })
      const issued = await issueToken(house, address, { label: 'test', days: 1 })
      return {
        visitor,
        tokenFile: at.file(`${address}.token`, `${issued.token}\n`),
        code: async () => {
          if (totpSecret === null) throw new Error('no authenticator app was set up')
          const user = await house.storage.users.byEmail(address)
          // As if half a minute had gone by: the code of this moment was used up by signing in.
          await house.storage.database.kysely
            .updateTable('user_account')
            .set({ totp_last_step: 0 })
            .where('id', '=', user?.id ?? ('' as never))
            .execute()
          return generate({ secret: totpSecret, epoch: Math.floor(house.world.clock().getTime() / 1000) })
        },
      }
    },
    end: async () => {
      await serving.stop()
      at.end()
    },
  }
}
