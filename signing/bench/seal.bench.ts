/**
 * Seals per second beside the limit: RSA-3072 signatures of the same key with nothing around them.
 *
 * One-page PDF in memory, PAdES B-B. In batches, as the batch job seals, with the whole process on one core and then on
 * all; alone, where somebody waits for each, and eight at once. Then a document of 200 MB beside reading and hashing it.
 * Measures the built program.
 */
import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import type * as Signing from '../index.ts'
import type { RandomAccess, SigningKey } from '../index.ts'
import type * as Pkcs12 from '../keys/pkcs12.ts'
import { buildPdf, onePage } from '../test/build-pdf.ts'
import { fillerDocument } from '../test/filler-document.ts'
import { alternating } from './support/alternating.ts'
import { built } from './support/built.ts'

const { bufferAccess, makeTrialIdentity, openPkcs12, sealMany, sealPdf } =
  await built<typeof Signing>('signing/index.js')
const { readPkcs12 } = await built<typeof Pkcs12>('signing/keys/pkcs12.js')

const PASSPHRASE = 'nur zum Messen'
/** as the batch job takes them (gateway/seal-batch.ts) */
const PORTION = 50
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

const pages = Array.from({ length: PORTION }, () => page)

// a server is warm: the compiler has seen the code
const noKey: SigningKey = { ...signing, sign: (messages) => Promise.resolve(messages.map(() => Buffer.alloc(384))) }
for (let round = 0; round < 3000; round++) await sealed(page, noKey)
for (let round = 0; round < 3000 / PORTION; round++) await sealedBatch(noKey)

const cores = `0-${availableParallelism() - 1}`
pinTo('0')
await compare('in batches, one core', { lanes: 1, size: PORTION })
pinTo(cores)
// while one batch is signed, another is laid out
await compare('in batches, all cores', { lanes: 2, size: PORTION })
await compare('8 at once, all cores', { lanes: 8, size: 1 })
await compare('one at a time', { lanes: 1, size: 1 })

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

/** `size`: documents in a batch; 1: without one. */
async function compare(label: string, { lanes, size }: { lanes: number; size: number }): Promise<void> {
  const signOne = (): Promise<Buffer> => signAsync('sha256', message, bare)
  const [raw, seal] = await alternating(
    lanes,
    size === 1 ? signOne : () => Promise.all(pages.map(signOne)),
    size === 1 ? () => sealed(page, signing) : () => sealedBatch(signing),
    size === 1 ? undefined : 1000,
  )
  console.log(
    `PAdES B-B, one page, RSA-3072, ${label}: ${(seal.perSecond * size).toFixed(0)}/s; bare signatures ${(raw.perSecond * size).toFixed(0)}/s; ratio ${(seal.perSecond / raw.perSecond).toFixed(2)} (goal 0.90); CPU ${(seal.cpuMs / size).toFixed(2)} and ${(raw.cpuMs / size).toFixed(2)} ms`,
  )
}

/** All threads of this process; threads to come inherit it. Linux. */
function pinTo(list: string): void {
  const { status } = spawnSync('taskset', ['-a', '-p', '-c', list, String(process.pid)])
  if (status !== 0) console.log('taskset is missing: the process was not bound to a core')
}

async function sealedBatch(key: SigningKey): Promise<void> {
  for (const outcome of await sealMany(pages, key, { signedAt: now })) {
    if (outcome.kind === 'refused') throw outcome.error
    await consume(outcome.sealed.bytes, page.size)
  }
}

async function sealed(source: RandomAccess, key: SigningKey): Promise<void> {
  await consume((await sealPdf(source, key, { signedAt: now })).bytes, source.size)
}

async function consume(bytes: AsyncIterable<Buffer>, before: number): Promise<void> {
  let size = 0
  for await (const part of bytes) size += part.length
  if (size <= before) throw new Error('nothing was added')
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
