/**
 * Facts about a PDF of 200 MB with three signed revisions, beside reading and hashing the same file once.
 *
 * Goals: below 3 s and below 300 MB of memory for the whole process.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sealPdf } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import { fillerDocument } from '../test/filler-document.ts'
import { NOW, trialKey } from '../test/trial-key.ts'

const MB = 1_000_000
const ROUNDS = 3
const STEP = 256 * 1024

const folder = await mkdtemp(join(tmpdir(), 'pdf-facts-'))
try {
  const { signing } = await trialKey()
  let source: RandomAccess = fillerDocument(200 * MB)
  const files = []
  for (let revision = 1; revision <= 3; revision++) {
    const path = join(folder, `${revision}.pdf`)
    await pipeline((await sealPdf(source, signing, { signedAt: NOW })).bytes, createWriteStream(path))
    const file = await openFile(path)
    files.push(file)
    source = file
  }
  const facts: number[] = []
  const plain: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await seconds(() => readAndHash(source)))
    facts.push(await seconds(() => checkFacts(source)))
  }
  const [own, bare] = [Math.min(...facts), Math.min(...plain)]
  const peak = (process.resourceUsage().maxRSS * 1024) / MB
  console.log(
    `facts of ${(source.size / MB).toFixed(0)} MB with 3 revisions: ${own.toFixed(2)} s (goal 3), ` +
      `read and hashed once ${bare.toFixed(2)} s, ratio ${(own / bare).toFixed(2)}, peak ${peak.toFixed(0)} MB (goal 300)`,
  )
  if (own > 3 || peak > 300) process.exitCode = 1
  for (const file of files) await file.close()
} finally {
  await rm(folder, { recursive: true })
}

async function checkFacts(source: RandomAccess): Promise<void> {
  const { signatures } = await readPdfFacts(source)
  if (signatures.length !== 3 || signatures.some(({ faults }) => faults.length > 0)) throw new Error('wrong facts')
}

async function readAndHash(source: RandomAccess): Promise<void> {
  const hash = createHash('sha256')
  for (let at = 0; at < source.size; at += STEP) hash.update(await source.read(at, Math.min(STEP, source.size - at)))
  hash.digest()
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

async function openFile(path: string): Promise<RandomAccess & { close: () => Promise<void> }> {
  const handle = await open(path)
  const { size } = await handle.stat()
  return {
    size,
    close: () => handle.close(),
    async read(position, length) {
      const { buffer } = await handle.read({ buffer: Buffer.allocUnsafe(length), position })
      return buffer
    },
  }
}
