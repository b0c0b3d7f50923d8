/**
 * Large documents sealed from file to file, each in a process of its own: time beside copying and hashing the same file,
 * and the most memory that the process ever had. B-B, and B-LTA with a trust service on loopback.
 */
import { fork } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sealPdf } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { sealPdfToLevel } from '../pdf/levels.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import { fillerDocument } from '../test/filler-document.ts'
import { startTestAuthority } from '../test/support/test-authority.ts'

const MIB = 1024 * 1024
type Work = 'copy' | 'B-B' | 'B-LTA'

interface Result {
  seconds: number
  /** MiB */
  idle: number
  peak: number
}

const [work, from, to] = process.argv.slice(2)
if (from !== undefined && to !== undefined) process.send?.(await measure(work as Work, from, to))
else await compare()

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'amtsbote-large-'))
  try {
    for (const size of [200, 500]) {
      const file = join(folder, `${size}.pdf`)
      await writeAll(file, pieces(fillerDocument(size * MIB)))
      const copy = await inOwnProcess('copy', file)
      for (const level of ['B-B', 'B-LTA'] as const) {
        const { seconds, idle, peak } = await inOwnProcess(level, file)
        const ratio = (seconds / copy.seconds).toFixed(2)
        console.log(
          `${size} MB, ${level}: ${seconds.toFixed(2)} s; copied and hashed in ${copy.seconds.toFixed(2)} s; ratio ${ratio} ` +
            `(goal 3 at most); RSS ${peak.toFixed(0)} MiB at its peak, ${(peak - idle).toFixed(0)} more than before (goal 60 at most)`,
        )
      }
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function inOwnProcess(task: Work, file: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [task, file, `${file}.out`])
    child.on('message', (result) => {
      resolve(result as Result)
    })
    child.on('exit', (code) => {
      reject(new Error(`ended with ${code ?? 'a signal'}`))
    })
  })
}

async function measure(task: Work, input: string, output: string): Promise<Result> {
  const file = await open(input)
  const { size } = await file.stat()
  const source: RandomAccess = {
    size,
    async read(position, length) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    },
  }
  const now = new Date()
  const authority = await startTestAuthority(now)
  const key = authority.sealKey()
  const idle = process.memoryUsage.rss()
  const start = performance.now()
  if (task === 'copy') {
    const hash = createHash('sha256')
    await writeAll(
      output,
      pieces(source, (bytes) => hash.update(bytes)),
    )
    hash.digest()
  } else if (task === 'B-B') {
    await writeAll(output, (await sealPdf(source, key, { signedAt: now })).bytes)
  } else {
    const { http, anchors } = authority
    const evidence = createOnline({ http, anchors, now: () => now, random: randomBytes, cache: createFetchCache() })
    const sources = { timestamps: authority.timestamps(), evidence }
    await writeAll(output, (await sealPdfToLevel(source, key, { signedAt: now }, { level: 'B-LTA', sources })).bytes)
  }
  const seconds = (performance.now() - start) / 1000
  await Promise.all([file.close(), authority.close()])
  return { seconds, idle: idle / MIB, peak: process.resourceUsage().maxRSS / 1024 }
}

async function* pieces(source: RandomAccess, see: (bytes: Buffer) => void = () => undefined): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; at += MIB / 4) {
    const bytes = await source.read(at, Math.min(MIB / 4, source.size - at))
    see(bytes)
    yield bytes
  }
}

async function writeAll(path: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'w')
  for await (const part of bytes) await file.write(part)
  await file.close()
}
