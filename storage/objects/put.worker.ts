/** Seals small objects where they are not sealed yet, and writes each in one go and flushed; see put-threads.ts. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

import { KIND, nonceSource, sealedSize, sealRun, type SegmentCipher } from '../cipher/chunks.ts'
import type { PutAnswer, PutQuestion } from './put-threads.ts'

parentPort?.on('message', (question: PutQuestion) => {
  const { id, bytes, cipher } = question
  const memory = bytes.buffer as ArrayBuffer
  let answer: PutAnswer
  try {
    write(question, cipher === null ? bytes : seal(bytes, cipher))
    const sha256 = cipher === null ? '' : createHash('sha256').update(bytes).digest('hex')
    answer = { id, code: null, sha256, memory }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    answer = { id, code, sha256: '', memory }
  }
  parentPort?.postMessage(answer, [memory])
})

const nonces = nonceSource(randomBytes)
/** Sealed bytes until they are written; one object at a time. */
let room = Buffer.alloc(0)

function seal(plain: Uint8Array, cipher: SegmentCipher): Uint8Array {
  const size = sealedSize(plain.length)
  if (room.length < size) room = Buffer.allocUnsafeSlow(size)
  return room.subarray(0, sealRun(cipher, { first: 0, end: KIND.last, plain, nonces }, room))
}

/** The bytes are flushed before the folder that names them. Nobody asks for the name before a row has it. */
function write({ path, folder }: PutQuestion, bytes: Uint8Array): void {
  const file = openSync(path, 'w', 0o600)
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, done)
    fdatasyncSync(file)
    fsyncSync(folder)
  } catch (error) {
    unlinkSync(path)
    throw error
  } finally {
    closeSync(file)
  }
}
