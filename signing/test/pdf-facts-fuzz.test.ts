/**
 * Mutated signed documents: reading them ends in facts or in an error of this module, and no signature holds over bytes
 * that are not those that were signed. `npm run prove` does 100,000, `npm test` a sample.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { SigningError, bufferAccess } from '../index.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { updatePdf } from './build-pdf.ts'
import { formDocument, signRevision } from './support/signed-pdf.ts'
import { dice } from './support/dice.ts'
import type { Roll } from './support/dice.ts'

const PROVE = process.env['AMTSBOTE_PROVE'] === '1'
const SEED = Number(process.env['AMTSBOTE_SEED'] ?? 20261123)
const MUTATIONS = PROVE ? 100_000 : 2_000
const UPDATES = PROVE ? 5_000 : 200

interface Sample {
  pdf: Buffer
  text: string
  numbers: RegExpExecArray[]
  keys: RegExpExecArray[]
  objects: RegExpExecArray[]
}

/** Looked through once: it takes longer than to read the facts. */
function sampleOf(pdf: Buffer): Sample {
  const text = pdf.toString('latin1')
  return {
    pdf,
    text,
    numbers: [...text.matchAll(/(?<=[\s[])\d+(?=[\s\]])/g)],
    keys: [...text.matchAll(/\/(?:ByteRange|Contents|SubFilter|Type|V|Kids|Root|Prev|P|Fields)\b/g)],
    objects: [...text.matchAll(/\b\d{1,7} 0 obj/g)],
  }
}

/** Numbers, duplicate keys, swapped objects, moved and lost bytes, flips, things behind the end. */
function mutate({ pdf, text, numbers, keys, objects }: Sample, roll: Roll): Buffer {
  const at = roll(pdf.length)
  const elsewhere = roll(pdf.length)
  const join = (...parts: (Buffer | string)[]): Buffer =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
  switch (roll(9)) {
    case 0:
      return pdf.subarray(0, at)
    case 1:
      return join(pdf.subarray(0, at), pdf.subarray(at + roll(40)))
    case 2:
      return join(pdf.subarray(0, at), pdf.subarray(elsewhere, elsewhere + roll(200)), pdf.subarray(at))
    case 3:
      return join(pdf, pdf.subarray(elsewhere))
    case 4: {
      const hit = pick(numbers, roll)
      const value = String(roll(2) === 0 ? roll(pdf.length * 2) : roll(40)).padStart(hit[0].length, '0')
      return join(text.slice(0, hit.index), value, text.slice(hit.index + hit[0].length))
    }
    case 5: {
      const hit = pick(keys, roll)
      const double = `${hit[0]} ${pick(['null', '[0 1 2 3]', '<00>', '/Sig', '4 0 R'], roll)}`
      return join(text.slice(0, hit.index), double, text.slice(hit.index + (roll(2) === 0 ? 0 : double.length)))
    }
    case 6: {
      const [a, b] = [pick(objects, roll), pick(objects, roll)]
      const swapped = Buffer.from(pdf)
      swapped.write(b[0].padEnd(a[0].length).slice(0, a[0].length), a.index, 'latin1')
      return swapped
    }
    default: {
      const changed = Buffer.from(pdf)
      for (let count = roll(4); count >= 0; count--) {
        const place = roll(changed.length)
        changed[place] = (changed[place] ?? 0) ^ (1 + roll(255))
      }
      return changed
    }
  }
}

function pick<T>(items: readonly T[], roll: Roll): T {
  const item = items[roll(items.length)]
  assert.ok(item !== undefined)
  return item
}

async function documents(): Promise<Buffer[]> {
  const names = ['b-lta', 'b-b-pss-xrefstream', 'certify-then-approve', 'docmdp2-form-filled', 'fieldmdp']
  const fixture = (name: string): Promise<Buffer> => readFile(new URL(`fixtures/${name}.pdf`, import.meta.url))
  const table = await signRevision(null, { objects: formDocument(), signature: 21 })
  const stream = await signRevision(null, { objects: formDocument(), signature: 21, style: 'stream' })
  const twice = updatePdf(table, { objects: { 10: String(formDocument()[10]).replace('/FT', '/V(Ada)/FT') } })
  const small = [table, stream, twice]
  return [...small, ...small, ...small, ...(await Promise.all(names.map(fixture)))]
}

