/**
 * A house with nothing but storage and the upload endpoint, on a real port, for tests. The clock is turned by hand.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createHash, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { parseId } from '../../../storage/index.ts'
import type { File, RoomId, Storage } from '../../../storage/index.ts'
import type { Level, Role } from '../../../policies/index.ts'
import { metadata } from './tus.ts'
import type { ServedLimits, StoresOptions, StoresOrder, UploadStores } from './upload-stores.ts'
import { openUploadStores, serveUploads } from './upload-stores.ts'

export interface UploadHouse {
  port: number
  storage: Storage
  stores: StoresOrder
  /** for another server over the same storage */
  opened: UploadStores
  /** a room at SB2 in which the standing person may upload */
  room: RoomId
  maxSizeBytes: number
  expiresAfterMs: number
  now(): Date
  advance(ms: number): void
  /** Authorization and Upload-Metadata of a contributor to `room`; every file has a name of its own */
  standing(): Record<string, string>
  /** the bytes of the file that was created or changed last in `room` */
  read(): Promise<Buffer>
  readFile(file: File): Promise<Buffer>
  newestFile(): Promise<File>
  countFiles(): Promise<number>
  countUploads(): Promise<number>
  /** @returns a token */
  anotherPerson(role?: Role): Promise<string>
  anotherRoom(level?: Level): Promise<RoomId>
  closeRoom(room: RoomId): Promise<void>
  endSessions(token: string): Promise<void>
  /** some upload is being written by somebody */
  untilWriting(): Promise<void>
  untilNobodyWrites(): Promise<void>
  /** Holds the lease of an upload and does not let go when asked; returns what lets go. */
  holdStubbornly(address: string): Promise<() => Promise<void>>
  close(): Promise<void>
}

const OPERATOR = { kind: 'operator', name: 'test' } as const

/** @param options.stores where to keep everything; default: a new temporary folder, SQLite and files */
export async function openUploadHouse(
  options: ServedLimits & Pick<StoresOptions, 'wrap'> & { stores?: StoresOrder } = {},
): Promise<UploadHouse> {
  const { stores: given, wrap, ...limits } = options
  const folder = given?.folder ?? (await mkdtemp(join(tmpdir(), 'amtsbote-uploads-')))
  const stores = given ?? { folder, database: { kind: 'sqlite' as const, path: join(folder, 'metadata.sqlite') } }
  let turned = 0
  const now = (): Date => new Date(Date.now() + turned)
  const opened = await openUploadStores(stores, { clock: now, ...(wrap && { wrap }) })
  const { storage } = opened
  const served = await serveUploads(opened, limits)
  const room = (await newRoom(storage)).id
  const token = await newPerson(storage, room, 'contributor')
  let number = 0
  const db = storage.database.kysely
  const writers = async (): Promise<number> =>
    (await db.selectFrom('upload').select('id').where('holder', 'is not', null).execute()).length
  const newestFile = async (): Promise<File> => {
    const row = await db
      .selectFrom('file_version')
      .innerJoin('file', 'file.id', 'file_version.file_id')
      .select('file_version.file_id')
      .where('file.room_id', '=', room)
      .orderBy('file_version.created_at', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow()
    return storage.files.byId(row.file_id)
  }
  const readFile = async (file: File): Promise<Buffer> =>
    buffer((await storage.contents.open(file.current.contentId)).stream)

  return {
    port: served.port,
    storage,
    stores,
    opened,
    room,
    maxSizeBytes: limits.maxSizeBytes ?? 1e12,
    expiresAfterMs: limits.expiresAfterMs ?? 600_000,
    now,
    advance: (ms) => {
      turned += ms
    },
    standing: () => ({
      Authorization: `Bearer ${token}`,
      'Upload-Metadata': metadata({ room, filename: `file-${number++}.bin` }),
    }),
    newestFile,
    readFile,
    read: async () => readFile(await newestFile()),
    countFiles: async () => (await db.selectFrom('file').select('id').where('room_id', '=', room).execute()).length,
    countUploads: async () => (await db.selectFrom('upload').select('id').execute()).length,
    anotherPerson: (role) => newPerson(storage, room, role ?? null),
    anotherRoom: async (level = 'SB2') => {
      const { id } = await newRoom(storage, level)
      for (const { userId } of (await storage.rooms.members(room)).items) {
        await storage.rooms.addMember(id, userId, 'contributor', OPERATOR)
      }
      return id
    },
    closeRoom: (id) => storage.rooms.close(id, OPERATOR),
    endSessions: async (other) => {
      const session = await storage.sessions.byToken(other, now())
      if (session !== null) await storage.sessions.endAll(session.userId, OPERATOR)
    },
    untilWriting: async () => {
      while ((await writers()) === 0) await pause(5)
    },
    untilNobodyWrites: async () => {
      while ((await writers()) > 0) await pause(5)
    },
    holdStubbornly: async (address) => {
      const upload = await storage.uploads.byTicket(address.slice(-43))
      const lease = await storage.uploads.acquire(upload?.id ?? parseId('upload', ''), { waitMs: 0 })
      return () => lease.release()
    },
    close: async () => {
      await served.close()
      await storage.close()
      if (given === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

async function newRoom(storage: Storage, level: Level = 'SB2'): Promise<{ id: RoomId }> {
  return storage.rooms.create({ name: `Raum ${randomUUID()}`, level }, OPERATOR)
}

async function newPerson(storage: Storage, room: RoomId, role: Role | null): Promise<string> {
  const name = createHash('sha256').update(randomUUID()).digest('hex').slice(0, 12)
  const person = { email: `${name}@example.org`, name, audience: 'staff', passwordHash: 'not a hash' } as const
  const user = await storage.users.create(person, OPERATOR)
  if (role !== null) await storage.rooms.addMember(room, user.id, role, OPERATOR)
  const expiresAt = new Date(Date.now() + 400 * 86_400_000)
  const factors = { password: new Date() }
  const session = { userId: user.id, kind: 'token', factors, expiresAt } as const
  return (await storage.sessions.create(session, OPERATOR)).token
}
