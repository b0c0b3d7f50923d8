/**
 * A server under test and how it is loaded: the same bytes for everybody, from the same client, on the same disk.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Client, RunningServer } from './children.ts'
import { startServer } from './children.ts'
import type { LoadResult, UploadTask } from './load.worker.ts'

export interface Contender {
  name: string
  server: RunningServer
  /** what is the same in every upload to it */
  manner: Pick<UploadTask, 'protocol' | 'path' | 'headers'>
  /** CPU seconds of the server in each measured run */
  cpu: number[]
  folder: string
}

export interface Load {
  count: number
  parallel: number
  bytesEach: number
  patchBytes?: number
  protocol?: UploadTask['protocol']
}

export type Loader = Client<UploadTask, LoadResult>

/** @param base folder on the disk to be measured; AMTSBOTE_BENCH_FOLDER or the system's */
export async function benchFolder(): Promise<string> {
  return mkdtemp(join(process.env['AMTSBOTE_BENCH_FOLDER'] ?? tmpdir(), 'amtsbote-bench-'))
}

/** Starts a peer, or ours: its order names a kind. */
export async function contender(name: string, order: { kind: string; [field: string]: unknown }): Promise<Contender> {
  const folder = await benchFolder()
  const ours = order.kind === 'ours'
  const server = await startServer(ours ? './ours.worker.ts' : './peer.worker.ts', { ...order, folder })
  const { token, metadata } = server.facts
  const path = ours ? '/api/uploads' : order.kind.startsWith('tus-') ? '/files' : '/put'
  const protocol = order.kind === 'sdk' ? 'told' : path === '/put' ? 'put' : 'tus'
  const headers: Record<string, string> =
    token === undefined || metadata === undefined
      ? {}
      : { Authorization: `Bearer ${token}`, 'Upload-Metadata': metadata }
  return { name, server, folder, cpu: [], manner: { path, headers, protocol } }
}

/** Loads one server and measures; what it wrote is flushed and removed afterwards, outside of the measured time. */
export async function measure(contender: Contender, loader: Loader, load: Load): Promise<LoadResult> {
  const { server, manner, folder } = contender
  await settle()
  const before = await server.cpuSeconds()
  const { protocol = manner.protocol, patchBytes = null, ...sizes } = load
  const chosen = manner.protocol === 'tus' ? protocol : manner.protocol
  const task: UploadTask = { kind: 'upload', port: server.port, ...manner, ...sizes, protocol: chosen, patchBytes }
  const result = await loader.run(task)
  contender.cpu.push((await server.cpuSeconds()) - before)
  await clear(folder)
  return result
}

export async function retire(contenders: readonly Contender[]): Promise<void> {
  for (const { server, folder } of contenders) {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** What one contender left unwritten must not be written on the next one's time. */
async function settle(): Promise<void> {
  await promisify(execFile)('sync')
}

/** Removes what was uploaded; databases, keys and small files stay. */
async function clear(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || entry.name.includes('sqlite')) continue
    const status = await stat(path).catch(() => null)
    if (status !== null && status.size > 1_000_000) await rm(path, { force: true })
  }
}
