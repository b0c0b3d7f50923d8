/**
 * Start of the built program: time until /health/live answers, and the memory it holds when idle.
 *
 * First start: an empty folder, keys and database are made. Later starts: the same folder again. The peer is a Node
 * process that does nothing but answer over HTTP: what the runtime itself costs. AMTSBOTE_BENCH_ROUNDS (5), interleaved.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { interleave, print, printFigure } from './support/table.ts'

const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 5)
const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
/** The target of the first line that serves, ms, once installed and built. */
const TARGET_MS = 2_000
/** Idle is: this long after the first answer. */
const IDLE_AFTER_MS = 5_000
const GIVE_UP_AFTER_MS = 60_000
const EMPTY_SERVER = `require('node:http').createServer((_, answer) => { answer.end('ok') }).listen(Number(process.argv[1]), '127.0.0.1')`

interface Cost {
  rssMb: number[]
  /** CPU time until the first answer: unlike the time on the clock it does not grow with the load of the machine */
  cpuMs: number[]
}

if (!existsSync(PROGRAM)) throw new Error('build first: npm run bench does')

const folder = mkdtempSync(join(tmpdir(), 'amtsbote-start-'))
const later: Cost = { rssMb: [], cpuMs: [] }
const peer: Cost = { rssMb: [], cpuMs: [] }
try {
  let fresh = 0
  const first = (): Promise<number> => startOurs(join(folder, `first-${++fresh}`), null)
  await startOurs(join(folder, 'kept'), null)
  const times = await interleave(ROUNDS, {
    first,
    later: () => startOurs(join(folder, 'kept'), later),
    peer: startPeer,
  })
  print('\nStart until /health/live answers, and idle memory (built program, one process)')
  printFigure('amtsbote, first start: makes keys and database', times.first, 'ms')
  printFigure('amtsbote, later start', times.later, 'ms')
  printFigure('Node with an empty HTTP server', times.peer, 'ms')
  printFigure('amtsbote, later start, CPU time', later.cpuMs, 'ms')
  printFigure('Node with an empty HTTP server, CPU time', peer.cpuMs, 'ms')
  printFigure('amtsbote, idle RSS', later.rssMb, 'MB')
  printFigure('Node with an empty HTTP server, idle RSS', peer.rssMb, 'MB')
  const slowest = Math.max(...times.first, ...times.later)
  print(
    `  slowest start ${slowest.toFixed(0)} ms (target under ${TARGET_MS} ms, ${slowest < TARGET_MS ? 'met' : 'MISSED'})`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function startOurs(dataFolder: string, cost: Cost | null): Promise<number> {
  const port = await freePort()
  const config = `${dataFolder}.yaml`
  writeFileSync(config, `dataFolder: ${JSON.stringify(dataFolder)}\nlisten: "127.0.0.1:${port}"\n`)
  return run([PROGRAM, 'serve', '--config', config], port, '/health/live', cost)
}

async function startPeer(): Promise<number> {
  const port = await freePort()
  return run(['-e', EMPTY_SERVER, String(port)], port, '/', peer)
}

/** @returns ms from spawning to the first answer 200 */
async function run(args: string[], port: number, path: string, cost: Cost | null): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()))
  try {
    while (!(await answers(port, path))) {
      if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}: ${complaints}`)
      if (performance.now() - began > GIVE_UP_AFTER_MS) throw new Error('the program does not answer')
      await sleep(5)
    }
    const tookMs = performance.now() - began
    if (cost !== null) {
      cost.cpuMs.push(cpuMs(child))
      await sleep(IDLE_AFTER_MS)
      cost.rssMb.push(residentMb(child))
    }
    return tookMs
  } finally {
    if (child.exitCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
  }
}

function answers(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    }).on('error', () => {
      resolve(false)
    })
  })
}

/** Linux: the line VmRSS of proc(5), kB. Elsewhere it is not measured. */
function residentMb(child: ChildProcess): number {
  const status = `/proc/${child.pid ?? 0}/status`
  if (!existsSync(status)) return NaN
  return Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(status, 'utf8'))?.[1]) / 1024
}

/** Linux: utime and stime of proc(5), in ticks of 10 ms. Elsewhere it is not measured. */
function cpuMs(child: ChildProcess): number {
  const stat = `/proc/${child.pid ?? 0}/stat`
  if (!existsSync(stat)) return NaN
  const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
