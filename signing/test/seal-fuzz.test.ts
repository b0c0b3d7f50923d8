/**
 * Mutated documents: whatever comes in, the answer is a seal that holds or an error of this module; and no document that
 * was changed after sealing is ever called intact. `npm run prove` does 100,000, `npm test` a sample.
 */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { SigningError } from '../index.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { seal } from './trial-key.ts'
import { sealState } from './support/seal-state.ts'
import { dice } from './support/dice.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? 20261123)
const MUTATIONS = PROVE ? 100_000 : 2_000
const FLIPS = PROVE ? 20_000 : 1_500

const WORDS = [
  '<<',
  '>>',
  '[',
  ']',
  '(',
  ')',
  'stream\n',
  'endobj',
  ' 0 R',
  '1 0 R',
  '/Prev 9',
  '/Kids',
  '-1',
  '9999999999',
  '/Length 1',
  '%',
  '\0',
]

function mutate(pdf: Buffer, roll: (below: number) => number): Buffer {
  const at = roll(pdf.length)
  const length = roll(40)
  const elsewhere = roll(pdf.length)
  switch (roll(7)) {
    case 0:
      return pdf.subarray(0, at)
    case 1:
      return Buffer.concat([pdf.subarray(0, at), pdf.subarray(at + length)])
    case 2:
      return Buffer.concat([pdf.subarray(0, at), pdf.subarray(elsewhere, elsewhere + length), pdf.subarray(at)])
    case 3:
      return Buffer.concat([
        pdf.subarray(0, at),
        Buffer.from(WORDS[roll(WORDS.length)] ?? '', 'latin1'),
        pdf.subarray(at),
      ])
    case 4: {
      // another number: offsets, lengths, object numbers
      const text = pdf.toString('latin1')
      const digits = [...text.matchAll(/\d+/g)]
      const hit = digits[roll(digits.length)]
      if (hit === undefined) return pdf
      const value = String(roll(2) === 0 ? roll(pdf.length * 2) : roll(20)).padStart(hit[0].length, '0')
      return Buffer.from(text.slice(0, hit.index) + value + text.slice(hit.index + hit[0].length), 'latin1')
    }
    default: {
      const changed = Buffer.from(pdf)
      for (let count = roll(4); count >= 0; count--) changed[roll(changed.length)] = roll(256)
      return changed
    }
  }
}

async function documents(): Promise<Buffer[]> {
  const folder = new URL('fixtures/', import.meta.url)
  const names = (await readdir(folder)).filter((name) => name.endsWith('.pdf')).sort()
  const built = [
    buildPdf({ objects: onePage() }),
    buildPdf({ objects: onePage(), style: 'stream', packed: [1, 2, 3, 5], predictor: 15 }),
    buildPdf({ objects: onePage(), style: 'hybrid', packed: [1, 2, 3] }, { objects: { 6: '(neu)' } }),
  ]
  // the small ones more often: there a mutation hits the structure
  return [...built, ...built, ...built, ...(await Promise.all(names.map((name) => readFile(new URL(name, folder)))))]
}

describe(`sealing ${MUTATIONS} mutated documents, seed ${SEED}`, () => {
  it('ends in a seal that holds or in an error with a code', async () => {
    const roll = dice(SEED)
    const originals = await documents()
    let sealedCount = 0
    for (let count = 0; count < MUTATIONS; count++) {
      const original = originals[roll(originals.length)] ?? Buffer.alloc(0)
      const changed = mutate(original, roll)
      try {
        const sealed = await seal(changed)
        sealedCount++
        assert.ok(sealed.subarray(0, changed.length).equals(changed))
        const verdict = await sealState(sealed)
        // an older signature whose range the mutation broke may be named instead
        assert.ok(verdict.kind === 'intact' || verdict.kind === 'broken', `mutation ${count}: ${verdict.kind}`)
      } catch (error) {
        assert.ok(error instanceof SigningError, `mutation ${count}: ${String(error)}`)
      }
    }
    assert.ok(sealedCount > MUTATIONS / 20, `${sealedCount} were sealed`)
    assert.ok(sealedCount < MUTATIONS, 'none was refused')
  }).timeout(PROVE ? 3_600_000 : 60_000)
})

