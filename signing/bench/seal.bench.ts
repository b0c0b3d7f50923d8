/**
 * Seals per second beside the limit: RSA-3072 signatures of the same key with nothing around them.
 *
 * One-page PDF in memory, PAdES B-B; first one after the other (one core signs), then eight at once (all cores do). Then
 * a document of 200 MB beside reading and hashing it. Measures the built program.
 */
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type * as Signing from '../index.ts'
import type { RandomAccess, SigningKey } from '../index.ts'
import type * as Pkcs12 from '../keys/pkcs12.ts'
import { buildPdf, onePage } from '../test/build-pdf.ts'
import { fillerDocument } from '../test/filler-document.ts'
import { alternating } from './support/alternating.ts'
import { built } from './support/built.ts'

const { bufferAccess, makeTrialIdentity, openPkcs12, sealPdf } = await built<typeof Signing>('signing/index.js')
const { readPkcs12 } = await built<typeof Pkcs12>('signing/keys/pkcs12.js')

const PASSPHRASE = 'nur zum Messen'
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

// a server is warm: the compiler has seen the code
const noKey: SigningKey = { ...signing, sign: (messages) => Promise.resolve(messages.map(() => Buffer.alloc(384))) }
for (let round = 0; round < 3000; round++) await sealed(page, noKey)

for (const lanes of [1, 8]) {
  const [raw, seal] = await alternating(
    lanes,
    () => signAsync('sha256', message, bare),
    () => sealed(page, signing),
  )
  const label = lanes === 1 ? 'one at a time' : `${lanes} at once`
  console.log(
    `PAdES B-B, one page, RSA-3072, ${label}: ${seal.perSecond.toFixed(0)}/s; bare signatures ${raw.perSecond.toFixed(0)}/s; ratio ${(seal.perSecond / raw.perSecond).toFixed(2)} (goal 0.90); CPU ${seal.cpuMs.toFixed(2)} and ${raw.cpuMs.toFixed(2)} ms`,
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

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
