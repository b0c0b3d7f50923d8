/**
 * Recorded documents, good and forged, and the verdicts that they must get: each with its own clock and anchors, offline.
 *
 * A few of them always; all of them where the common test data lie beside the repository.
 */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { complaints, readCorpus, validateFile } from './corpus.ts'
import type { CorpusFile } from './corpus.ts'
import { sharedData } from './shared-data.ts'

/** of the processor, not of the clock on the wall: other tests run beside it */
const SECONDS_PER_FILE = 2

function suite(title: string, folder: string): void {
  const files = readCorpus(folder)
  if (files.length === 0) {
    console.info(`  ${title}: the data is not here, its cases are not run`)
    return
  }
  describe(title, () => {
    const wrong: string[] = []
    let slowest = 0
    for (const entry of files)
      it(`${entry.file}: ${entry.reason}`.slice(0, 150), async () => {
        const before = process.cpuUsage()
        const found = await complaintsAbout(folder, entry)
        const { user, system } = process.cpuUsage(before)
        slowest = Math.max(slowest, (user + system) / 1e6)
        if (found.length > 0) wrong.push(entry.file)
        assert.deepEqual(found, [])
        assert.ok((user + system) / 1e6 < SECONDS_PER_FILE, `${(user + system) / 1e6} s`)
      }).timeout(30_000)
    for (const { file, expected, entry } of later(files))
      it(`${file} at other times`, async () => {
        for (const [time, verdict] of Object.entries(expected)) {
          const report = await validateFile(folder, entry, time)
          assert.equal(report.signatures[0]?.indication, verdict, time)
        }
      })
    after(() => {
      const right = files.length - wrong.length
      console.info(`    ${right} of ${files.length} files right, slowest ${slowest.toFixed(2)} s of processor time`)
    })
  })
}

async function complaintsAbout(folder: string, entry: CorpusFile): Promise<string[]> {
  return complaints(entry, await validateFile(folder, entry))
}

function later(files: readonly CorpusFile[]) {
  return files.flatMap((entry) => {
    const { file, expected } = entry
    return expected.atTime === undefined ? [] : [{ file, expected: expected.atTime, entry }]
  })
}

describe('offline validation', () => {
  const folder = join(import.meta.dirname, 'fixtures', 'validation')
  const files = readCorpus(folder)

  it('gives the same report twice', async () => {
    for (const entry of files) {
      const [one, two] = [await validateFile(folder, entry), await validateFile(folder, entry)]
      assert.equal(JSON.stringify(one), JSON.stringify(two), entry.file)
    }
  }).timeout(20_000)

  it('opens no connection', async () => {
    const connect = Object.getOwnPropertyDescriptor(Socket.prototype, 'connect')
    assert.ok(connect)
    const tried: unknown[] = []
    Socket.prototype.connect = function refuse(...parts: unknown[]) {
      tried.push(parts)
      return this
    }
    try {
      for (const entry of files) await validateFile(folder, entry)
    } finally {
      Object.defineProperty(Socket.prototype, 'connect', connect)
    }
    assert.deepEqual(tried, [])
  }).timeout(20_000)
})

suite('recorded documents', join(import.meta.dirname, 'fixtures', 'validation'))
suite('all recorded documents', sharedData)
