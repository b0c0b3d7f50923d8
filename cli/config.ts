/**
 * The configuration: one strict YAML file, every key described, secrets only as paths of files.
 *
 * Without a file everything has its documented default (SQLite, encrypted files under ./data, queue in this process, embedded intermediary
 * with its practice court). Relative paths count from the folder of the file. One of the two places that read the environment.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { isIP } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { file, wholeNumber } from './config-parts.ts'
import { sealSchema } from './config-seal.ts'
import { signaturesSchema } from './config-signatures.ts'
import { trustSchema, withTrustFolders, type TrustConfig } from './config-trust.ts'
import { checkDocument } from './documents.ts'
import { CliError } from './errors.ts'

const DEFAULT_FILE = 'amtsbote.yaml'

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/, 'write it as address:port, e.g. 127.0.0.1:8080 or [::1]:8080')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65535, 'the port is above 65535')

const network = z.string().refine(isNetwork, 'write an IP address or a network such as 10.0.0.0/8')

const webAddress = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@]+\/?$/, 'write scheme, host and port only, e.g. https://austausch.example.de')
  .refine((text) => URL.canParse(text), 'this is not a web address')
  .transform((text) => new URL(text).origin)

const tls = z.strictObject({
  certificateFile: file('PEM file with the certificate and its chain'),
  keyFile: file('PEM file with the private key'),
})

const database = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sqlite'),
    path: file('file of the database (default: metadata.db in dataFolder)').optional(),
  }),
  z.strictObject({
    kind: z.literal('postgresql'),
    urlFile: file('file that holds the connection URL, postgresql://…'),
  }),
])

const objects = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('filesystem'),
    folder: file('folder of the sealed objects (default: objects in dataFolder)').optional(),
    reserveMiB: wholeNumber('new uploads are refused when less is free on that disk (MiB)', 0, 1 << 30).default(256),
  }),
  z.strictObject({
    kind: z.literal('s3'),
    endpoint: z.url().describe('address of the S3 server'),
    region: z.string().min(1).default('us-east-1').describe('region name the server expects'),
    bucket: z.string().min(3).max(63).describe('name of the bucket'),
    prefix: z.string().max(200).default('').describe('put in front of every object name'),
    accessKeyIdFile: file('file that holds the access key id'),
    secretAccessKeyFile: file('file that holds the secret access key'),
  }),
])

const queue = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('in-process') }),
  z.strictObject({
    kind: z.literal('bullmq'),
    urlFile: file('file that holds the Redis URL, redis://…'),
    prefix: z.string().min(1).max(60).default('amtsbote').describe('in front of every key in Redis'),
  }),
])

const limits = z.strictObject({
  uploadGiB: z.number().positive().max(5120).default(100).describe('largest upload (GiB)'),
  uploadExpiryHours: z
    .number()
    .positive()
    .max(8760)
    .default(24)
    .describe('an unfinished upload is removed this long after its last byte (hours)'),
  uploadIdleSeconds: wholeNumber('a request that sends nothing for this long is cut (seconds)', 5, 3600).default(60),
  validationSeconds: wholeNumber(
    'a document whose signatures take longer to validate is given up (seconds of computing)',
    1,
    3600,
  ).default(60),
  workerConcurrency: wholeNumber('background jobs at the same time', 1, 64).default(4),
})

const court = z.strictObject({
  practiceCourt: z.boolean().default(true).describe('run the practice court (Übungsgericht) in this process'),
  pollSeconds: wholeNumber('how often mailboxes are collected (seconds)', 1, 86400).default(60),
  timeoutSeconds: wholeNumber('longest wait for an intermediary (seconds)', 1, 600).default(60),
})

export const configSchema = z.strictObject({
  dataFolder: file('folder for everything that is not set elsewhere').default('data'),
  keysFolder: file(
    'folder of the master keys and of the PKCS#12 files with their passphrases (default: keys in dataFolder)',
  ).optional(),
  listen: address.default('127.0.0.1:8080').describe('address and port; port 0 takes a free one'),
  publicUrl: webAddress
    .optional()
    .describe('address under which people reach the server: links, cookies, CSRF (default: from listen)'),
  tls: tls.optional().describe('serve HTTPS with these files'),
  trustedProxies: z.array(network).max(100).default([]).describe('reverse proxies whose X-Forwarded-* headers count'),
  database: database.prefault({ kind: 'sqlite' }).describe('where the metadata lives'),
  objects: objects.prefault({ kind: 'filesystem' }).describe('where the sealed contents live'),
  queue: queue
    .prefault({ kind: 'in-process' })
    .describe('what wakes the background worker; several processes want bullmq'),
  levelsFile: file('protection levels of this site; may only tighten the built-in ones').optional(),
  intermediary: z.boolean().default(true).describe('run the embedded OSCI intermediary at /osci'),
  court: court.prefault({}).describe('court mail'),
  seal: sealSchema.prefault({}).describe('the seal of this authority'),
  signatures: signaturesSchema.prefault({}).describe('what seals are made with, besides their key'),
  trust: trustSchema.prefault({}).describe('whom the validation of signatures believes'),
  limits: limits.prefault({}).describe('bounds'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('least level of log lines on standard error'),
})

type Written = z.output<typeof configSchema>

export interface Config extends Omit<Written, 'publicUrl' | 'keysFolder' | 'database' | 'objects' | 'trust'> {
  trust: TrustConfig
  keysFolder: string
  database: Extract<Written['database'], { kind: 'postgresql' }> | { kind: 'sqlite'; path: string }
  objects: Extract<Written['objects'], { kind: 's3' }> | { kind: 'filesystem'; folder: string; reserveMiB: number }
  /** origin without a trailing slash; null: taken from the address once the port is known */
  publicUrl: string | null
  /** file this came from; null when everything is default */
  file: string | null
}