/** Fields that wait, with locks and seed values, in plain and encrypted documents; passwords and marks by chance. */
async function forms(): Promise<Buffer[]> {
  const field =
    '<</Type/Annot/Subtype/Widget/FT/Sig/T(Amt)/Rect[50 50 250 110]/P 3 0 R/F 4/Lock<</Action/Include/Fields[(x)]>>' +
    '/SV<</Ff 10/SubFilter[/ETSI.CAdES.detached]/Reasons[(Bescheid)]/MDP<</P 0>>>>>>'
  const objects = onePage({
    1: '<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]/DA(/F1 0 Tf)>>>>',
    3: '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/CropBox[10 10 500 800]/Rotate 90/Annots[6 0 R]>>',
    6: field,
  })
  const encrypted = await readFile(new URL('fixtures/encrypted-aes256.pdf', import.meta.url))
  return [buildPdf({ objects }), buildPdf({ objects, style: 'stream', packed: [1, 2, 3, 6] }), encrypted]
}

describe(`sealing ${MUTATIONS / 4} mutated forms and encrypted documents, seed ${SEED}`, () => {
  it('ends in a seal that holds or in an error with a code', async () => {
    const roll = dice(SEED + 1)
    const originals = await forms()
    const marks = [
      undefined,
      { lines: ['Stadt Übungsstadt'] },
      { lines: ['x'], place: { left: 5, bottom: 5, width: 90, height: 30 } },
    ]
    let sealedCount = 0
    for (let count = 0; count < MUTATIONS / 4; count++) {
      const original = originals[roll(originals.length)] ?? Buffer.alloc(0)
      const changed = mutate(original, roll)
      const mark = marks[roll(marks.length)]
      const request = {
        reason: 'Bescheid',
        password: 'geheim',
        ...(mark === undefined ? {} : { mark }),
        ...(roll(3) > 0 && original !== originals[2] ? { field: 'Amt' } : {}),
      }
      try {
        const sealed = await seal(changed, request)
        sealedCount++
        assert.ok(sealed.subarray(0, changed.length).equals(changed))
        const verdict = await sealState(sealed, 'geheim')
        assert.equal(verdict.kind, 'intact', `mutation ${count}`)
      } catch (error) {
        assert.ok(error instanceof SigningError, `mutation ${count}: ${String(error)}`)
      }
    }
    assert.ok(sealedCount > MUTATIONS / 100, `${sealedCount} were sealed`)
    assert.ok(sealedCount < MUTATIONS / 4, 'none was refused')
  }).timeout(PROVE ? 3_600_000 : 60_000)
})

describe(`changing one byte of a sealed document ${FLIPS} times, seed ${SEED}`, () => {
  it('never leaves it intact', async () => {
    const roll = dice(SEED)
    for (const style of ['table', 'stream'] as const) {
      const sealed = await seal(buildPdf({ objects: onePage(), style }), { reason: 'Bescheid' })
      assert.equal((await sealState(sealed)).kind, 'intact')
      const contents = sealed.lastIndexOf('/Contents <') + '/Contents '.length
      for (let count = 0; count < FLIPS; count++) {
        const at = roll(sealed.length)
        // the signature itself may be spelt in two ways: pdf-facts-fuzz.test.ts
        if (at > contents && at < sealed.indexOf('>', contents)) continue
        const changed = Buffer.from(sealed)
        changed[at] = (changed[at] ?? 0) ^ (1 + roll(255))
        const verdict = await sealState(changed).catch((error: unknown) => {
          assert.ok(error instanceof SigningError, `byte ${at}: ${String(error)}`)
          return { kind: 'refused' }
        })
        assert.ok(!['intact', 'extended'].includes(verdict.kind), `byte ${at} is ${verdict.kind}`)
      }
    }
  }).timeout(PROVE ? 600_000 : 60_000)

  it('tells bytes that were appended', async () => {
    const sealed = await seal(buildPdf({ objects: onePage() }))
    const padded = await sealState(Buffer.concat([sealed, Buffer.from('\n')]))
    assert.equal(padded.kind, 'extended')
    assert.equal(padded.coveredBytes, sealed.length)
  })
})
