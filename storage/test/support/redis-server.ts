/**
 * A Redis server of our own for tests: on a free port of 127.0.0.1, without persistence, in a temporary folder.
 *
 * `sharedRedis` is one server for the whole mocha process; tests that stop their server take `startRedis`.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PROGRAM = 'redis-server'

export interface RedisServer {
  readonly url: string
  /** Sends one command without arguments, e.g. FLUSHALL, and returns the first line of the answer. */
  command(name: string): Promise<string>
  /** Ends the server without notice. */
  stop(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
}

/** Runs `body` where redis-server is installed; else says so, and fails where services are required. */
export function describeWithRedis(title: string, body: (this: Mocha.Suite) => void): void {
  if (spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0) describe(title, body)
  else if (process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1')
    describe(title, () => {
      it('needs redis-server', () => {
        throw new Error('redis-server is not installed')
      })
    })
  else console.log(`  not run: ${title}: redis-server is not installed`)
}

let shared: Promise<RedisServer> | undefined

export function sharedRedis(): Promise<RedisServer> {
  shared ??= startRedis()
  return shared
}

export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'amtsbote-redis-'))
  const port = await freePort()
  let server: ChildProcess | undefined
  process.on('exit', () => {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(): Promise<void> {
    const options = [
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      '--loglevel',
      'warning',
    ]
    server = spawn(PROGRAM, ['--port', String(port), ...options], { stdio: 'ignore' })
    server.unref()
    for (let tries = 0; tries < 200; tries++) {
      const answer = await ask(port, 'PING').catch(() => '')
      if (answer === '+PONG') return
      await sleep(20)
    }
    throw new Error('redis-server did not start')
  }

  await start()
  return {
    url: `redis://127.0.0.1:${port}/0`,
    command: (name) => ask(port, name),
    async stop() {
      if (server?.exitCode !== null) return
      const gone = once(server, 'exit')
      server.ref()
      server.kill('SIGKILL')
      await gone
    },
    start,
  }
}

async function ask(port: number, command: string): Promise<string> {
  const socket = createConnection({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    socket.write(`${command}\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return answer.toString('latin1').split('\r\n')[0] ?? ''
  } finally {
    socket.destroy()
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
