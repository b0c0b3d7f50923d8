/**
 * Signatures per second through the PKCS#11 adapter beside the rate of the token itself: C_SignInit and C_Sign in one
 * loop per session, in threads, with nothing around them. SoftHSM2 with RSA-3072 and P-256, in portions as batches come. And
 * what the event loop feels.
 */
import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type * as Adapter from '../keys/pkcs11.ts'
import type { KeyAlgorithm } from '../keys/key-algorithm.ts'
import { createTokenKey, storeTokenCertificate } from '../keys/pkcs11/token-keys.ts'
import { certify, tokenPlace } from '../test/support/softhsm.ts'
import { built } from './support/built.ts'

const { openPkcs11Key } = await built<typeof Adapter>('signing/keys/pkcs11.js')
const SESSIONS = 2
const TURN_MS = 500
const TURNS = 6
/** a batch job hands over a portion of so many documents at once (gateway/seal-batch.ts) */
const PORTION = 50
const messages = Array.from({ length: PORTION }, () => randomBytes(200))

for (const algorithm of ['rsa-3072', 'p-256'] as const satisfies readonly KeyAlgorithm[]) {
  const place = tokenPlace({ keyId: Buffer.from(algorithm).toString('hex'), keyLabel: algorithm })
  const key = { ...place, keyId: place.keyId ?? '', keyLabel: algorithm }
  storeTokenCertificate(key, certify(createTokenKey(key, algorithm)).certificate)
  const { signing, close } = await openPkcs11Key({ ...place, sessions: SESSIONS })
  const loops = await startLoops(place)
  // a server is warm: the compiler has seen the code
  await Promise.all(loops.map((loop) => loop.run()))
  await ours((batch) => signing.sign(batch))

  const sums = { raw: 0, ours: 0 }
  const cpu = { raw: 0, ours: 0 }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  for (let turn = 0; turn < TURNS; turn++) {
    let before = process.cpuUsage()
    const rates = await Promise.all(loops.map((loop) => loop.run()))
    const rate = rates.reduce((sum, one) => sum + one)
    sums.raw += rate
    cpu.raw += cpuMs(before) / ((rate * TURN_MS) / 1000)
    before = process.cpuUsage()
    delay.enable()
    const result = await ours((batch) => signing.sign(batch))
    delay.disable()
    sums.ours += result.rate
    cpu.ours += cpuMs(before) / result.done
  }
  const [raw, rate] = [sums.raw / TURNS, sums.ours / TURNS]
  const [p50, p99] = [50, 99].map((share) => (delay.percentile(share) / 1e6).toFixed(1))
  console.log(
    `PKCS#11, SoftHSM2, ${algorithm}, ${SESSIONS} sessions: ${rate.toFixed(0)}/s; the token alone ${raw.toFixed(0)}/s; ratio ${(rate / raw).toFixed(2)} (goal 0.90); CPU ${(cpu.ours / TURNS).toFixed(2)} and ${(cpu.raw / TURNS).toFixed(2)} ms; event loop p50 ${p50 ?? ''} ms, p99 ${p99 ?? ''} ms`,
  )
  for (const loop of loops) await loop.end()
  await close()
}

/** As many batches at work as there are sessions, so that these are never idle; each caller waits for its portion. */
async function ours(sign: (messages: readonly Buffer[]) => Promise<Buffer[]>): Promise<{ done: number; rate: number }> {
  const start = performance.now()
  let done = 0
  const lane = async (): Promise<void> => {
    for (; performance.now() - start < TURN_MS; done += PORTION) await sign(messages)
  }
  await Promise.all(Array.from({ length: SESSIONS }, lane))
  return { done, rate: (done * 1000) / (performance.now() - start) }
}

/** Of all threads of this process; says more than time where others use the machine. */
function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

interface Loop {
  /** signatures per second of one session */
  run(): Promise<number>
  end(): Promise<unknown>
}

/** One thread a session; module and session of the built program, nothing else. */
async function startLoops(place: ReturnType<typeof tokenPlace>): Promise<Loop[]> {
  const url = (path: string): string => JSON.stringify(new URL(`../../dist/signing/keys/${path}`, import.meta.url).href)
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    Promise.all([import(${url('pkcs11/cryptoki.js')}), import(${url('pkcs11/session.js')}), import(${url('algorithms.js')})])
      .then(([{ loadCryptoki }, { openTokenSession }, { OPERATIONS }]) => {
        const session = openTokenSession(loadCryptoki(workerData.place.module), workerData.place)
        const operation = OPERATIONS[workerData.algorithm]
        const digest = Buffer.alloc(32, 7)
        parentPort.on('message', (ms) => {
          const start = performance.now()
          let done = 0
          for (; performance.now() - start < ms; done++) session.sign(operation, digest)
          parentPort.postMessage((done * 1000) / (performance.now() - start))
        })
        parentPort.postMessage('ready')
      })`
  const algorithm = place.keyLabel === 'rsa-3072' ? 'rsa-pkcs1-sha256' : 'ecdsa-sha256'
  return Promise.all(
    Array.from({ length: SESSIONS }, async () => {
      const worker = new Worker(code, { eval: true, workerData: { place, algorithm } })
      const next = (): Promise<unknown> =>
        new Promise((resolve, reject) => {
          worker.once('message', resolve).once('error', reject)
        })
      await next()
      return {
        run: async () => {
          worker.postMessage(TURN_MS)
          return Number(await next())
        },
        end: () => worker.terminate(),
      }
    }),
  )
}
