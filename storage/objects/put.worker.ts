/** Writes small objects, each in one go and flushed; see put-threads.ts. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

import type { PutAnswer, PutQuestion } from './put-threads.ts'

parentPort?.on('message', (question: PutQuestion) => {
  const { id } = question
  let answer: PutAnswer
  try {
    write(question)
    answer = { id, code: null }
  } catch (error) {
    answer = { id, code: error instanceof Error && 'code' in error ? String(error.code) : 'unknown' }
  }
  parentPort?.postMessage(answer)
})

/** The bytes are flushed before the folder that names them. Nobody asks for the name before a row has it. */
function write({ path, folder, bytes }: PutQuestion): void {
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
