/**
 * Looks through the bytes of a document for what a signature is recognised by, whatever its structure says, and for the
 * last `startxref`. Memory stays flat; every byte is read once.
 */
import type { RandomAccess } from '../../random-access.ts'

export interface Traces {
  /** offsets of `/ByteRange`, ascending; at most MAX_TRACES */
  byteRanges: readonly number[]
  /** the same for `/SubFilter` with a name that signatures have */
  subFilters: readonly number[]
  /** offset of the last `startxref` that an offset and %%EOF follow; null: there is none */
  lastStart: number | null
}

export async function scanForTraces(source: RandomAccess): Promise<Traces> {
  const byteRanges: number[] = []
  const subFilters: number[] = []
  let lastStart: number | null = null
  for (let at = 0; at < source.size; at += STEP_BYTES) {
    const bytes = await source.read(at, Math.min(STEP_BYTES + OVERLAP_BYTES, source.size - at))
    for (const found of positions(bytes, '/ByteRange')) {
      if (found < STEP_BYTES && byteRanges.length < MAX_TRACES) byteRanges.push(at + found)
    }
    for (const found of positions(bytes, '/SubFilter')) {
      const isSignature = /^\/SubFilter[\s\0]*\/(?:ETSI|adbe)\./.test(
        bytes.toString('latin1', found, found + OVERLAP_BYTES),
      )
      if (isSignature && found < STEP_BYTES && subFilters.length < MAX_TRACES) subFilters.push(at + found)
    }
    for (const found of positions(bytes, 'startxref')) {
      const text = bytes.toString('latin1', found, found + OVERLAP_BYTES)
      if (found < STEP_BYTES && /^startxref[\s\0]+\d{1,10}[\s\0]+%%EOF/.test(text)) lastStart = at + found
    }
  }
  return { byteRanges, subFilters, lastStart }
}

export function* positions(bytes: Buffer, word: string): Generator<number> {
  for (let at = bytes.indexOf(word, 0, 'latin1'); at >= 0; at = bytes.indexOf(word, at + 1, 'latin1')) yield at
}

const STEP_BYTES = 1024 * 1024
const OVERLAP_BYTES = 64
const MAX_TRACES = 1000
