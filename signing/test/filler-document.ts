/** A document of any size that is never in memory as a whole. */
import type { RandomAccess } from '../index.ts'
import { buildPdf, onePage } from './build-pdf.ts'

const MIB = 1024 * 1024

/** One page and one stream of `bytes` filler: a small document whose offsets behind the filler are moved. */
export function fillerDocument(bytes: number): RandomAccess {
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
