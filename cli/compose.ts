/**
 * The composition root: the only file that says which adapter is used.
 *
 * `compose` opens the stores and wires the modules; nothing listens and nothing works in the background before a command says so. Commands
 * and tests start here. One of the two places that make a clock.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { pino } from 'pino'
import { operatorName, programVersion, readSecret, type Config } from './config.ts'
import { createCourtMail } from './court-mail.ts'
import { readLevels } from './levels.ts'
import { createKeyFiles } from './opened-keys.ts'
import { createOutside, type Outside } from './outside.ts'
import { createSignatures, type Signatures } from './signatures.ts'
import { createTrust, type Trust } from './trust.ts'
import { trustRefreshHandler } from './trust-refresh.ts'
import {
  createApp,
  createSealer,
  invitationPath,
  liftHandler,
  sealBatchHandler,
  SITE_LIMITS,
} from '../gateway/index.ts'
import type { App, Sealer, Site } from '../gateway/index.ts'
import type { MailboxModule } from '../mailbox/index.ts'
import type { Levels } from '../policies/index.ts'
import { createHttpClient } from '../signing/http-client.ts'
import type { Http, SigningKey } from '../signing/index.ts'
import {
  connectDatabase,
  createStorage,
  createWorker,
  migrate,
  openBackup,
  openInstallation,
  pooledRandom,
  restoreMasterKeys,
} from '../storage/index.ts'
import type { Actor, Database, JobQueue, ObjectStore, Storage, Worker, World } from '../storage/index.ts'
import { inProcessQueue } from '../storage/jobs/in-process-queue.ts'
import { filesystemObjects } from '../storage/objects/filesystem.ts'

export interface House extends Outside {
  config: Config
  world: World
  levels: Levels
  storage: Storage
  mailbox: MailboxModule
  /** seals with the key file `seal.p12`; the first use of a new installation makes a trial key */
  sealer: Sealer
  /** whom the validation of signatures believes; read at its first use */
  trust: Trust
  signatures: Signatures
  worker: Worker
  /** the person at the command line, for the audit log */
  operator: Actor
  invitationLink: (token: string) => string
  createApp: () => App
  /** Opens keys of mailboxes that are not opened yet; before anything is sent, and again when mailboxes were added. */
  openKeys: () => Promise<void>
  openSealKey: () => Promise<SigningKey>
  close: () => Promise<void>
}

/** The world of a real process: its clock, its random numbers, JSON log lines on standard error. */
export function systemWorld(logLevel: Config['logLevel']): World {
  const log = pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  )
  return { clock: () => new Date(), random: pooledRandom(), log }
}

/** Opens everything; on the first start makes what is missing. Throws the modules' errors, and cli/bad-config for what the configuration names. */
export async function compose(config: Config, world: World): Promise<House> {
  const levels = readLevels(config.levelsFile)
  const queue = await openQueue(config, world)
  const database = await openBareDatabase(config, world)
  try {
    const storage = await openStorage(config, { database, queue, world })
    return furnish({ config, world, levels, storage, queue })
  } catch (error) {
    await database.close()
    await queue.stop()
    throw error
  }
}

interface Shell {
  config: Config
  world: World
  levels: Levels
  storage: Storage
  queue: JobQueue
}

function furnish(shell: Shell): House {
  const { config, world, levels, storage, queue } = shell
  const outside = createOutside(config)
  const keys = createKeyFiles(config, { storage, world, http: sealKeyHttp(config) })
  const court = createCourtMail({ config, storage, world, keys, outside })
  const trust = trustOf(config, world)
  const signatures = signaturesOf(config, world, trust)
  const sealing = { storage, key: keys.sealKey, clock: world.clock, setup: signatures.setup }
  const sealer = createSealer(sealing)
  const worker = createWorker({
    claims: storage.claims,
    queue,
    handlers: {
      ...storage.handlers,
      ...court.mailbox.handlers,
      'seal-batch': sealBatchHandler(sealing),
      'trust-refresh': trustRefreshHandler({ config, trust, world }),
      lift: liftHandler({ storage, sources: signatures.setup.sources }),
    },
    options: { concurrency: config.limits.workerConcurrency },
    ...world,
  })
  return {
    ...{
      config,
      world,
      levels,
      storage,
      sealer,
      trust,
      signatures,
      worker,
      ...outside,
      mailbox: court.mailbox,
      openKeys: keys.openAll,
      openSealKey: keys.sealKey,
    },
    operator: { kind: 'operator', name: operatorName() },
    invitationLink: (token) => new URL(invitationPath(token), outside.publicUrl()).href,
    createApp: () =>
      createApp({
        storage,
        levels,
        site: siteOf(config, outside),
        uploads: uploadLimits(config),
        seal: sealer,
        validate: signatures.validate,
        osci: court.answer,
        ...world,
      }),
    close: async () => {
      await queue.stop()
      await signatures.close()
      await keys.close()
      await storage.close()
    },
  }
}

