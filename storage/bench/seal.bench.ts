/**
 * How fast one core seals: chunks of 64 KiB in the shared memory of a part, with the SHA-256 of the plaintext, against
 * bare AES-256-GCM and bare SHA-256 on the same bytes. CPU time, so that other work on the machine disturbs little.
 */
import { createCipheriv, createHash, randomBytes } from 'node:crypto'

import { CHUNK_BYTES, KIND, SEALED_CHUNK_BYTES } from '../cipher/chunks.ts'
import { createSealingDesk } from '../cipher/sealing.ts'
import { newId, type SegmentId } from '../ids.ts'

const ROUNDS = 512
const MIB = 1024 * 1024
const REGION = 16 * CHUNK_BYTES
const plain = randomBytes(MIB)
const key = randomBytes(32)

/** CPU seconds for 1 GiB. */
function measure(round: () => void): number {
  for (let i = 0; i < ROUNDS / 8; i++) round()
  const before = process.cpuUsage()
  for (let i = 0; i < ROUNDS; i++) round()
  const { user, system } = process.cpuUsage(before)
  return (((user + system) / 1e6) * 1024 * MIB) / (ROUNDS * REGION)
}

const aes = measure(() => {
  const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12))
  cipher.update(plain)
  cipher.final()
})
const sha = measure(() => {
  createHash('sha256').update(plain).digest()
})
const desk = createSealingDesk()
const memory = new SharedArrayBuffer(16 * SEALED_CHUNK_BYTES)
const cipher = { key: new Uint8Array(key), segmentId: newId<SegmentId>(randomBytes) }
desk.answer({ kind: 'digest-start', name: 'bench', algorithm: 'sha256' })
const ours = measure(() => {
  desk.answer({ kind: 'feed', names: ['bench'], memory, at: 0, length: REGION })
  desk.answer({ kind: 'seal', cipher, first: 0, end: KIND.more, memory, at: 0, length: REGION })
})

const show = (name: string, seconds: number) => {
  console.log(`${name.padEnd(42)} ${seconds.toFixed(2)} CPU s/GiB  ${(1024 / seconds).toFixed(0).padStart(5)} MiB/s`)
}
console.log('Sealing on one core')
show('bare AES-256-GCM, 1 MiB at a time', aes)
show('bare SHA-256', sha)
show('sealed chunks with SHA-256 in passing', ours)
console.log(`ratio to bare AES + SHA: ${((aes + sha) / ours).toFixed(2)}`)
