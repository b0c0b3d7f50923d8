import assert from 'node:assert/strict'
import { sealPdf } from '../index.ts'
import { fillerDocument } from './filler-document.ts'
import { NOW, trialKey } from './trial-key.ts'

const MIB = 1024 * 1024

describe('sealing a document of 500 MB', () => {
  it('takes no more memory than a small one', async () => {
    const { signing } = await trialKey()
    const source = fillerDocument(500 * MIB)
    const sealed = await sealPdf(source, signing, { signedAt: NOW })
    const before = process.memoryUsage().rss
    let peak = 0
    let size = 0
    for await (const part of sealed.bytes) {
      size += part.length
      if (size % (8 * MIB) < part.length) peak = Math.max(peak, process.memoryUsage().rss)
    }
    assert.equal(size, sealed.size)
    assert.ok(peak - before < 100 * MIB, `${Math.round((peak - before) / MIB)} MiB more`)
  }).timeout(60_000)
})
