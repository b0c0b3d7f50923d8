/**
 * The built program as an operator runs it: time from its start to the first answer, memory at rest, and memory under
 * eight parallel uploads of 1 GiB. AMTSBOTE_BENCH_ROUNDS (3) starts.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startClient } from '../../gateway/bench/support/children.ts'
import { benchFolder } from '../../gateway/bench/support/contender.ts'
import type { LoadResult, UploadTask } from '../../gateway/bench/support/load.worker.ts'
import { compose, systemWorld } from '../compose.ts'
import { loadConfig } from '../config.ts'
import { print, printFigure } from '../../gateway/bench/support/table.ts'

const GIB = 1024 ** 3
const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 3)
const LIMIT_MB = 300
const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

const folder = await benchFolder()
const config = join(folder, 'amtsbote.yaml')
const port = await freePort()
await writeFile(config, `dataFolder: data\nlisten: "127.0.0.1:${port}"\nlogLevel: warn\n`)
const loader = startClient<UploadTask, LoadResult>('./load.worker.ts')
let server: ChildProcess | null = null
try {
  print('\nthe built program')
  printFigure('first start, which makes keys and database', [await start()], 's')
  const starts: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await stop()
    starts.push(await start())
  }
  printFigure('start until /health/live answers', starts, 's')
  await pause(2000)
  printFigure('resident at rest', [await megabytes('VmRSS')], 'MB')
  await uploads()
} finally {
  await stop()
  await loader.stop()
  await rm(folder, { recursive: true, force: true })
}

async function uploads(): Promise<void> {
  const { room, token } = await prepare()
  const headers = {
    Authorization: `Bearer ${token}`,
    'Upload-Metadata': `room ${Buffer.from(room).toString('base64')}`,
  }
  const task = { kind: 'upload', port, protocol: 'tus', path: '/api/uploads', headers, patchBytes: null } as const
  const { seconds, bytes } = await loader.run({ ...task, count: 8, parallel: 8, bytesEach: GIB })
  const peak = await megabytes('VmHWM')
  printFigure('highest resident under eight parallel uploads of 1 GiB', [peak], 'MB')
  print(
    `  (${(bytes / 1e6 / seconds).toFixed(0)} MB/s in sum; limit ${LIMIT_MB} MB, ${peak < LIMIT_MB ? 'met' : 'MISSED'})`,
  )
}

/** A room, a person and a token, made beside the running server as the command line would. */
async function prepare(): Promise<{ room: string; token: string }> {
  const house = await compose(loadConfig(config), systemWorld('warn'))
  const { rooms, users, sessions } = house.storage
  try {
    const by = house.operator
    const room = await rooms.create({ name: 'Bench', level: 'SB2' }, by)
    const person = { email: 'bench@example.org', name: 'Bench', audience: 'staff', passwordHash: 'x' } as const
    const { id: userId } = await users.create(person, by)
    await rooms.addMember(room.id, userId, 'contributor', by)
    const expiresAt = new Date(Date.now() + 3_600_000)
    const session = { userId, kind: 'token', factors: { password: new Date() }, expiresAt } as const
    return { room: room.id, token: (await sessions.create(session, by)).token }
  } finally {
    await house.close()
  }
}

async function start(): Promise<number> {
  const started = performance.now()
  server = spawn(process.execPath, [PROGRAM, '--config', config, 'serve'], { stdio: 'ignore' })
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => null)
    if (answer?.status === 200) return (performance.now() - started) / 1000
    if (server.exitCode !== null) throw new Error(`serve ended with ${server.exitCode}`)
    await pause(5)
  }
}

async function stop(): Promise<void> {
  if (server?.exitCode !== null) return
  const gone = once(server, 'exit')
  server.kill('SIGTERM')
  await gone
}

async function megabytes(field: string): Promise<number> {
  const text = await readFile(`/proc/${server?.pid ?? 0}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)?.[1]) / 1024
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: found } = probe.address() as AddressInfo
  probe.close()
  return found
}
