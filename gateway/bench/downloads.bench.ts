/**
 * Downloads from the filesystem store: 1 GiB, decrypted, against a plain Node file server; and 1 MiB out of the middle
 * of 5 GiB against the same out of 10 MiB. AMTSBOTE_BENCH_ROUNDS (3), interleaved.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startClient } from './support/children.ts'
import type { Contender } from './support/contender.ts'
import { contender, retire } from './support/contender.ts'
import type { DownloadTask, LoadResult, UploadTask } from './support/load.worker.ts'
import { interleave, median, print, printFigure, printRatio } from './support/table.ts'

const MIB = 1024 ** 2
const GIB = 1024 ** 3
const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 3)
const RANGES = 20

const loader = startClient<UploadTask | DownloadTask, LoadResult>('./load.worker.ts')
const ours = await contender('amtsbote: opened, every chunk checked', { kind: 'ours' })
const plain = await contender('plain Node file server', { kind: 'files' })
const authorization = { Authorization: `Bearer ${ours.server.facts['token'] ?? ''}` }
try {
  await whole()
  await ranges()
} finally {
  await loader.stop()
  await retire([ours, plain])
}

async function whole(): Promise<void> {
  const path = await upload(GIB)
  const filler = Buffer.alloc(64 * MIB, 'x')
  await writeFile(
    join(plain.folder, '_1g'),
    Array.from({ length: 16 }, () => filler),
  )
  const speed = async (each: Contender, at: string, headers: Record<string, string>): Promise<number> => {
    const before = await each.server.cpuSeconds()
    const task = { kind: 'download', port: each.server.port, path: at, headers, count: 1 } as const
    const { bytes, seconds } = await loader.run(task)
    if (bytes !== GIB) throw new Error(`${each.name} sent ${bytes} bytes`)
    each.cpu.push((await each.server.cpuSeconds()) - before)
    return bytes / 1e6 / seconds
  }
  await speed(ours, path, authorization)
  await speed(plain, '/1g', {})
  ours.cpu = []
  plain.cpu = []
  const speeds = await interleave(ROUNDS, {
    ours: () => speed(ours, path, authorization),
    plain: () => speed(plain, '/1g', {}),
  })
  print('\ndownload of 1 GiB')
  printFigure(ours.name, speeds.ours, 'MB/s')
  printFigure('', ours.cpu, 'CPU s/GiB')
  printFigure(plain.name, speeds.plain, 'MB/s')
  printFigure('', plain.cpu, 'CPU s/GiB')
  printRatio('  amtsbote to a plain Node file server', speeds.ours, speeds.plain, 0.8)
}

async function ranges(): Promise<void> {
  const [large, small] = [await upload(5 * GIB), await upload(10 * MIB)]
  const fetchAll = async (path: string, start: number): Promise<number> => {
    const headers = { ...authorization, Range: `bytes=${start}-${start + MIB - 1}` }
    const task = { kind: 'download', port: ours.server.port, path, headers, count: RANGES } as const
    return median((await loader.run(task)).each) * 1000
  }
  const times = await interleave(ROUNDS, {
    large: () => fetchAll(large, 3 * GIB + 12_345),
    small: () => fetchAll(small, 3 * MIB + 12_345),
  })
  print('\n1 MiB out of the middle')
  printFigure('of 5 GiB', times.large, 'ms')
  printFigure('of 10 MiB', times.small, 'ms')
  const more = median(times.large) - median(times.small)
  print(`  difference: ${more.toFixed(2)} ms (limit 20 ms, ${more <= 20 ? 'met' : 'MISSED'})`)
}

/** Uploads random bytes and returns the address of the file's content. */
async function upload(bytesEach: number): Promise<string> {
  const task = { kind: 'upload', port: ours.server.port, ...ours.manner, count: 1, parallel: 1, bytesEach } as const
  await loader.run({ ...task, patchBytes: null })
  const base = `http://127.0.0.1:${ours.server.port}`
  const listing = await fetch(`${base}/api/rooms/${ours.server.facts['room'] ?? ''}/files`, { headers: authorization })
  const { items } = (await listing.json()) as { items: { id: string; size: number }[] }
  const file = items.find(({ size }) => size === bytesEach)
  if (file === undefined) throw new Error(`no file of ${bytesEach} bytes among ${JSON.stringify(items)}`)
  return `/api/files/${file.id}/content`
}
