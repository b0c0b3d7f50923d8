/** The command line as processes of its own: for what has to be killed, or to run beside another. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

const REPOSITORY = path.resolve(import.meta.dirname, '..', '..', '..')

export interface CliProcess {
  child: ChildProcess
  out: () => string
  err: () => string
  /** resolves with the text of the first match on standard output; rejects when the process ends before */
  says: (pattern: RegExp) => Promise<string>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  kill: (signal: NodeJS.Signals) => Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function startCli(args: readonly string[]): CliProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(REPOSITORY, 'cli', 'main.ts'), ...args], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const says = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(out)
        if (found) resolve(found[1] ?? found[0])
      }
      child.stdout.on('data', look)
      void ended.then(() => {
        reject(new Error(`ended without saying ${String(pattern)}: ${err}`))
      })
      look()
    })
  return {
    child,
    out: () => out,
    err: () => err,
    says,
    ended,
    kill: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** Waits until `holds` says yes; looks often, because some moments are short. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1))
}
