/**
 * Large uploads onto the filesystem store: one of 1 GiB, eight of 256 MiB at once, and memory under eight of 1 GiB.
 *
 * Against @tus/server with its own file store (which neither encrypts nor hashes), with and without one fdatasync
 * before its last answer, and against plain Node servers that only pipe. AMTSBOTE_BENCH_ROUNDS (3), interleaved.
 *
 * Nearly all of our CPU time is SHA-256, AES-256-GCM, receiving and writing. Where the processors are busy with something
 * else, the ratios therefore come near to those of CPU time; where the disk is, everybody who flushes is as fast as it.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { startClient } from './support/children.ts'
import type { Contender, Load, Loader } from './support/contender.ts'
import { contender, measure, retire } from './support/contender.ts'
import type { LoadResult, UploadTask } from './support/load.worker.ts'
import { interleave, print, printFigure, printRatio } from './support/table.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 3)

const loader: Loader = startClient<UploadTask, LoadResult>('./load.worker.ts')
const ours = await contender('amtsbote: sealed, hashed, flushed', { kind: 'ours' })
const tusFlushed = await contender('@tus/server + file store + fdatasync', { kind: 'tus-file', flush: true })
const tus = await contender('@tus/server + file store, unflushed', { kind: 'tus-file' })
const pipe64 = await contender('plain Node pipe, 64 KiB writes', { kind: 'pipe-64k' })
const pipe1m = await contender('plain Node, 1 MiB writes', { kind: 'pipe-1m' })
const pipeFlushed = await contender('plain Node, 1 MiB writes + fdatasync', { kind: 'pipe-1m', flush: true })
const all = [ours, tusFlushed, tus, pipe64, pipe1m, pipeFlushed]
try {
  printLimits()
  await warmUp(all)
  await oneLarge()
  await eightParallel()
  await memory()
} finally {
  await loader.stop()
  await retire(all)
}

async function oneLarge(): Promise<void> {
  print('\n1 GiB in one upload, filesystem store')
  const speeds = await race(all, { count: 1, parallel: 1, bytesEach: GIB })
  const [own = [], flushed = [], unflushed = [], pipe = [], mebi = [], disk = []] = speeds
  printRatio('  amtsbote to @tus/server with fdatasync', own, flushed, 1.2)
  printRatio('  amtsbote to @tus/server unflushed', own, unflushed, null)
  printRatio('  amtsbote to plain Node pipe', own, pipe, null)
  printRatio('  amtsbote to plain Node with 1 MiB writes', own, mebi, null)
  printRatio('  amtsbote to plain Node with 1 MiB writes and fdatasync', own, disk, null)
}

async function eightParallel(): Promise<void> {
  print('\n8 x 256 MiB in parallel, filesystem store')
  const load = { count: 8, parallel: 8, bytesEach: 256 * MIB }
  const [own = [], flushed = [], unflushed = [], disk = []] = await race([ours, tusFlushed, tus, pipeFlushed], load)
  printRatio('  amtsbote to @tus/server with fdatasync', own, flushed, 1.2)
  printRatio('  amtsbote to @tus/server unflushed', own, unflushed, null)
  printRatio('  amtsbote to plain Node with 1 MiB writes and fdatasync', own, disk, null)
}

async function memory(): Promise<void> {
  print('\nmemory of the server')
  printFigure('resident after the runs above', [await ours.server.residentMegabytes()], 'MB')
  await ours.server.forgetPeak()
  await measure(ours, loader, { count: 8, parallel: 8, bytesEach: GIB })
  const peak = await ours.server.peakMegabytes()
  printFigure('highest under eight parallel uploads of 1 GiB', [peak], 'MB')
  print(`  limit 300 MB: ${peak < 300 ? 'met' : 'MISSED'}`)
}

/** Speeds in MB/s of every contender, in the order given; prints them with CPU seconds per GiB. */
async function race(contenders: readonly Contender[], load: Load): Promise<number[][]> {
  const bytes = load.count * load.bytesEach
  for (const each of contenders) each.cpu = []
  const runs = contenders.map((each, index) => {
    const run = async (): Promise<number> => bytes / 1e6 / (await measure(each, loader, load)).seconds
    return [String(index).padStart(2, '0'), run] as const
  })
  const speeds = await interleave(ROUNDS, Object.fromEntries(runs))
  contenders.forEach((each, index) => {
    printFigure(each.name, Object.values(speeds)[index] ?? [], 'MB/s')
    printFigure(
      '',
      each.cpu.map((seconds) => (seconds * GIB) / bytes),
      'CPU s/GiB',
    )
  })
  return Object.values(speeds)
}

async function warmUp(contenders: readonly Contender[]): Promise<void> {
  for (const each of contenders) await measure(each, loader, { count: 2, parallel: 1, bytesEach: 64 * MIB })
}

function printLimits(): void {
  print('limits of one core')
  const chunk = randomBytes(65_536)
  const key = randomBytes(32)
  const seal = (): void => {
    const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12))
    cipher.update(chunk)
    cipher.final()
    cipher.getAuthTag()
  }
  printFigure('AES-256-GCM in chunks of 64 KiB', [rate(seal)], 'MB/s')
  const hash = createHash('sha256')
  printFigure('SHA-256', [rate(() => hash.update(chunk))], 'MB/s')

  function rate(work: () => unknown): number {
    const started = performance.now()
    for (let index = 0; index < 8192; index++) work()
    return (8192 * 65_536) / 1e3 / (performance.now() - started)
  }
}
