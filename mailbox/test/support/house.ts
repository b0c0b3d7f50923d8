/** Storage, intermediary and mailboxes as the composition root puts them together, in a temporary folder. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createIntermediary, createMailbox, mailboxTrust, partyOf } from '../../index.ts'
import type {
  CreateMailboxDeps,
  Intermediary,
  IntermediarySettings,
  MailboxModule,
  OsciIdentity,
  OsciTransport,
} from '../../index.ts'
import type { CertificateTrust } from '../../index.ts'
import { openInstallation } from '../../../storage/installation.ts'
import { openDatabase } from '../../../storage/metadata/database.ts'
import { filesystemObjects } from '../../../storage/objects/filesystem.ts'
import { createStorage } from '../../../storage/storage.ts'
import type { DatabaseConfig, Storage } from '../../../storage/index.ts'
import type { Actor, ClaimedJob, FileId, JobOutcome, Mailbox, Message, RoomId } from '../../../storage/index.ts'
import { handClock, memoryLog } from '../../../storage/test/support/job-desk.ts'
import type { HandClock } from '../../../storage/test/support/job-desk.ts'
import { temporaryFolder } from '../../../storage/test/support/temporary-folder.ts'
import { identity } from './fixtures.ts'

export const OPERATOR: Actor = { kind: 'operator', name: 'test' }

export interface HouseOptions {
  folder?: string
  clock?: HandClock
  /** default: SQLite in the folder */
  database?: DatabaseConfig
  trust?: CertificateTrust
  settings?: Partial<IntermediarySettings>
  mailbox?: Partial<Pick<CreateMailboxDeps, 'limits' | 'practiceCourt'>>
  /** wraps what the mailboxes see */
  storage?: (storage: Storage) => Storage
  transport?: (transport: OsciTransport) => OsciTransport
}

export interface House {
  storage: Storage
  intermediary: Intermediary
  mailbox: MailboxModule
  clock: HandClock
  /** the authority: alice's keys */
  city: Mailbox
  /** the practice court: bob's keys */
  court: Mailbox
  roomId: RoomId
  folder: string
  addFile(name: string, bytes: Buffer): Promise<FileId>
  /** Runs what is due until nothing is; `deliver` jobs only of the given message when given. */
  work(limit?: number): Promise<JobOutcome[]>
  deliver(message: Pick<Message, 'id'>): Promise<JobOutcome>
  close(): Promise<void>
}

export async function house(options: HouseOptions = {}): Promise<House> {
  const folder = options.folder ?? temporaryFolder()
  const clock = options.clock ?? handClock('2026-11-23T12:00:00.000Z')
  const world = { clock, random: randomBytes, log: memoryLog() }
  const database = await openDatabase(
    options.database ?? { kind: 'sqlite', path: join(folder, 'amtsbote.db') },
    world.log,
  )
  const objects = await filesystemObjects({ root: join(folder, 'objects') })
  const keyRing = await openInstallation({ database, folder: join(folder, 'keys'), ...world })
  const storage = createStorage({ database, objects, keyRing, ...world, limits: { reserveBytes: 0 } })
  const [alice, bob, intermed] = await Promise.all([identity('alice'), identity('bob'), identity('intermed')])
  const trust = options.trust ?? mailboxTrust(storage)
  const settings = options.settings ?? {}
  const intermediary = createIntermediary({ storage, ...world, identity: intermed, trust, settings })
  const transport = options.transport?.(intermediary.transport) ?? intermediary.transport
  const mailbox = createMailbox({
    storage: options.storage?.(storage) ?? storage,
    identities: new Map([
      ['city', alice],
      ['court', bob],
    ]),
    intermediaries: new Map([['embedded', { party: partyOf(intermed), transport }]]),
    ...options.mailbox,
    ...world,
  })
  const city = await ensureMailbox(storage, 'city', alice, 'own')
  const court = await ensureMailbox(storage, 'court', bob, 'practice-court')
  const room =
    (await storage.rooms.byName('Bauakten')) ??
    (await storage.rooms.create({ name: 'Bauakten', level: 'SB2' }, OPERATOR))
  const run = (kind: 'deliver' | 'collect', subject: string): Promise<JobOutcome> =>
    mailbox.handlers[kind]({ kind, subject } as ClaimedJob, new AbortController().signal)
  return {
    ...{ storage, intermediary, mailbox, clock, city, court, folder },
    roomId: room.id,
    addFile: async (name, bytes) => {
      const stored = await storage.contents.put(room.id, bytes)
      return storage.transact(async (rows) => {
        await stored.commit(rows.db)
        const version = { contentId: stored.contentId, mediaType: 'application/pdf', state: 'released' as const }
        return rows.files.create({ ...version, roomId: room.id, name }, OPERATOR)
      })
    },
    work: async (limit = 50) => {
      const outcomes: JobOutcome[] = []
      for (let n = 0; n < limit; n += 1) {
        const message = await nextQueued(storage, clock())
        if (!message) break
        outcomes.push(await run('deliver', message))
      }
      return outcomes
    },
    deliver: ({ id }) => run('deliver', id),
    close: () => storage.close(),
  }
}

/** The oldest message that the relay still has to send. */
async function nextQueued(storage: Storage, _now: Date): Promise<string | null> {
  const page = await storage.messages.list({ direction: 'out', limit: 100 })
  const open = page.items.filter(({ state }) => ['queued', 'reserved', 'storing'].includes(state))
  return open.at(-1)?.id ?? null
}

async function ensureMailbox(
  storage: Storage,
  name: string,
  identityOfIt: OsciIdentity,
  kind: 'own' | 'practice-court',
): Promise<Mailbox> {
  const address = `${name}@amtsbote.example`
  const present = await storage.mailboxes.byName(name)
  return present ?? storage.mailboxes.create({ name, address, ...partyOf(identityOfIt), kind, keyName: name }, OPERATOR)
}

/** The intermediary behind a real HTTP server on loopback. */
export async function serve(intermediary: Intermediary): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    void intermediary.answer(request).then(({ status, contentType, body }) => {
      response.writeHead(status, { 'content-type': contentType, 'content-length': body.length })
      response.end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => {
        resolve()
      })
    })
  return { url: `http://127.0.0.1:${port}/osci`, close }
}
