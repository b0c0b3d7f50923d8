/**
 * A process that validates hostile files at once, a thread for each as in `serve`, and serves HTTP meanwhile. Its
 * arguments are the files; on its output it says how they ended, what the whole process took, and how often it answered
 * before the first of them was judged.
 */
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SigningError } from '../../index.ts'
import type { RandomAccess } from '../../index.ts'
import { peakMib } from './peak-memory.ts'
import { startTestThreads } from './validation-threads.ts'

export interface PairOutcome {
  /** headlines of the verdicts, or codes of the faults */
  outcomes: string[]
  /** largest resident set of the whole process */
  peakMib: number
  answersMeanwhile: number
}

const files = process.argv.slice(2)
const threads = startTestThreads({ threads: files.length, memoryMb: 768 })
const server = createServer((_request, response) => response.end('live')).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health/live`

let judged = 0
const validations = files.map(async (path) => {
  try {
    const task = { document: await fileAccess(path), content: null, now: new Date('2026-11-23T10:00:00Z') }
    return (await threads.validate(task)).headline
  } catch (error) {
    if (!(error instanceof SigningError)) throw error
    return error.code
  } finally {
    judged++
  }
})
let answersMeanwhile = 0
while (judged === 0) {
  await (await fetch(address)).text()
  answersMeanwhile++
}
const outcomes = await Promise.all(validations)
process.stdout.write(JSON.stringify({ outcomes, peakMib: peakMib(), answersMeanwhile } satisfies PairOutcome))
server.close()
await threads.close()
process.exit()

async function fileAccess(path: string): Promise<RandomAccess> {
  const file = await open(path)
  const { size } = await file.stat()
  return {
    size,
    async read(position, length) {
      const bytes = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await file.read(bytes, 0, length, position)
      return bytes.subarray(0, bytesRead)
    },
  }
}
