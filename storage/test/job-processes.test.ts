import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { bullmqQueue } from '../jobs/bullmq-queue.ts'
import { openDatabase } from '../metadata/database.ts'
import type { DatabaseConfig } from '../metadata/database.ts'
import { jobDesk, memoryLog } from './support/job-desk.ts'
import type { JobDesk } from './support/job-desk.ts'
import type { JobProcessConfig } from './support/job-process.worker.ts'
import { describeWithPostgresql, sharedPostgresql, startPostgresql } from './support/postgresql-server.ts'
import { describeWithRedis, sharedRedis } from './support/redis-server.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { settle, until } from './support/until.ts'

const PROGRAM = fileURLToPath(new URL('./support/job-process.worker.ts', import.meta.url))
/** `npm run prove` takes the full number. */
const TOTAL = process.env['AMTSBOTE_PROVE'] === '1' ? 1_000 : 250
const clock = Object.assign(() => new Date(), { turn: () => undefined })

interface JobProcess {
  child: ChildProcess
  /** `subject attempt` of every run it began */
  runs: string[]
}

async function startProcess(config: JobProcessConfig): Promise<JobProcess> {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  // coverage of a process that loads the same files as other code would spoil that of this one
  const env = { ...process.env, NODE_V8_COVERAGE: '' }
  const child = spawn(process.execPath, ['--import=tsx', PROGRAM, JSON.stringify(config)], { stdio: [...stdio], env })
  const runs: string[] = []
  let isReady = false
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') isReady = true
    else runs.push(line)
  })
  await until(() => isReady || child.exitCode !== null)
  assert.equal(child.exitCode, null)
  return { child, runs }
}

async function endProcess({ child }: JobProcess): Promise<number | null> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = (await gone) as [number | null]
  return code
}

/** Waits until no job is left. */
async function worked(desk: JobDesk): Promise<void> {
  while ((await desk.jobs.list({ limit: 1 })).items.length > 0) await settle(30)
}

const subjects = (runs: string[]): string[] => runs.map((run) => run.split(' ')[0] ?? '')
const names = (total: number): string[] => Array.from({ length: total }, (_, i) => `c${i}`)

function twoProcesses(database: () => Promise<DatabaseConfig>, redis: () => Promise<JobProcessConfig['redis']>): void {
  const limits = { leaseMs: 60_000, sweepMs: 200, concurrency: 4, workMs: 5 }

  it(`share ${TOTAL} jobs and do each once`, async () => {
    const config = { database: await database(), redis: await redis(), ...limits }
    const own = await openDatabase(config.database, memoryLog())
    const desk = jobDesk(own, clock)
    const queue = config.redis === null ? null : bullmqQueue(config.redis, { clock, log: memoryLog() })
    const processes = await Promise.all([startProcess(config), startProcess(config)])
    await desk.within(async (jobs) => {
      for (const subject of names(TOTAL)) await jobs.add({ kind: 'erase', subject })
    })
    for (const { id, at } of desk.wakes) queue?.wake(id, at)
    await worked(desk)
    const codes = await Promise.all(processes.map(endProcess))
    assert.deepEqual(codes, [0, 0])
    assert.deepEqual(subjects(processes.flatMap(({ runs }) => runs)).toSorted(), names(TOTAL).toSorted())
    for (const { runs } of processes) assert(runs.length >= TOTAL / 10, `one process did ${runs.length}`)
    await queue?.stop()
    await own.close()
  })

  it('lose nothing when one of them is killed: the other takes over what it held, once its lease is over', async () => {
    const config = { database: await database(), redis: await redis(), ...limits, leaseMs: 1_500 }
    const own = await openDatabase(config.database, memoryLog())
    const desk = jobDesk(own, clock)
    const [victim, heir] = await Promise.all([startProcess(config), startProcess(config)])
    await desk.within(async (jobs) => {
      for (const subject of names(120)) await jobs.add({ kind: 'erase', subject })
    })
    await until(() => victim.runs.length >= 20)
    const gone = once(victim.child, 'exit')
    victim.child.kill('SIGKILL')
    await gone
    await worked(desk)
    assert.equal(await endProcess(heir), 0)
    const runs = [...victim.runs, ...heir.runs]
    assert.deepEqual([...new Set(subjects(runs))].toSorted(), names(120).toSorted())
    const repeated = runs.filter((run) => !run.endsWith(' 1'))
    assert(repeated.length <= limits.concurrency, `${repeated.length} were run again`)
    assert.equal(new Set(runs).size, runs.length, 'no claim was run twice')
    await own.close()
  })
}

describe('two worker processes on one SQLite file', function () {
  this.timeout(60_000)
  twoProcesses(
    () => Promise.resolve({ kind: 'sqlite', path: join(temporaryFolder(), 'jobs.sqlite') }),
    () => Promise.resolve(null),
  )
})

describeWithPostgresql('two worker processes on PostgreSQL', () => {
  describeWithRedis('and Redis', function () {
    this.timeout(60_000)
    twoProcesses(
      async () => ({ kind: 'postgresql', url: await (await sharedPostgresql()).createDatabase() }),
      async () => ({ url: (await sharedRedis()).url, prefix: randomUUID() }),
    )
  })

  it('work on when PostgreSQL vanishes in the middle and comes back, and lose nothing', async function () {
    this.timeout(60_000)
    const server = await startPostgresql()
    const database = { kind: 'postgresql', url: await server.createDatabase() } as const
    const config = { database, redis: null, leaseMs: 4_000, sweepMs: 200, concurrency: 4, workMs: 5 }
    const own = await openDatabase(database, memoryLog())
    const desk = jobDesk(own, clock)
    const processes = await Promise.all([startProcess(config), startProcess(config)])
    await desk.within(async (jobs) => {
      for (const subject of names(200)) await jobs.add({ kind: 'erase', subject })
    })
    for (const most of [40, 100]) {
      await until(() => processes.flatMap(({ runs }) => runs).length >= most)
      await server.stop()
      await settle(300)
      await server.start()
    }
    await worked(desk)
    assert.deepEqual(await Promise.all(processes.map(endProcess)), [0, 0])
    const runs = processes.flatMap((each) => each.runs)
    assert.deepEqual([...new Set(subjects(runs))].toSorted(), names(200).toSorted())
    assert.equal(new Set(runs).size, runs.length, 'no claim was run twice')
    // what ran when the server went may be run again; nothing else
    assert(runs.length - 200 <= 2 * 2 * config.concurrency, `${runs.length - 200} were run again`)
    await own.close()
    await server.stop()
  })
})
