/** Facts about time-stamps that are files of their own. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCmsFacts } from '../cms/document.ts'
import { bufferAccess } from '../index.ts'
import type { DocumentFacts } from '../validation/facts.ts'
import { sharedData } from './shared-data.ts'
import { startTestAuthority } from './support/test-authority.ts'

const NOW = new Date('2026-11-23T10:00:00Z')
const TEXT = Buffer.from('Der Bescheid')

const codes = ({ timestamps }: DocumentFacts): string[] =>
  timestamps.flatMap(({ faults }) => faults.map(({ code }) => code))

describe('a time-stamp as a file', () => {
  it('fits its document and no other, with zero bytes behind it or in the answer of its authority', async () => {
    const authority = await startTestAuthority(NOW)
    const token = await authority.timestamps().stamp(createHash('sha256').update(TEXT).digest())
    await authority.close()
    const answer = Buffer.concat([
      Buffer.from('3082', 'hex'),
      Buffer.alloc(2),
      Buffer.from('3003020100', 'hex'),
      token.der,
    ])
    answer.writeUInt16BE(answer.length - 4, 2)
    for (const bytes of [token.der, Buffer.concat([token.der, Buffer.alloc(5)]), answer]) {
      const facts = await readCmsFacts(bytes, bufferAccess(TEXT))
      assert.equal(facts.format, 'timestamp')
      assert.deepEqual(facts.signatures, [])
      assert.deepEqual(codes(facts), [])
      assert.deepEqual(facts.timestamps[0]?.info?.genTime, NOW)
      assert.deepEqual(codes(await readCmsFacts(bytes, bufferAccess(Buffer.from('anderes')))), ['imprint'])
      assert.deepEqual(codes(await readCmsFacts(bytes, null)), ['data-missing'])
    }
  })

  if (!existsSync(sharedData)) {
    console.log('  recorded time-stamp files: not run, the shared data are not there')
    return
  }
  for (const [file, expected] of [
    ['tsp-ok-A.tsr', []],
    ['tsp-no-eku-A.tsr', ['form']],
    ['tsp-corrupt-signature-A.tsr', ['value']],
  ] as const) {
    it(`${file}: ${expected.join(', ') || 'holds together'}`, async () => {
      const facts = await readCmsFacts(readFileSync(join(sharedData, 'tokens', file)), null)
      assert.equal(facts.format, 'timestamp')
      assert.deepEqual(codes(facts), ['data-missing', ...expected])
    })
  }
})
