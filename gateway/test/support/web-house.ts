/**
 * The whole application on a real port over real SQLite, with a clock turned by hand and a log that is kept.
 */
import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'otplib'
import { createApp, createPasswords } from '../../index.ts'
import type { AppDeps, Sealer, Validate } from '../../index.ts'
import { validateDocument } from '../../../signing/index.ts'
import type { Route } from '../../http/route.ts'
import type { Level, Role } from '../../../policies/index.ts'
import type { FileId, Logger, Room, RoomId, Storage, User } from '../../../storage/index.ts'
import type { ObjectStore } from '../../../storage/objects/object-store.ts'
import { openUploadStores } from './upload-stores.ts'

/** A sealer that never seals, for pages that show the button. */
export const IDLE_SEALER: Sealer = Object.assign(() => Promise.reject(new Error('nothing is sealed here')), {
  describe: () =>
    Promise.resolve({
      kind: 'trial',
      commonName: 'Siegel',
      issuerName: 'Siegel',
      notAfter: new Date('2030-01-01'),
    } as const),
})

/** Judges by what documents carry; nobody is trusted. */
const validate: Validate = (document, content) =>
  validateDocument(document, { anchors: [], now: new Date(), producer: 'amtsbote test', detached: () => content })

export const OPERATOR = { kind: 'operator', name: 'test' } as const
export const PASSWORD = 'Vier Pferde laufen leise'
/** A TOTP key for tests, base32 of twenty bytes. */
export const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

export interface WebHouse {
  url: string
  port: number
  /** where the instance keeps its keys, rows and objects */
  folder: string
  storage: Storage
  routes: readonly Route[]
  /** every log line, as JSON */
  log: string[]
  now(): Date
  advance(ms: number): void
  person(options?: PersonOptions): Promise<User>
  room(level: Level, members?: [User, Role][]): Promise<Room>
  file(room: RoomId, name: string, bytes: Buffer | string): Promise<FileId>
  token(user: User): Promise<string>
  /** the code that an authenticator app shows now */
  code(secret?: string): Promise<string>
  close(): Promise<void>
}

export interface PersonOptions {
  name?: string
  email?: string
  audience?: 'staff' | 'external'
  totp?: boolean
  admin?: boolean
}

export interface WebHouseOptions extends Partial<AppDeps> {
  https?: boolean
  /** stands between the instance and its objects */
  wrap?: (objects: ObjectStore) => ObjectStore
}

export async function openWebHouse(change: WebHouseOptions = {}): Promise<WebHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'amtsbote-web-'))
  // Ahead of the real clock, on a full minute: codes and ages are then exact.
  let now = Math.ceil(Date.now() / 60_000) * 60_000
  const clock = () => new Date(now)
  const lines: string[] = []
  const log = keepingLog(lines)
  const opened = await openUploadStores(
    { folder, database: { kind: 'sqlite', path: join(folder, 'm.sqlite') } },
    { clock, ...(change.wrap === undefined ? {} : { wrap: change.wrap }) },
  )
  const { storage } = opened
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const app = createApp({
    ...{ ...opened.world, storage, levels: opened.levels, log, seal: null, validate, osci: null },
    uploads: { expiresAfterMs: 3_600_000, idleMs: 30_000 },
    limits: { credentialsPerMinute: 10_000, requestsPerMinute: 100_000 },
    ...change,
    site: {
      publicUrl: change.https === true ? 'https://austausch.example' : `http://127.0.0.1:${port}`,
      ...{ trustedProxies: [], maxUploadBytes: 1e9, maxFormBytes: 200_000, maxOsciBytes: 100_000 },
      ...change.site,
    },
  })
  const handle = app.koa.callback()
  server.on('request', (request, response) => void handle(request, response))
  const passwordHash = await createPasswords(opened.world.random).hash(PASSWORD)
  let number = 0

  return {
    url: `http://127.0.0.1:${port}`,
    ...{ port, folder, storage, routes: app.routes, log: lines, now: clock },
    advance: (ms) => {
      now += ms
    },
    person: async ({ name = 'Anna Muster', email, audience = 'staff', totp = false, admin = false } = {}) => {
      number += 1
      const address = email ?? `person${number}@example.org`
      const user = await storage.users.create({ name, email: address, audience, admin, passwordHash }, OPERATOR)
      if (totp) await storage.users.setTotp(user.id, SECRET, 0, OPERATOR)
      return storage.users.byId(user.id)
    },
    room: async (level, members = []) => {
      number += 1
      const room = await storage.rooms.create({ name: `Bauakte ${number}`, level }, OPERATOR)
      for (const [user, role] of members) await storage.rooms.addMember(room.id, user.id, role, OPERATOR)
      return room
    },
    file: async (room, name, bytes) => {
      const content = await storage.contents.put(room, Buffer.from(bytes))
      return storage.transact(async (rows) => {
        await content.commit(rows.db)
        const version = { contentId: content.contentId, mediaType: null, state: 'released' } as const
        return rows.files.create({ ...version, roomId: room, name }, OPERATOR)
      })
    },
    token: async (user) => {
      const expiresAt = new Date(now + 86_400_000)
      const session = { userId: user.id, kind: 'token', factors: { password: clock() }, expiresAt } as const
      return (await storage.sessions.create(session, OPERATOR)).token
    },
    code: (secret = SECRET) => generate({ secret, epoch: Math.floor(now / 1000), digits: 6, period: 30 }),
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await storage.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function keepingLog(lines: string[]): Logger {
  const keep = (fields: Record<string, unknown>, message: string) => {
    lines.push(JSON.stringify({ ...fields, message }))
  }
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  return log
}
