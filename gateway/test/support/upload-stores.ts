/**
 * Stores and a server for uploads, opened from an order that can be sent to another process.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Koa from 'koa'
import { parse } from 'yaml'
import { parseLevels } from '../../../policies/index.ts'
import type { Levels } from '../../../policies/index.ts'
import { createStorage } from '../../../storage/storage.ts'
import type { DatabaseConfig, Storage, World } from '../../../storage/index.ts'
import { openInstallation } from '../../../storage/installation.ts'
import { openDatabase } from '../../../storage/metadata/database.ts'
import { filesystemObjects } from '../../../storage/objects/filesystem.ts'
import type { ObjectStore } from '../../../storage/objects/object-store.ts'
import type { S3Options } from '../../../storage/objects/s3.ts'
import { createAccess } from '../../access.ts'
import { createCookies } from '../../http/cookies.ts'
import { createAuthentication } from '../../principal.ts'
import { createTurns, filesAtOnce } from '../../turns.ts'
import { tusMiddleware } from '../../tus/server.ts'

export interface StoresOrder {
  /** keys, and files where no bucket is named */
  folder: string
  database: DatabaseConfig
  s3?: S3Options
}

export interface UploadStores {
  storage: Storage
  levels: Levels
  world: World
}

const SILENT: World['log'] = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => {
    // Disks and buckets that tests take away are no news; anything unforeseen is.
    if (fields['status'] !== 500) return
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
  },
  child: () => SILENT,
}

/** @param wrap puts something between the storage and its objects, such as faults */
export async function openUploadStores(
  order: StoresOrder,
  { clock = () => new Date(), wrap = (objects) => objects }: StoresOptions = {},
): Promise<UploadStores> {
  const world: World = { clock, random: randomBytes, log: SILENT }
  await mkdir(join(order.folder, 'keys'), { recursive: true, mode: 0o700 })
  const database = await openDatabase(order.database, world.log)
  const keyRing = await openInstallation({ ...world, folder: join(order.folder, 'keys'), database })
  const objects = wrap(await openObjects(order))
  const yaml = await readFile(new URL('../../../policies/levels.yaml', import.meta.url), 'utf8')
  return {
    storage: createStorage({ ...world, database, keyRing, objects }),
    levels: parseLevels(parse(yaml)),
    world,
  }
}

export interface StoresOptions {
  clock?: () => Date
  wrap?: (objects: ObjectStore) => ObjectStore
}

/** The S3 client is loaded only where a bucket is named: it would double the time of a start. */
async function openObjects({ folder, s3 }: StoresOrder): Promise<ObjectStore> {
  if (s3 === undefined) return filesystemObjects({ root: join(folder, 'objects') })
  return (await import('../../../storage/objects/s3.ts')).s3Objects(s3)
}

export interface ServedUploads {
  port: number
  server: Server
  close(): Promise<void>
}

export interface ServedLimits {
  idleMs?: number
  maxSizeBytes?: number
  expiresAfterMs?: number
}

export async function serveUploads(stores: UploadStores, limits: ServedLimits): Promise<ServedUploads> {
  const { storage, levels, world } = stores
  const app = new Koa()
  app.on('error', () => undefined) // of connections that tests cut
  const cookies = createCookies(new URL('http://127.0.0.1'), world.random)
  const { authenticate } = createAuthentication({ ...world, storage, levels, cookies })
  app.use((ctx, next) => {
    ctx.state['requestId'] = '00000000-0000-4000-8000-000000000000'
    return next()
  })
  app.use(
    tusMiddleware({
      ...world,
      storage,
      authenticate,
      turns: createTurns(filesAtOnce(storage.uploads.bodiesAtOnce)),
      access: createAccess({ storage, levels, clock: world.clock }),
      limits: { maxSizeBytes: 1e12, expiresAfterMs: 600_000, idleMs: 30_000, ...limits },
    }),
  )
  const server = createServer((request, response) => void app.callback()(request, response))
  server.requestTimeout = 0
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