/**
 * Reads `given`, else AMTSBOTE_CONFIG, else ./amtsbote.yaml, else defaults. Throws cli/bad-config with file and line for an absent or wrong
 * file, an unknown key, or an address beyond loopback without `tls` or `trustedProxies`.
 */
export function loadConfig(given: string | undefined): Config {
  const wanted = given ?? process.env['AMTSBOTE_CONFIG'] ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
  if (wanted === undefined) return parseConfig('', path.resolve(DEFAULT_FILE), null)
  const full = path.resolve(wanted)
  try {
    return parseConfig(readFileSync(full, 'utf8'), full, full)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('cli/bad-config', `${wanted} cannot be read; give an existing file to --config`, {
      cause: error,
    })
  }
}

/** The checked configuration of this text; `at` is the file that relative paths are relative to. */
export function parseConfig(text: string, at: string, from: string | null): Config {
  const name = path.basename(at)
  const { value, lineOf } = checkDocument({ text, name, code: 'cli/bad-config' }, configSchema)
  const host = hostOf(value.listen)
  if (!isLoopback(host) && !value.tls && value.trustedProxies.length === 0) {
    const what = `listen: ${host} is not a loopback address; set tls, or name the reverse proxies in trustedProxies`
    throw new CliError('cli/bad-config', `${name}:${lineOf(['listen'])}: ${what}`)
  }
  return withFolders(resolvePaths(configSchema, value, path.dirname(at)) as Written, from)
}

function withFolders(written: Written, from: string | null): Config {
  const inside = (name: string): string => path.join(written.dataFolder, name)
  const { database, objects } = written
  return {
    ...written,
    file: from,
    publicUrl: written.publicUrl ?? null,
    trust: withTrustFolders(written.trust, written.dataFolder),
    keysFolder: written.keysFolder ?? inside('keys'),
    database: database.kind === 'sqlite' ? { kind: 'sqlite', path: database.path ?? inside('metadata.db') } : database,
    objects: objects.kind === 'filesystem' ? { ...objects, folder: objects.folder ?? inside('objects') } : objects,
  }
}

/** Content of a secret file without the line end; throws cli/bad-config when it cannot be read or is empty. */
export function readSecret(at: string, key: string): string {
  let text: string
  try {
    text = readFileSync(at, 'utf8').trim()
  } catch (error) {
    throw new CliError('cli/bad-config', `${key}: ${at} cannot be read; create it (mode 0600) or correct the path`, {
      cause: error,
    })
  }
  if (text === '') throw new CliError('cli/bad-config', `${key}: ${at} is empty; put the secret into it`)
  return text
}

/** Name of the person at the keyboard for the audit log. */
export function operatorName(): string {
  const name = process.env['SUDO_USER'] ?? os.userInfo().username
  return name.replace(/[^\p{L}\p{N}._@-]/gu, '_').slice(0, 60)
}

/** True when the terminal shows progress and colours are welcome. */
export function isInteractive(): boolean {
  return process.stderr.isTTY && process.env['CI'] === undefined && process.env['TERM'] !== 'dumb'
}

/** Version of this program, from the package.json beside the modules. */
export function programVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version
}

/** True under `npm start`: a shell stands between npm and this process, and a signal to npm ends only the shell. */
export function isStartedByNpm(): boolean {
  return process.env['npm_lifecycle_event'] !== undefined
}

/** True when this module is the program that was started, also through a link. */
export function isProgram(modulePath: string): boolean {
  const started = process.argv[1]
  return started !== undefined && existsSync(started) && realpathSync(started) === modulePath
}

export function hostOf(listen: string): string {
  return listen.slice(0, listen.lastIndexOf(':')).replace(/^\[|\]$/g, '')
}

export function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1))
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function isNetwork(text: string): boolean {
  const [base = '', bits, ...more] = text.split('/')
  const version = isIP(base)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** Every string whose schema says `path` becomes absolute, counted from `base`. */
function resolvePaths(schema: z.ZodType, value: unknown, base: string): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const kind = (value as { kind: string }).kind
    const option = (inner.options as z.ZodObject[]).find((one) => (one.shape['kind'] as z.ZodLiteral).value === kind)
    return option ? resolvePaths(option, value, base) : value
  }
  if (inner instanceof z.ZodObject && typeof value === 'object' && value !== null) {
    const shape = inner.shape as Record<string, z.ZodType>
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, shape[key] ? resolvePaths(shape[key], one, base) : one]),
    )
  }
  return typeof value === 'string' && inner.meta()?.['path'] === true ? path.resolve(base, value) : value
}

/** The schema inside optional, default and prefault. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.unwrap() as z.ZodType
  return inner
}
