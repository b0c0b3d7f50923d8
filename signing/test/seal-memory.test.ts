import assert from 'node:assert/strict'
import { sealPdf } from '../index.ts'
import type { RandomAccess } from '../index.ts'
import { buildPdf, onePage } from './build-pdf.ts'
import { NOW, trialKey } from './trial-key.ts'

const MIB = 1024 * 1024

/**
 * A document with one stream of `bytes` filler, which is never in memory as a whole. Built as a small document whose
 * filler is a few bytes, then the offsets behind it moved.
 */
function documentOf(bytes: number): RandomAccess {
  const marker = '@FILLER@'
  const objects = { 6: `<</Length ${bytes}>>\nstream\n${marker}\nendstream`, ...onePage() }
  const first = buildPdf({ objects })
  const at = first.indexOf(marker)
  const moved = bytes - marker.length
  const text = first
    .toString('latin1')
    .replace(/startxref\n(\d+)/, (_, start: string) => `startxref\n${Number(start) + moved}`)
    .replace(/(\d{10}) 00000 n/g, (row, offset: string) =>
      Number(offset) > at ? `${String(Number(offset) + moved).padStart(10, '0')} 00000 n` : row,
    )
  const head = Buffer.from(text.slice(0, at), 'latin1')
  const tail = Buffer.from(text.slice(at + marker.length), 'latin1')
  const filler = Buffer.alloc(MIB, 'x')
  return {
    size: head.length + bytes + tail.length,
    read(position, length) {
      const out = Buffer.allocUnsafe(length)
      for (let done = 0; done < length;) {
        const here = position + done
        const part =
          here < head.length
            ? head.subarray(here)
            : here < head.length + bytes
              ? filler.subarray(0, Math.min(MIB, head.length + bytes - here))
              : tail.subarray(here - head.length - bytes)
        done += part.copy(out, done)
      }
      return Promise.resolve(out)
    },
  }
}

describe('sealing a document of 500 MB', () => {
  it('takes no more memory than a small one', async () => {
    const { signing } = await trialKey()
    const source = documentOf(500 * MIB)
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
