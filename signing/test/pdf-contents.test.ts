/** CMS objects in the /Contents of a PDF signature: what is right in a signature file and wrong there. */
import assert from 'node:assert/strict'
import { bufferAccess } from '../index.ts'
import { createBudget } from '../pdf/budget.ts'
import { readPdfFacts } from '../pdf/facts.ts'
import { readObjectAt } from '../pdf/objects.ts'
import * as raw from './support/raw-cms.ts'
import type { RawSignedData } from './support/raw-cms.ts'
import { formDocument, signRevision } from './support/signed-pdf.ts'
import { EXTENSIONS, ecKey, issue } from './support/test-certificates.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const validity = { from: new Date('2026-01-01'), until: new Date('2028-01-01') }
const holder = issue({ commonName: 'Amt', key: ecKey(), issuer: null, ...validity, extensions: EXTENSIONS.signer() })

/** Faults of a document whose /Contents is what `make` builds over the covered bytes. */
async function faults(make: (covered: Buffer) => Partial<RawSignedData>): Promise<string> {
  const pdf = Buffer.from(await signRevision(null, { objects: formDocument(), signature: 21 }))
  const [, start, end] = (/\/ByteRange \[0 (\d+) (\d+)/.exec(pdf.toString('latin1')) ?? []).map(Number)
  assert.ok(start !== undefined && end !== undefined)
  const covered = Buffer.concat([pdf.subarray(0, start), pdf.subarray(end)])
  const signers = [{ holder, attributes: attributes(covered) }]
  const cms = raw.rawSignedData({ content: covered, signers, ...make(covered) })
  pdf.write(cms.toString('hex').padEnd(end - start - 2, '0'), start + 1, 'latin1')
  const { signatures } = await readPdfFacts(bufferAccess(pdf))
  return signatures.map((signature) => signature.faults.map(({ code }) => code).join(' ')).join(' | ')
}

/** Without signing-time, as PAdES wants it. */
const attributes = (content: Buffer): Buffer[] =>
  raw
    .cadesAttributes(content, holder, NOW)
    .filter((_, index) => index !== 1)
    .sort((a, b) => Buffer.compare(a, b))

describe('the CMS object of a PDF signature', () => {
  it('is over what the byte range covers', async () => {
    assert.equal(await faults(() => ({})), '')
    const other = Buffer.from('anderes')
    assert.equal(
      await faults(() => ({ content: other, signers: [{ holder, attributes: attributes(other) }] })),
      'digest',
    )
  })

  it('has one signer', async () => {
    const twice = (covered: Buffer) => ({ holder, attributes: attributes(covered) })
    assert.equal(await faults((covered) => ({ signers: [twice(covered), twice(covered)] })), 'format')
  })

  it('has no content of its own that is another', async () => {
    const other = Buffer.from('anderes')
    const inside = { content: other, inside: other, signers: [{ holder, attributes: attributes(other) }] }
    assert.equal(await faults(() => inside), 'digest')
    assert.equal(await faults((covered) => ({ inside: covered })), '')
  })

  it('has its signed attributes in the order of DER', async () => {
    const reversed = (covered: Buffer): Buffer[] => attributes(covered).reverse()
    assert.equal(
      await faults((covered) => ({ signers: [{ holder, attributes: reversed(covered), sorted: false }] })),
      'value',
    )
    // sent in another order, and signed in the right one
    assert.equal(
      await faults((covered) => ({ signers: [{ holder, attributes: reversed(covered), sorted: true }] })),
      '',
    )
  })
})

describe('an object that was read', () => {
  it('is not there in a shorter view of the document that ends inside of it', async () => {
    const bytes = Buffer.from(`1 0 obj 5 endobj\n${' '.repeat(100)}`)
    const budget = createBudget()
    const { end } = await readObjectAt(bufferAccess(bytes), 0, budget)
    assert.equal(end, 16)
    for (const length of [9, 12, 16])
      await assert.rejects(readObjectAt(bufferAccess(bytes.subarray(0, length)), 0, budget), {
        code: 'signing/pdf-damaged',
      })
    assert.equal((await readObjectAt(bufferAccess(bytes.subarray(0, 17)), 0, budget)).end, 16)
  })
})
