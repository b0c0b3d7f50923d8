/** One session in a thread (token-loops.ts): opened by the built program, used by koffi alone. */
import { parentPort, workerData } from 'node:worker_threads'
import koffi from 'koffi'
import type * as Interface from '../../keys/pkcs11/cryptoki.ts'
import { CKA, CKM, CKO } from '../../keys/pkcs11/numbers.ts'
import type * as Session from '../../keys/pkcs11/session.ts'
import { built } from './built.ts'
import type { LoopData } from './token-loops.ts'

const { loadCryptoki, mechanismOf, ulong } = await built<typeof Interface>('signing/keys/pkcs11/cryptoki.js')
const { findSlot, login } = await built<typeof Session>('signing/keys/pkcs11/session.js')
const { place, family } = workerData as LoopData

const cryptoki = loadCryptoki(place.module)
const slot = findSlot(cryptoki, place.token)
const session = cryptoki.openSession(slot)
login(cryptoki, { slot, session, pin: place.pin })
const wanted = [
  { type: CKA.class, value: ulong(CKO.privateKey) },
  { type: CKA.label, value: Buffer.from(place.keyLabel ?? '') },
]
const [key] = cryptoki.find(session, wanted, 1)

type Native = (...values: unknown[]) => number
const module = koffi.load(place.module)
const signInit = module.func('unsigned long C_SignInit(unsigned long, void *, unsigned long)') as Native
const sign = module.func('unsigned long C_Sign(unsigned long, void *, unsigned long, void *, void *)') as Native

const mechanism = mechanismOf({ type: family === 'rsa' ? CKM.rsaPkcs : CKM.ecdsa })
// a digest; for RSA with the DigestInfo of SHA-256 before it
const digest = Buffer.alloc(32, 7)
const info = Buffer.from('3031300d060960864801650304020105000420', 'hex')
const data = family === 'rsa' ? Buffer.concat([info, digest]) : digest
const value = Buffer.alloc(1024)
const length = ulong(0)

parentPort?.on('message', (ms: number) => {
  const start = performance.now()
  let done = 0
  for (; performance.now() - start < ms; done++) {
    length.writeBigUInt64LE(BigInt(value.length))
    const faults = signInit(session, mechanism, key) + sign(session, data, data.length, value, length)
    if (faults !== 0) throw new Error('the token did not sign')
  }
  parentPort?.postMessage(done)
})
parentPort?.postMessage(0)
