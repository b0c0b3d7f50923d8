/** Starts `<name>.worker` beside the calling module in a thread of its own. */
import { Worker } from 'node:worker_threads'
import type { WorkerOptions } from 'node:worker_threads'

/**
 * From a built `.js` the thread loads its file directly. From `.ts` (tests under tsx) it first registers tsx, which
 * does not reach into threads by itself.
 *
 * @param from `import.meta.url` of the caller
 */
export function startWorker(from: string, name: string, options: WorkerOptions = {}): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.worker.js`, from), options)
  const file = JSON.stringify(new URL(`./${name}.worker.ts`, from).href)
  return new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${file}) })`, {
    ...options,
    eval: true,
  })
}
