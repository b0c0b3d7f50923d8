/**
 * Child processes of the benches: servers and the client that loads them. Each runs alone in its process, all from the
 * same TypeScript loader, so that nobody is compiled differently.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { join } from 'node:path'

/** What a server child is asked to be; the rest of the fields are its own. */
export interface ServerOrder {
  kind: string
  folder: string
  [field: string]: unknown
}

/** A server child, listening. */
export interface RunningServer {
  port: number
  /** whatever the server says beside its port, such as a token */
  facts: Record<string, string>
  /** CPU seconds that the process has used, user and system, all threads */
  cpuSeconds(): Promise<number>
  /** highest resident set since the last `forgetPeak`, in MB */
  peakMegabytes(): Promise<number>
  residentMegabytes(): Promise<number>
  forgetPeak(): Promise<void>
  stop(): Promise<void>
}

/** Starts `module` (a *.worker.ts beside this file) with `order` and waits until it listens. */
export async function startServer(module: string, order: ServerOrder): Promise<RunningServer> {
  const temporary = temporaryOf(order.folder)
  await mkdir(temporary, { recursive: true })
  const child = start(module, { TMPDIR: temporary })
  child.send(order)
  const { port, ...facts } = (await answer(child)) as { port: number } & Record<string, string>
  const status = async (field: string): Promise<number> => {
    const text = await readFile(`/proc/${child.pid}/status`, 'utf8')
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(text)?.[1]) / 1024
  }
  return {
    port,
    facts,
    cpuSeconds: async () => {
      const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100 // utime, stime in clock ticks of 10 ms
    },
    peakMegabytes: () => status('VmHWM'),
    residentMegabytes: () => status('VmRSS'),
    forgetPeak: () => writeFile(`/proc/${child.pid}/clear_refs`, '5'),
    stop: () => stop(child),
  }
}

/** The loading client, kept for the whole bench so that its start and warm-up are nobody's time. */
export interface Client<Task, Result> {
  run(task: Task): Promise<Result>
  stop(): Promise<void>
}

export function startClient<Task extends object, Result>(module: string): Client<Task, Result> {
  const child = start(module)
  return {
    run: async (task) => {
      child.send(task)
      return (await answer(child)) as Result
    },
    stop: () => stop(child),
  }
}

/** Where a server with this folder puts its temporary files; nobody else does. */
export function temporaryOf(folder: string): string {
  return join(folder, 'temporary')
}

function start(module: string, env: Record<string, string> = {}): ChildProcess {
  return fork(new URL(module, import.meta.url), {
    execArgv: ['--import=tsx'],
    serialization: 'advanced',
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
  })
}

async function answer(child: ChildProcess): Promise<unknown> {
  const gone = new AbortController()
  const death = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
    throw new Error(`a child process ended with ${String(code)}`)
  })
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: gone.signal }), death])) as [
      { error?: string },
    ]
    if (message.error !== undefined) throw new Error(message.error)
    return message
  } finally {
    gone.abort()
    death.catch(() => undefined)
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