function siteOf({ trustedProxies, limits }: Config, { publicUrl }: Outside): Site {
  return {
    ...SITE_LIMITS,
    publicUrl: publicUrl(),
    trustedProxies,
    maxUploadBytes: Math.floor(limits.uploadGiB * 1024 ** 3),
  }
}

function uploadLimits({ limits }: Config): { expiresAfterMs: number; idleMs: number } {
  return { expiresAfterMs: limits.uploadExpiryHours * 3_600_000, idleMs: limits.uploadIdleSeconds * 1000 }
}

/** Trusted lists and own anchors; opens no store. */
export function trustOf({ trust: config }: Pick<Config, 'trust'>, world: Pick<World, 'clock'>): Trust {
  return createTrust({ config, world, http: createHttpClient({ allowedHosts: config.allowedHosts }) })
}

/** Time-stamps, revocation data and validation; opens no store. */
export function signaturesOf(config: Config, world: World, trust = trustOf(config, world)): Signatures {
  const { allowedHosts } = config.trust
  const authorities = config.signatures.timestampServices.map(({ url }) => new URL(url).hostname)
  const http = {
    public: createHttpClient({ allowedHosts }),
    toAuthority: createHttpClient({ allowedHosts: [...allowedHosts, ...authorities] }),
  }
  return createSignatures({
    config,
    world,
    http,
    trust,
    producer: `amtsbote ${programVersion()}`,
  })
}

/** A remote signing service that the configuration names may lie in the own network. */
export function sealKeyHttp({ seal: { key } }: Config): Http {
  const named = key.kind === 'csc' ? [key.url, ...(key.tokenUrl === undefined ? [] : [key.tokenUrl])] : []
  return createHttpClient({ allowedHosts: named.map((url) => new URL(url).hostname) })
}

/** Puts the master keys of a backup into the keys folder; opens no store, because without the key none opens. @returns ids that were absent */
export async function restoreMasterKeysFrom(
  config: Config,
  texts: readonly string[],
  passphrase: string | null,
): Promise<string[]> {
  return restoreMasterKeys(masterFolder(config), await openBackup(texts, passphrase))
}

function masterFolder({ keysFolder }: Config): string {
  return path.join(keysFolder, 'master')
}

/** The database alone, at whatever schema it has. The caller closes it. */
export async function openBareDatabase(config: Config, world: World): Promise<Database> {
  await mkdir(config.dataFolder, { recursive: true, mode: 0o700 })
  return connectDatabase(databaseConfig(config), world.log)
}

function databaseConfig({ database }: Config): Parameters<typeof connectDatabase>[0] {
  return database.kind === 'sqlite'
    ? database
    : { kind: 'postgresql', url: readSecret(database.urlFile, 'database.urlFile') }
}

/** What a default installation does not use is loaded only where the configuration asks for it: it would double the time of a start. */
async function openQueue({ queue }: Config, world: World): Promise<JobQueue> {
  if (queue.kind === 'in-process') return inProcessQueue(world)
  const { bullmqQueue } = await import('../storage/jobs/bullmq-queue.ts')
  return bullmqQueue({ url: readSecret(queue.urlFile, 'queue.urlFile'), prefix: queue.prefix }, world)
}

/** What wakes the worker, as far as it can be asked: null = this process itself. Rejects when Redis does not answer. */
export async function queueServer({ queue }: Config): Promise<string | null> {
  if (queue.kind === 'in-process') return null
  const url = readSecret(queue.urlFile, 'queue.urlFile')
  const { probeRedis } = await import('../storage/jobs/redis-probe.ts')
  return `Redis ${await probeRedis(url)}`
}

async function openStorage(
  config: Config,
  { database, queue, world }: { database: Database; queue: JobQueue; world: World },
): Promise<Storage> {
  await migrate(database, world.log)
  const keyRing = await openInstallation({ folder: masterFolder(config), database, ...world })
  const objects = await openObjects(config)
  const reserve = config.objects.kind === 'filesystem' ? { reserveBytes: config.objects.reserveMiB * 1024 ** 2 } : {}
  return createStorage({ database, objects, keyRing, queue, limits: reserve, ...world })
}

async function openObjects({ objects }: Config): Promise<ObjectStore> {
  if (objects.kind === 'filesystem') return filesystemObjects({ root: objects.folder })
  // Which Node is needed is for package.json to say; the SDK would print a page of its own at every command.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  const { s3Objects } = await import('../storage/objects/s3.ts')
  return s3Objects({
    endpoint: objects.endpoint,
    region: objects.region,
    bucket: objects.bucket,
    prefix: objects.prefix,
    accessKeyId: readSecret(objects.accessKeyIdFile, 'objects.accessKeyIdFile'),
    secretAccessKey: readSecret(objects.secretAccessKeyFile, 'objects.secretAccessKeyFile'),
  })
}
