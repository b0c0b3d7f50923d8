/**
 * Our own application for the benches, over files or a bucket; answers with a token and a room to upload into.
 * Taken from the built program (`npm run bench` builds it first): that is what runs at a site, its threads included.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import { parse } from 'yaml'
import type { S3Options } from '../../../storage/objects/s3.ts'
import type { Storage } from '../../../storage/index.ts'
import type { ServerOrder } from './children.ts'

interface OurOrder extends ServerOrder {
  s3?: S3Options
}

const built = async <T>(path: string): Promise<T> =>
  (await import(new URL(`../../../dist/${path}`, import.meta.url).href)) as T
const { parseLevels } = await built<typeof import('../../../policies/index.ts')>('policies/index.js')
const { openInstallation } = await built<typeof import('../../../storage/installation.ts')>('storage/installation.js')
const { openDatabase } =
  await built<typeof import('../../../storage/metadata/database.ts')>('storage/metadata/database.js')
const { openObjects } = await built<typeof import('../../../storage/objects/open.ts')>('storage/objects/open.js')
const { createStorage } = await built<typeof import('../../../storage/storage.ts')>('storage/storage.js')
const { pooledRandom } = await built<typeof import('../../../storage/index.ts')>('storage/index.js')
const { SITE_LIMITS, createApp } = await built<typeof import('../../index.ts')>('gateway/index.js')

// as `serve` does for itself
setFlagsFromString('--heap-growing-percent=80')

const OPERATOR = { kind: 'operator', name: 'bench' } as const

process.on('disconnect', () => process.exit())
process.once('message', (order: OurOrder) => {
  start(order).then(
    (facts) => process.send?.(facts),
    (error: unknown) => process.send?.({ error: String(error instanceof Error ? error.stack : error) }),
  )
})

async function start({ folder, s3 }: OurOrder): Promise<Record<string, string | number>> {
  const log = pino({ base: null }, pino.destination({ dest: join(folder, 'log'), sync: true }))
  const world = { clock: () => new Date(), random: pooledRandom(), log }
  await mkdir(join(folder, 'keys'), { mode: 0o700 })
  const database = await openDatabase({ kind: 'sqlite', path: join(folder, 'metadata.sqlite') }, log)
  const keyRing = await openInstallation({ ...world, folder: join(folder, 'keys'), database })
  const objects = await openObjects(
    s3 === undefined ? { kind: 'filesystem', root: join(folder, 'objects') } : { kind: 's3', ...s3 },
  )
  const storage = createStorage({ ...world, database, keyRing, objects })
  const yaml = await readFile(new URL('../../../policies/levels.yaml', import.meta.url), 'utf8')
  const app = createApp({
    ...world,
    storage,
    levels: parseLevels(parse(yaml)),
    site: { ...SITE_LIMITS, publicUrl: 'http://127.0.0.1', trustedProxies: [] },
    uploads: { expiresAfterMs: 86_400_000, idleMs: 60_000 },
    seal: null,
    validate: null,
    osci: null,
    // the one thing that differs from a real site: one address may do as much as it can
    limits: { credentialsPerMinute: 1e9, requestsPerMinute: 1e9 },
  })
  const handle = app.koa.callback()
  const server = createServer((request, response) => void handle(request, response))
  server.requestTimeout = 0
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { port: (server.address() as AddressInfo).port, ...(await people(storage)) }
}

async function people({ users, rooms, sessions }: Storage): Promise<Record<string, string>> {
  const room = await rooms.create({ name: randomUUID(), level: 'SB2' }, OPERATOR)
  const person = { email: 'bench@example.org', name: 'Bench', audience: 'staff', passwordHash: 'x' } as const
  const user = await users.create(person, OPERATOR)
  await rooms.addMember(room.id, user.id, 'contributor', OPERATOR)
  const session = { userId: user.id, kind: 'token', factors: { password: new Date() } } as const
  const { token } = await sessions.create({ ...session, expiresAt: new Date(Date.now() + 86_400_000) }, OPERATOR)
  return { token, room: room.id, metadata: `room ${Buffer.from(room.id).toString('base64')}` }
}
