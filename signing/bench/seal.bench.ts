/**
 * Seals per second beside the limit: RSA-3072 signatures of the same key with nothing around them.
 *
 * One-page PDF in memory, PAdES B-B; first one after the other (one core signs), then eight at once (all cores do). Then
 * a document of 200 MB beside reading and hashing it.
 */
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { bufferAccess, makeTrialIdentity, openPkcs12, sealPdf } from '../index.ts'
import type { RandomAccess, SigningKey } from '../index.ts'
import { readPkcs12 } from '../keys/pkcs12.ts'
import { buildPdf, onePage } from '../test/build-pdf.ts'
import { fillerDocument } from '../test/filler-document.ts'

const PASSPHRASE = 'nur zum Messen'
const SECONDS = 3
const now = new Date()

const identity = await makeTrialIdentity({
  commonName: 'Messung',
  organisation: 'Messung',
  usage: 'seal',
  passphrase: PASSPHRASE,
  now,
  random: randomBytes,
})
const { signing } = await openPkcs12(identity.pkcs12, PASSPHRASE)
const { privateKey } = await readPkcs12(identity.pkcs12, PASSPHRASE)
const bare = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
const message = randomBytes(200)
const signAsync = promisify<string, Buffer, typeof bare, Buffer>(sign)
const page = bufferAccess(buildPdf({ objects: onePage() }))

for (const lanes of [1, 8]) {
  // in turns, so that a slow minute of the machine hits both
  const rates = { raw: [] as number[], seal: [] as number[] }
  for (let round = 0; round < 3; round++) {
    rates.raw.push(await rate(lanes, () => signAsync('sha256', message, bare)))
    rates.seal.push(await rate(lanes, () => sealed(page, signing)))
  }
  const [raw, seal] = [median(rates.raw), median(rates.seal)]
  const label = lanes === 1 ? 'one at a time' : `${lanes} at once`
  console.log(
    `PAdES B-B, one page, RSA-3072, ${label}: ${seal.toFixed(0)}/s; bare signatures ${raw.toFixed(0)}/s; ratio ${(seal / raw).toFixed(2)} (goal 0.90)`,
  )
}

const large = fillerDocument(200 * 1024 * 1024)
const hashed = await seconds(async () => {
  const hash = createHash('sha256')
  for (let at = 0; at < large.size; at += 1 << 18) hash.update(await large.read(at, Math.min(1 << 18, large.size - at)))
  hash.digest()
})
const before = process.memoryUsage().rss
let peak = 0
const sealing = await seconds(async () => {
  const { bytes } = await sealPdf(large, signing, { signedAt: now })
  for await (const part of bytes) if (part.length > 0) peak = Math.max(peak, process.memoryUsage.rss())
})
console.log(
  `200 MB: sealed in ${sealing.toFixed(2)} s, read and hashed in ${hashed.toFixed(2)} s; ratio ${(sealing / hashed).toFixed(2)} (goal 3 at most); RSS +${((peak - before) / 2 ** 20).toFixed(0)} MiB, ${(peak / 2 ** 20).toFixed(0)} MiB in all`,
)

async function sealed(source: RandomAccess, key: SigningKey): Promise<void> {
  const { bytes } = await sealPdf(source, key, { signedAt: now })
  let size = 0
  for await (const part of bytes) size += part.length
  if (size <= source.size) throw new Error('nothing was added')
}

/** Operations a second with so many going on at once. */
async function rate(lanes: number, work: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + (SECONDS * 1000) / 3
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() < end; done++) await work()
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  return (done * 1000) / (performance.now() - start)
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
