/** Recorded documents with bytes changed, cut and doubled: an answer each time, and never a better one. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { readFileSync } from 'node:fs'
import { SigningError } from '../errors.ts'
import { bufferAccess } from '../random-access.ts'
import type { ValidationReport } from '../validation/report.ts'
import { validateDocument } from '../validation/validate.ts'
import { optionsOf, readCorpus } from './corpus.ts'
import type { CorpusFile } from './corpus.ts'

const FOLDER = join(import.meta.dirname, 'fixtures', 'validation')
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? 20261123)
const ROUNDS = process.env['AMTSBOTE_PROVE'] === '1' ? 1500 : 25
/** where a byte changed anywhere in the signed bytes must be noticed */
const WHOLE = 'pades-b-lt-A.pdf'

describe(`documents with mutations, seed ${SEED}`, function () {
  this.timeout(ROUNDS > 25 ? 3_600_000 : 60_000)
  const random = generator(SEED)

  for (const entry of readCorpus(FOLDER))
    it(`${entry.file}: ${ROUNDS} times`, async () => {
      const original = readFileSync(join(FOLDER, entry.file))
      const better = await passes(entry, original)
      for (let round = 0; round < ROUNDS; round++) {
        const report = await validate(entry, mutate(original, random))
        if (report === null) continue
        assert.doesNotThrow(() => JSON.stringify(report))
        // a mutation may take a signature away or leave it as it is; it never makes one pass that did not
        if (!better) assert.ok(report.headline !== 'valid', `round ${round}`)
      }
    })

  it(`${WHOLE}: no byte of the signed revision can be another one`, async () => {
    const entry = readCorpus(FOLDER).find(({ file }) => file === WHOLE)
    assert.ok(entry)
    const original = readFileSync(join(FOLDER, WHOLE))
    const text = original.toString('latin1')
    const [, first, second, third] = (/\/ByteRange \[0 (\d+) (\d+) (\d+)/.exec(text) ?? []).map(Number)
    assert.ok(first !== undefined && second !== undefined && third !== undefined)
    for (let round = 0; round < ROUNDS * 4; round++) {
      const inFirst = random() * (first + third) < first
      const at = inFirst ? Math.floor(random() * first) : second + Math.floor(random() * third)
      const changed = Buffer.from(original)
      changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      const report = await validate(entry, changed)
      const passed = report?.signatures.some(({ indication }) => indication === 'TOTAL-PASSED') ?? false
      assert.ok(!passed, `byte ${at}`)
      assert.ok(report === null || report.headline === 'invalid' || report.headline === 'undecided', `byte ${at}`)
    }
  })
})

async function passes(entry: CorpusFile, bytes: Buffer): Promise<boolean> {
  const report = await validate(entry, bytes)
  return report?.headline === 'valid' || report?.headline === 'valid-with-remarks'
}

/** Null: the document asks for another password. */
async function validate(entry: CorpusFile, bytes: Buffer): Promise<ValidationReport | null> {
  try {
    return await validateDocument(bufferAccess(bytes), optionsOf(FOLDER, entry))
  } catch (error) {
    if (!(error instanceof SigningError && error.code === 'signing/pdf-encrypted')) throw error
    return null
  }
}

function mutate(original: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(original)
  const at = (): number => Math.floor(random() * bytes.length)
  const kind = random()
  if (kind < 0.15) return bytes.subarray(0, at())
  if (kind < 0.3) {
    const [from, to] = [at(), at()].sort((a, b) => a - b)
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
  }
  for (let count = 1 + Math.floor(random() * 4); count > 0; count--) bytes[at()] = Math.floor(random() * 256)
  return bytes
}

/** Mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
