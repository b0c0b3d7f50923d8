/** Signed documents whose cross-reference is damaged: as much as can be told of their signatures, and never a good word. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bufferAccess } from '../index.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import { validateDocument } from '../validation/validate.ts'
import { buildPdf, updatePdf } from './build-pdf.ts'
import { optionsOf, readCorpus } from './corpus.ts'
import { formDocument, signRevision } from './support/signed-pdf.ts'

const NOTE = { 40: '<</Type/Annot/Subtype/Text>>' }

/** The last `startxref` points elsewhere. */
function astray(pdf: Buffer): Buffer {
  const at = pdf.lastIndexOf('startxref')
  const tail = pdf.toString('latin1', at).replace(/\d+/, (offset) => '7'.padStart(offset.length, '0'))
  return Buffer.concat([pdf.subarray(0, at), Buffer.from(tail, 'latin1')])
}

/** The newest trailer knows nothing of those before it. */
function cut(pdf: Buffer): Buffer {
  const at = pdf.lastIndexOf('/Prev')
  const tail = pdf.toString('latin1', at).replace(/\d+/, (offset) => '0'.padStart(offset.length, '0'))
  return Buffer.concat([pdf.subarray(0, at), Buffer.from(tail, 'latin1')])
}

async function read(pdf: Buffer): Promise<{ names: string[]; faults: string[]; findings: string[] }> {
  const { signatures, findings } = await readPdfFacts(bufferAccess(pdf))
  return {
    names: signatures.map(({ name }) => name),
    faults: signatures.map((signature) => signature.faults.map(({ code }) => code).join(' ')),
    findings: findings.map(({ code }) => code),
  }
}

const signed = (style: 'table' | 'stream' = 'table'): Promise<Buffer> =>
  signRevision(null, { objects: formDocument(), signature: 21, style })

describe('a signed document with a damaged cross-reference', () => {
  const catalog = String(formDocument()[1])

  it('shows its signatures, and says that it is damaged', async () => {
    for (const style of ['table', 'stream'] as const) {
      const pdf = updatePdf(await signed(style), { objects: NOTE, style })
      const { names, faults, findings } = await read(astray(pdf))
      assert.deepEqual([names, faults], [['Siegel'], ['constraints']], style)
      assert.ok(findings.includes('structure-damaged'))
    }
  })

  it('shows those that a trailer without predecessor hides', async () => {
    const pdf = updatePdf(await signed(), { objects: { 1: catalog } })
    assert.deepEqual((await read(pdf)).faults, [''])
    const { names, faults } = await read(cut(pdf))
    assert.deepEqual([names, faults], [['Siegel'], ['constraints']])
  })

  it('shows objects inside of object streams', async () => {
    const objects = formDocument({ 20: String(formDocument()[20]).replace('21 0 R', '60 0 R') })
    const packed = [1, 2, 3, 10, 20]
    const pdf = buildPdf({ objects, style: 'stream', packed })
    const whole = await signRevision(pdf, { objects: {}, signature: 60, style: 'stream' })
    assert.deepEqual((await read(whole)).faults, [''])
    const { names, faults } = await read(astray(updatePdf(whole, { objects: NOTE, style: 'stream' })))
    assert.deepEqual([names, faults], [['Siegel'], ['constraints']])
  })

  it('is another one when the damage is in what was signed', async () => {
    assert.deepEqual((await read(astray(await signed()))).faults, ['digest constraints'])
  })

  it('was changed when programs that repair it show another page', async () => {
    const pdf = updatePdf(await signed(), { objects: { 4: '<</Length 0>>\nstream\n\nendstream' } })
    for (const damage of [astray, cut]) assert.match((await read(damage(pdf))).faults.join(), /^forbidden-change/)
  })

  it('is not signed by a copy of the signature, nor loses it to something with the same number', async () => {
    const pdf = await signed()
    const body = /21 0 obj\n([^]*?)\nendobj/.exec(pdf.toString('latin1'))?.[1] ?? ''
    const copied = await read(astray(updatePdf(pdf, { objects: { 21: body } })))
    assert.ok(copied.faults.length > 0 && copied.faults.every((codes) => codes.endsWith('constraints')))
    const replaced = await read(astray(updatePdf(pdf, { objects: { 21: '<</Type/Nothing>>' } })))
    assert.equal(replaced.faults.length >= 1, true)
    assert.ok(replaced.names.includes('Siegel'))
  })

  it('keeps its signatures when their field was freed', async () => {
    const pdf = updatePdf(await signed(), { objects: { 20: null, 1: catalog } })
    assert.deepEqual((await read(astray(pdf))).names, ['Siegel'])
  })

  it('is a broken signature when there is too much in it to look at', async () => {
    const pdf = await signed()
    const many = Buffer.from('1 0 obj null endobj\n'.repeat(300_000), 'latin1')
    assert.deepEqual((await read(astray(Buffer.concat([pdf, many])))).faults, ['format'])
    const ends = Buffer.from('startxref\n7\n%%EOF\n'.repeat(10_000), 'latin1')
    assert.deepEqual((await read(Buffer.concat([pdf, ends]))).faults, ['format'])
  })

  it('never passes, whoever signed it', async () => {
    const folder = join(import.meta.dirname, 'fixtures', 'validation')
    const entry = readCorpus(folder).find(({ file }) => file === 'pades-b-lt-A.pdf')
    assert.ok(entry)
    const pdf = readFileSync(join(folder, entry.file))
    const options = optionsOf(folder, entry)
    const before = await validateDocument(bufferAccess(pdf), options)
    assert.equal(before.signatures[0]?.indication, 'TOTAL-PASSED')
    const report = await validateDocument(
      bufferAccess(Buffer.concat([pdf, Buffer.from('startxref\n7\n%%EOF\n')])),
      options,
    )
    const [signature] = report.signatures
    assert.deepEqual([signature?.indication, signature?.subIndication], ['INDETERMINATE', 'SIG_CONSTRAINTS_FAILURE'])
    assert.equal(report.headline, 'undecided')
  })
})
