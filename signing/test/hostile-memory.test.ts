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
import type { PairOutcome } from './support/hostile-pair.worker.ts'
import { CMS_CASES } from './support/hostile-cms.ts'
import { PDF_CASES } from './support/hostile-pdf.ts'
import { XML_CASES } from './support/hostile-xml.ts'
import { ZIP_CASES } from './support/hostile-zip.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const PROGRAM = fileURLToPath(new URL('./support/hostile.worker.ts', import.meta.url))
const PAIR_PROGRAM = fileURLToPath(new URL('./support/hostile-pair.worker.ts', import.meta.url))
/** more than 110 MiB of it are the program itself */
const MOST_MIB = 512
/** bytes that a document asks for lie on both sides of its thread for a moment, 64 MiB at most */
const MOST_MIB_OF_TWO = 2 * (MOST_MIB + 2 * 64)
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

describe('two hostile documents at once, in the threads of one process', () => {
  it('take no more than twice what one may, and requests are answered meanwhile', async function () {
    const worst = CMS_CASES['63 MiB in pieces, 28 layers deep']
    assert.ok(worst)
    const { outcomes, peakMib, answersMeanwhile } = await performTogether([worst, worst])
    const taken = `${outcomes.join()}, ${peakMib} MiB, ${answersMeanwhile} answers`
    if (this.test !== undefined) this.test.title += ` (${taken})`
    assert.deepEqual(outcomes, ['invalid', 'invalid'])
    assert.ok(peakMib < MOST_MIB_OF_TWO, taken)
    assert.ok(answersMeanwhile > 1, taken)
  }).timeout(120_000)
})

async function performTogether(cases: readonly HostileCase[]): Promise<PairOutcome> {
  return inFolder(async (folder) => {
    const paths = cases.map((_, index) => join(folder, String(index)))
    for (const [index, { build }] of cases.entries()) await writeFile(paths[index] ?? '', await build())
    return (await output(PAIR_PROGRAM, paths)) as PairOutcome
  })
}

/** Fails where the process ends with anything but an outcome. */
async function perform({ build, entry = 'validate', ...more }: HostileCase): Promise<HostileOutcome> {
  return inFolder(async (folder) => {
    const path = join(folder, 'document')
    await writeFile(path, await build())
    const order: HostileOrder = { entry, path, ...more }
    return (await output(PROGRAM, [JSON.stringify(order)])) as HostileOutcome
  })
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'amtsbote-hostile-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function output(program: string, args: readonly string[]): Promise<unknown> {
  // coverage of a process that loads the same files as other code would spoil that of this one
  const env = { ...process.env, NODE_V8_COVERAGE: '' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', program, ...args], { env })
  return JSON.parse(stdout)
}
