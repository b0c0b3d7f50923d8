/**
 * The rate of a token without this program: C_SignInit and C_Sign in a loop, one thread for each session.
 *
 * A small program in C (token-loop.c), as any consumer of the token would be; where there is no C compiler, the same loop
 * over koffi in threads of this process.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TokenPlace } from '../../keys/pkcs11/session.ts'
import { startWorker } from '../../start-worker.ts'

export interface TokenRate {
  /** signatures per second of all sessions */
  perSecond: number
  /** CPU of one signature, all threads */
  cpuMs: number
}

export interface TokenLoops {
  /** who asks the token */
  name: string
  run(ms: number): Promise<TokenRate>
  end(): Promise<unknown>
}

/** What the threads of the second way are given. */
export interface LoopData {
  place: TokenPlace
  family: 'rsa' | 'ec'
}

/** @param place with the label of the key, in the only token */
export async function startTokenLoops(
  place: TokenPlace,
  family: LoopData['family'],
  sessions: number,
): Promise<TokenLoops> {
  const folder = mkdtempSync(join(tmpdir(), 'amtsbote-token-loop-'))
  const program = join(folder, 'token-loop')
  const source = fileURLToPath(new URL('./token-loop.c', import.meta.url))
  const { status } = spawnSync('cc', ['-O2', '-pthread', '-o', program, source, '-ldl'])
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', remove)
  return status === 0 ? inC(program, place, family, sessions) : inThreads({ place, family }, sessions)
}

async function inC(program: string, place: TokenPlace, family: string, sessions: number): Promise<TokenLoops> {
  const words = [place.module, place.pin, place.keyLabel ?? '', family, String(sessions)]
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  let failed: (reason: Error) => void = () => undefined
  child.once('exit', () => {
    failed(new Error('the program that asks the token ended'))
  })
  const next = (): Promise<string> =>
    new Promise((resolve, reject) => {
      failed = reject
      lines.once('line', resolve)
    })
  await next()
  return {
    name: 'a program in C',
    run: async (ms) => {
      child.stdin.write(`${ms}\n`)
      const [done = 0, took = 1, cpu = 0] = (await next()).split(' ').map(Number)
      return { perSecond: (done * 1000) / took, cpuMs: cpu / done }
    },
    end: () => {
      child.stdin.end()
      return new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

async function inThreads(workerData: LoopData, sessions: number): Promise<TokenLoops> {
  const workers = Array.from({ length: sessions }, () => startWorker(import.meta.url, 'token-loop', { workerData }))
  const answers = (): Promise<number[]> =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve, reject) => {
            worker.once('message', resolve).once('error', reject)
          }),
      ),
    )
  await answers()
  return {
    name: 'koffi alone',
    run: async (ms) => {
      const start = performance.now()
      const before = process.cpuUsage()
      for (const worker of workers) worker.postMessage(ms)
      const done = (await answers()).reduce((sum, one) => sum + one)
      const { user, system } = process.cpuUsage(before)
      return { perSecond: (done * 1000) / (performance.now() - start), cpuMs: (user + system) / 1000 / done }
    },
    end: () => Promise.all(workers.map((worker) => worker.terminate())),
  }
}
