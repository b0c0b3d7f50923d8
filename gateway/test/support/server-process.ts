/** Upload servers in child processes: started ahead, handed their stores when needed, killed without warning. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { StoresOrder } from './upload-stores.ts'

export interface ServerProcess {
  port: number
  /** kill -9; resolves when the process is gone */
  kill(): Promise<void>
}

/** Keeps one spare process started, because starting one costs most of a second. */
export class ServerProcesses {
  #spare: Promise<ChildProcess> | null = null
  readonly #running = new Set<ChildProcess>()

  async start(order: StoresOrder): Promise<ServerProcess> {
    const child = await (this.#spare ?? this.#fork())
    this.#spare = this.#fork()
    child.send(order)
    const [answer] = (await once(child, 'message')) as [{ port?: number; error?: string }]
    if (answer.port === undefined) throw new Error(answer.error)
    return { port: answer.port, kill: () => kill(child) }
  }

  async close(): Promise<void> {
    await this.#spare?.catch(() => undefined)
    await Promise.all([...this.#running].map(kill))
  }

  async #fork(): Promise<ChildProcess> {
    const child = fork(new URL('./upload-server.worker.ts', import.meta.url), {
      execArgv: ['--import=tsx'],
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    await once(child, 'message')
    return child
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
