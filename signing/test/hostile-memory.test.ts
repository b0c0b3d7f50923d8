/**
 * Documents that were made to fill the memory or the time of whoever reads them, each in a process of its own: a verdict
 * or a fault with a code, soon and in little memory. The figures are of the whole process, program and all.
 *
 * `npm test` does the worst of each kind, `npm run prove` all; both print what the largest took.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { HostileCase, HostileOrder, HostileOutcome } from './support/hostile.worker.ts'
import { CMS_CASES } from './support/hostile-cms.ts'
import { PDF_CASES } from './support/hostile-pdf.ts'
import { XML_CASES } from './support/hostile-xml.ts'
import { ZIP_CASES } from './support/hostile-zip.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const PROGRAM = fileURLToPath(new URL('./support/hostile.worker.ts', import.meta.url))
/** more than 110 MiB of it are the program itself */
const MOST_MIB = 512
/** of the processor: 2 s, and as much again because others keep caches and memory busy */
const MOST_MILLISECONDS = 4000
const KINDS = { 'a PDF': PDF_CASES, 'a signature file': CMS_CASES, XML: XML_CASES, 'a container': ZIP_CASES }

describe('hostile documents end in a verdict or a fault, soon and in little memory', () => {
  for (const [kind, cases] of Object.entries(KINDS))
    for (const [name, hostile] of Object.entries<HostileCase>(cases)) {
      if (!PROVE && hostile.always !== true) continue
      it(`${kind}: ${name}`, async function () {
        const { outcome, milliseconds, peakMib } = await perform(hostile)
        const taken = `${outcome}, ${milliseconds} ms, ${peakMib} MiB`
        if (this.test !== undefined) this.test.title += ` (${taken})`
        assert.ok(peakMib < MOST_MIB, taken)
        assert.ok(milliseconds < MOST_MILLISECONDS, taken)
      }).timeout(120_000)
    }
})

/** Fails where the process ends with anything but an outcome. */
async function perform({ build, entry = 'validate', ...more }: HostileCase): Promise<HostileOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'amtsbote-hostile-'))
  try {
    const path = join(folder, 'document')
    await writeFile(path, await build())
    const order: HostileOrder = { entry, path, ...more }
    // coverage of a process that loads the same files as other code would spoil that of this one
    const env = { ...process.env, NODE_V8_COVERAGE: '' }
    const args = ['--import=tsx', PROGRAM, JSON.stringify(order)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    return JSON.parse(stdout) as HostileOutcome
  } finally {
    await rm(folder, { recursive: true })
  }
}
