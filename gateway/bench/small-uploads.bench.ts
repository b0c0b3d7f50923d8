/**
 * 2,000 files of 64 KiB, eight at a time, each in one request (creation-with-upload), onto the filesystem store.
 *
 * Ours is durable before it answers: object, folder and rows flushed. The peer is @tus/server with its file store,
 * flushed (fdatasync) and as it is; beside them the limits: what the library reaches when nothing is kept, and a plain Node
 * server that pipes each request into a file and flushes it, without rows, rights or encryption. AMTSBOTE_BENCH_ROUNDS (3), interleaved.
 */
import { startClient } from './support/children.ts'
import { contender, measure, retire } from './support/contender.ts'
import type { Loader } from './support/contender.ts'
import type { LoadResult, UploadTask } from './support/load.worker.ts'
import { interleave, print, printFigure, printRatio } from './support/table.ts'

const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 3)
const LOAD = { count: 2000, parallel: 8, bytesEach: 65_536, protocol: 'tus-whole' } as const

const loader: Loader = startClient<UploadTask, LoadResult>('./load.worker.ts')
const ours = await contender('amtsbote', { kind: 'ours' })
const flushed = await contender('@tus/server + file store + fdatasync', { kind: 'tus-file', flush: true })
const library = await contender('@tus/server over a store that keeps nothing', { kind: 'tus-none' })
const plain = await contender('@tus/server + file store, unflushed', { kind: 'tus-file' })
const pipe = await contender('plain Node pipe, one flushed file each', { kind: 'pipe-64k', flush: true })
try {
  for (const each of [ours, flushed, plain, library, pipe]) await measure(each, loader, { ...LOAD, count: 300 })
  const rate = async (each: typeof ours): Promise<number> => LOAD.count / (await measure(each, loader, LOAD)).seconds
  const rates = await interleave(ROUNDS, {
    ours: () => rate(ours),
    flushed: () => rate(flushed),
    plain: () => rate(plain),
    library: () => rate(library),
    pipe: () => rate(pipe),
  })
  print('\n2,000 files of 64 KiB, eight at a time, filesystem store')
  printFigure(ours.name, rates.ours, 'files/s')
  printFigure(flushed.name, rates.flushed, 'files/s')
  printFigure(plain.name, rates.plain, 'files/s')
  printFigure(library.name, rates.library, 'files/s')
  printFigure(pipe.name, rates.pipe, 'files/s')
  printRatio('  amtsbote to @tus/server with fdatasync', rates.ours, rates.flushed, 2)
  printRatio('  amtsbote to @tus/server unflushed', rates.ours, rates.plain, 2)
  printRatio('  plain Node pipe, flushed, to @tus/server with fdatasync', rates.pipe, rates.flushed, null)
} finally {
  await loader.stop()
  await retire([ours, flushed, plain, library, pipe])
}