/** What of a document a signature holds over, as text: everything up to the end of its revision but the hole. */
function coveredBy(pdf: Buffer, end: number, valueId: string, known: Map<string, [number, number]>): string | null {
  const gap = known.get(valueId)
  return gap === undefined ? null : pdf.toString('latin1', 0, gap[0]) + pdf.toString('latin1', gap[1], end)
}

function gapsOf(pdf: Buffer, { signatures }: DocumentFacts): Map<string, [number, number]> {
  const ranges = [...pdf.toString('latin1').matchAll(/\/ByteRange\s*\[\s*0 (\d+) (\d+) (\d+)/g)]
  return new Map(
    signatures.flatMap(({ valueId, scope }) => {
      const own = ranges.find(([, , from, rest]) => Number(from) + Number(rest) === scope.revisionBytes)
      return own === undefined ? [] : [[valueId, [Number(own[1]), Number(own[2])]]]
    }),
  )
}

describe(`reading ${MUTATIONS} mutated signed documents, seed ${SEED}`, () => {
  it('ends in facts or in an error with a code, and no signature holds over other bytes', async () => {
    const roll = dice(SEED)
    const originals = (await documents()).map(sampleOf)
    const facts = await Promise.all(originals.map(({ pdf }) => readPdfFacts(bufferAccess(pdf))))
    let held = 0
    for (let count = 0; count < MUTATIONS; count++) {
      const index = roll(originals.length)
      const [original, known] = [originals[index], facts[index]]
      assert.ok(original && known)
      const changed = mutate(original, roll)
      try {
        const { signatures } = await readPdfFacts(bufferAccess(changed))
        const gaps = gapsOf(original.pdf, known)
        for (const { faults, scope, valueId, findings } of signatures) {
          if (faults.length > 0) continue
          held++
          const before = known.signatures.find((signature) => signature.valueId === valueId)
          const end = before?.scope.revisionBytes ?? 0
          assert.ok(before, `mutation ${count}: a signature that nobody made`)
          const same = coveredBy(original.pdf, end, valueId, gaps) === coveredBy(changed, end, valueId, gaps)
          assert.ok(same, `mutation ${count}: holds over other bytes`)
          const isQuiet = scope.kind === 'whole' && findings.length === 0
          assert.ok(!isQuiet || changed.subarray(end).every((byte) => byte <= 32), `mutation ${count}: called whole`)
        }
      } catch (error) {
        assert.ok(error instanceof SigningError, `mutation ${count}: ${error instanceof Error ? error.stack : ''}`)
      }
    }
    assert.ok(held > 0 && held < MUTATIONS * 2)
  }).timeout(PROVE ? 7_200_000 : 300_000)
})

describe(`${UPDATES} random updates of signed documents, seed ${SEED}`, () => {
  it('are never passed over when they replace what a page is made of', async () => {
    const roll = dice(SEED)
    const objects = formDocument()
    const signed = await signRevision(null, { objects, signature: 21 })
    for (let count = 0; count < UPDATES; count++) {
      const target = pick([2, 3, 4, 5, 6, 7], roll)
      const body =
        pick(
          Object.values(objects).filter((value) => value !== objects[target]),
          roll,
        ) ?? ''
      const others = { [30 + roll(5)]: body, [pick([10, 12, 13], roll)]: String(objects[10]) }
      const changed = updatePdf(signed, { objects: { ...(roll(2) === 0 ? others : {}), [target]: body } })
      const { signatures } = await readPdfFacts(bufferAccess(changed))
      const codes = signatures.map(({ faults }) => faults.map(({ code }) => code).join())
      assert.deepEqual(codes, ['forbidden-change'], `update ${count}: object ${target}`)
    }
  }).timeout(PROVE ? 600_000 : 60_000)
})
