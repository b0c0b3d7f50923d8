/**
 * Uploads onto S3 (Ceph RGW, memory store, on this machine): one of 1 GiB, and many of 64 KiB.
 *
 * Against @tus/server with its S3 store, and against a bare @aws-sdk multipart upload of bytes that lie in memory
 * (8 MiB parts, three in flight, no HTTP request to receive). AMTSBOTE_BENCH_ROUNDS (3), interleaved.
 */
import { readdir } from 'node:fs/promises'
import { s3Absent, s3Bucket } from '../../storage/test/support/s3-server.ts'
import { startClient, temporaryOf } from './support/children.ts'
import type { Contender, Loader } from './support/contender.ts'
import { contender, measure, retire } from './support/contender.ts'
import { emptyBucket } from './support/bucket.ts'
import type { LoadResult, UploadTask } from './support/load.worker.ts'
import { interleave, print, printFigure, printRatio } from './support/table.ts'

const GIB = 1024 ** 3
const ROUNDS = Number(process.env['AMTSBOTE_BENCH_ROUNDS'] ?? 3)
const absent = s3Absent()

if (absent === null) await bench()
else if (process.env['AMTSBOTE_REQUIRE_SERVICES'] === '1') throw new Error(absent)
else print(`\nuploads onto S3: not run, ${absent}`)

async function bench(): Promise<void> {
  const s3 = await s3Bucket()
  const loader: Loader = startClient<UploadTask, LoadResult>('./load.worker.ts')
  const ours = await contender('amtsbote', { kind: 'ours', s3 })
  const tus = await contender('@tus/server + S3 store', { kind: 'tus-s3', s3 })
  const bare = await contender('bare @aws-sdk multipart from memory', { kind: 'sdk', s3 })
  const all = [ours, tus, bare]
  const run = async (each: Contender, load: Parameters<typeof measure>[2]): Promise<number> => {
    const { seconds } = await measure(each, loader, load)
    await emptyBucket(s3)
    return load.count / seconds
  }
  try {
    for (const each of all) await run(each, { count: 2, parallel: 1, bytesEach: GIB / 16 })
    for (const each of all) each.cpu = []
    const one = { count: 1, parallel: 1, bytesEach: GIB }
    const large = await interleave(ROUNDS, {
      ours: () => run(ours, one),
      tus: () => run(tus, one),
      bare: () => run(bare, one),
    })
    print('\n1 GiB in one upload onto S3')
    for (const [each, speeds] of [
      [ours, large.ours],
      [tus, large.tus],
      [bare, large.bare],
    ] as const) {
      printFigure(
        each.name,
        speeds.map((perSecond) => (perSecond * GIB) / 1e6),
        'MB/s',
      )
      printFigure('', each.cpu, 'CPU s/GiB')
    }
    printRatio('  amtsbote to @tus/server + S3 store', large.ours, large.tus, 1.5)
    printRatio('  amtsbote to the bare SDK', large.ours, large.bare, 0.9)
    print(`  temporary files of amtsbote: ${await temporaryFiles(ours)}`)

    const small = { parallel: 8, bytesEach: 65_536, protocol: 'tus-whole' } as const
    const many = await interleave(ROUNDS, {
      ours: () => run(ours, { ...small, count: 2000 }),
      // at 20 a second 2,000 would take minutes; a rate is a rate
      tus: () => run(tus, { ...small, count: 100 }),
    })
    print('\nfiles of 64 KiB onto S3, eight at a time (2,000; 100 for the slow peer)')
    printFigure(ours.name, many.ours, 'files/s')
    printFigure(tus.name, many.tus, 'files/s')
    printRatio('  amtsbote to @tus/server + S3 store', many.ours, many.tus, 5)

    await ours.server.forgetPeak()
    await run(ours, { count: 8, parallel: 8, bytesEach: GIB / 2 })
    const peak = await ours.server.peakMegabytes()
    print('\nmemory of the server')
    printFigure('highest under eight parallel uploads of 512 MiB onto S3', [peak], 'MB')
    print(`  limit 300 MB: ${peak < 300 ? 'met' : 'MISSED'}`)
  } finally {
    await loader.stop()
    await retire(all)
  }
  process.exit() // the S3 server ends with this process
}

/** What the loader of TypeScript keeps there is not the program's. */
async function temporaryFiles({ folder }: Contender): Promise<number> {
  return (await readdir(temporaryOf(folder))).filter((name) => !name.startsWith('tsx-')).length
}
