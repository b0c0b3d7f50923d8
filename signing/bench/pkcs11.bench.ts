/**
 * Signatures per second through the PKCS#11 adapter beside the rate of the token itself, asked by a program that has
 * nothing of this one (support/token-loop.c). SoftHSM2 with RSA-3072 and P-256, in portions as batches come. Then what the
 * event loop feels, in turns of its own: the timer that measures it takes part of a core.
 */
import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type * as Adapter from '../keys/pkcs11.ts'
import type { KeyAlgorithm } from '../keys/key-algorithm.ts'
import { createTokenKey, storeTokenCertificate } from '../keys/pkcs11/token-keys.ts'
import { certify, tokenPlace } from '../test/support/softhsm.ts'
import { median } from './support/alternating.ts'
import { built } from './support/built.ts'
import { startTokenLoops } from './support/token-loops.ts'
import type { TokenRate } from './support/token-loops.ts'

const { openPkcs11Key } = await built<typeof Adapter>('signing/keys/pkcs11.js')
const SESSIONS = 2
const TURN_MS = 500
const TURNS = 8
/** a batch job hands over a portion of so many documents at once (gateway/seal-batch.ts) */
const PORTION = 50
const messages = Array.from({ length: PORTION }, () => randomBytes(200))

for (const algorithm of ['rsa-3072', 'p-256'] as const satisfies readonly KeyAlgorithm[]) {
  const place = tokenPlace({ keyId: Buffer.from(algorithm).toString('hex'), keyLabel: algorithm })
  const key = { ...place, keyId: place.keyId ?? '', keyLabel: algorithm }
  storeTokenCertificate(key, certify(createTokenKey(key, algorithm)).certificate)
  const { signing, close } = await openPkcs11Key({ ...place, sessions: SESSIONS })
  const token = await startTokenLoops(place, algorithm === 'rsa-3072' ? 'rsa' : 'ec', SESSIONS)
  // a server is warm: the compiler has seen the code
  for (let turn = 0; turn < 3; turn++) await ours((batch) => signing.sign(batch))
  await token.run(TURN_MS)

  const pairs: { raw: TokenRate; own: TokenRate }[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    // who goes first changes with every turn
    const first = turn % 2 === 0 ? await token.run(TURN_MS) : null
    const own = await ours((batch) => signing.sign(batch))
    pairs.push({ own, raw: first ?? (await token.run(TURN_MS)) })
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let turn = 0; turn < 2; turn++) await ours((batch) => signing.sign(batch))
  delay.disable()

  const [rate, raw] = [median(pairs.map(({ own }) => own.perSecond)), median(pairs.map((pair) => pair.raw.perSecond))]
  const ratio = median(pairs.map((pair) => pair.own.perSecond / pair.raw.perSecond))
  const [cpu, rawCpu] = [median(pairs.map(({ own }) => own.cpuMs)), median(pairs.map((pair) => pair.raw.cpuMs))]
  const [p50, p99] = [50, 99].map((share) => (delay.percentile(share) / 1e6).toFixed(1))
  console.log(
    `PKCS#11, SoftHSM2, ${algorithm}, ${SESSIONS} sessions: ${rate.toFixed(0)}/s; the token asked by ${token.name} ${raw.toFixed(0)}/s; ratio ${ratio.toFixed(2)} (goal 0.90); CPU ${cpu.toFixed(3)} and ${rawCpu.toFixed(3)} ms; event loop p50 ${p50 ?? ''} ms, p99 ${p99 ?? ''} ms`,
  )
  await token.end()
  await close()
}

/** As many batches at work as there are sessions, so that these are never idle; each caller waits for its portion. */
async function ours(sign: (messages: readonly Buffer[]) => Promise<Buffer[]>): Promise<TokenRate> {
  const start = performance.now()
  const before = process.cpuUsage()
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() - start < TURN_MS; done += PORTION) await sign(messages)
  }
  await Promise.all(Array.from({ length: SESSIONS }, lane))
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (done * 1000) / (performance.now() - start), cpuMs: (user + system) / 1000 / done }
}
