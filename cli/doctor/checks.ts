/** What `amtsbote doctor` looks at. Each check gives findings; a check that cannot be made is a finding too, never a crash. */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { describeError } from '../advice.ts'
import { queueServer, sealKeyHttp, type House } from '../compose.ts'
import { backupWarning } from '../key-backup-state.ts'
import { listSigningKeys, type SigningKeyFacts } from '../signing-keys.ts'
import { schemaState } from '../../storage/index.ts'

export interface Finding {
  check: string
  state: 'ok' | 'warning' | 'failed'
  detail: string
}

/** What is there before any store is open. */
type Bare = Pick<House, 'config' | 'world'>
type Checks<Subject> = Readonly<Record<string, (subject: Subject) => Promise<Finding[]>>>

const SOON_MS = 30 * 86_400_000
const CLOCK_TOLERANCE_MS = 60_000

/** Looks at everything, in the order of the table; `leftovers` compares rows and objects. */
export async function examine(house: House, leftovers: () => Promise<Finding[]>): Promise<Finding[]> {
  return [...(await lookAt(STORES, house)), ...(await lookAt(BARE, house)), ...(await lookAt({ leftovers }, undefined))]
}

/** What can be judged although the stores do not open, and why they do not. */
export async function examineWithout(bare: Bare, reason: unknown): Promise<Finding[]> {
  return [one('stores', 'failed', describeError(reason).message), ...(await lookAt(BARE, bare))]
}

async function lookAt<Subject>(checks: Checks<Subject>, subject: Subject): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [check, look] of Object.entries(checks)) {
    try {
      findings.push(...(await look(subject)))
    } catch (error) {
      findings.push(one(check, 'failed', describeError(error).message))
    }
  }
  return findings
}

const STORES: Checks<House> = {
  database: async ({ storage }) => {
    await storage.database.ping()
    const { current, newest } = await schemaState(storage.database)
    return [
      one('database', current === newest ? 'ok' : 'failed', `${storage.database.kind}, schema ${current} of ${newest}`),
    ]
  },
  clock: async ({ storage, world }) => {
    const now = world.clock().getTime()
    const verdict = await newestEntry(storage)
    const ahead = verdict === null ? 0 : verdict.getTime() - now
    const wrong = ahead > CLOCK_TOLERANCE_MS
    return [
      one(
        'clock',
        wrong ? 'failed' : 'ok',
        wrong
          ? 'the audit log has entries from the future: set the clock of this machine'
          : new Date(now).toISOString(),
      ),
    ]
  },
  keys: async ({ storage }) => {
    const warning = await backupWarning(storage)
    return [
      one('master key', 'ok', storage.keyRing.currentMasterKeyId()),
      one('key backup', warning === null ? 'ok' : 'warning', warning ?? 'verified'),
    ]
  },
  'trusted lists': async ({ trust, world }) => {
    const { listReports, problems } = await trust.current()
    const lists = listReports(world.clock())
    const overdue = lists.filter(({ state }) => state === 'overdue').length
    const said =
      lists.length === 0
        ? 'none: nothing is known about qualification until `amtsbote trust refresh`'
        : `${lists.length} in use, ${overdue} overdue, ${problems.length} refused: \`amtsbote trust status\` tells more`
    return [one('trusted lists', lists.length === 0 || overdue + problems.length > 0 ? 'warning' : 'ok', said)]
  },
  jobs: async ({ storage }) => {
    const failed = await storage.jobs.list({ state: 'failed', limit: 100 })
    const held = await storage.jobs.list({ state: 'held', limit: 100 })
    const waiting = failed.items.length + held.items.length
    return [
      one(
        'jobs',
        waiting > 0 ? 'warning' : 'ok',
        waiting > 0
          ? `${failed.items.length} failed, ${held.items.length} held: see \`amtsbote job list\``
          : 'none failed or held',
      ),
    ]
  },
}

const BARE: Checks<Bare> = {
  'keys folder': async ({ config }) => {
    const folder = path.join(config.keysFolder, 'master')
    const { mode } = await stat(folder)
    const isPrivate = (mode & 0o077) === 0
    return [
      one(
        'keys folder',
        isPrivate ? 'ok' : 'failed',
        isPrivate ? 'private' : `others may enter it: chmod 700 ${folder}`,
      ),
    ]
  },
  certificates: async (bare) => [...(await keyFileFindings(bare)), ...(await tlsFindings(bare))],
  queue: async ({ config }) => {
    try {
      return [one('queue', 'ok', (await queueServer(config)) ?? 'in this process')]
    } catch (error) {
      // nothing is lost: due jobs are looked for once a minute
      const detail = `Redis does not answer (${describeError(error).message}): work begins up to a minute late`
      return [one('queue', 'warning', detail)]
    }
  },
}

async function newestEntry(storage: House['storage']): Promise<Date | null> {
  const row = await storage.database.kysely
    .selectFrom('audit_entry')
    .select('at')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : new Date(row.at)
}

async function keyFileFindings({ config, world }: Bare): Promise<Finding[]> {
  const keys = await listSigningKeys({ config, world, http: sealKeyHttp(config) })
  return keys.map(({ name, kind, validUntil, suitableUntil, state }) => {
    const detail = `${kind}, until ${validUntil}, algorithm suitable until ${suitableUntil}`
    return one(`certificate ${name}`, KEY_STATES[state], state === 'unknown' ? 'the key cannot be opened' : detail)
  })
}

const KEY_STATES = {
  good: 'ok',
  'ends soon': 'warning',
  ended: 'failed',
  unusable: 'failed',
  unknown: 'failed',
} as const satisfies Record<SigningKeyFacts['state'], Finding['state']>

async function tlsFindings({ config, world }: Bare): Promise<Finding[]> {
  if (!config.tls) return []
  const certificate = new X509Certificate(await readFile(config.tls.certificateFile))
  return [validity('certificate tls', new Date(certificate.validTo), world.clock(), 'TLS')]
}

function validity(check: string, notAfter: Date, now: Date, kind: string): Finding {
  const left = notAfter.getTime() - now.getTime()
  const state = left <= 0 ? 'failed' : left < SOON_MS ? 'warning' : 'ok'
  return one(check, state, `${kind}, until ${notAfter.toISOString().slice(0, 10)}`)
}

function one(check: string, state: Finding['state'], detail: string): Finding {
  return { check, state, detail }
}
