/** Flat memory for the higher levels; the full size with `npm run prove`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { sealPdfToLevel } from '../pdf/levels.ts'
import { createFetchCache } from '../trust/fetch-cache.ts'
import { createOnline } from '../trust/online.ts'
import { fillerDocument } from './filler-document.ts'
import { startTestAuthority } from './support/test-authority.ts'

const MIB = 1024 * 1024
const NOW = new Date('2026-11-23T10:00:00Z')
const SIZE = (process.env['AMTSBOTE_PROVE'] === '1' ? 500 : 120) * MIB

describe(`sealing a document of ${SIZE / MIB} MiB to B-LTA`, () => {
  it('takes no more memory than a small one', async () => {
    const authority = await startTestAuthority(NOW)
    const { http, anchors } = authority
    const online = { http, anchors, now: () => NOW, random: randomBytes, cache: createFetchCache() }
    const sources = { timestamps: authority.timestamps(), evidence: createOnline(online) }
    const key = authority.sealKey()
    const before = process.memoryUsage().rss
    let peak = 0
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
    const sealed = await sealPdfToLevel(fillerDocument(SIZE), key, { signedAt: NOW }, { level: 'B-LTA', sources })
    let size = 0
    for await (const part of sealed.bytes) size += part.length
    clearInterval(watch)
    await authority.close()
    assert.equal(size, sealed.size)
    assert.ok(peak - before < 100 * MIB, `${Math.round((peak - before) / MIB)} MiB more`)
  }).timeout(60_000)
})
