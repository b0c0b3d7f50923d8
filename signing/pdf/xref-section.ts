/**
 * One section of a cross-reference, whatever its style; xref-table.ts and xref-stream.ts read them, xref.ts chains them.
 */
import type { PdfDictionary } from './values.ts'

/** Where one object is. `compressed`: at `index` of the object stream with the number `stream`. */
export type XrefEntry =
  | { kind: 'free' }
  | { kind: 'at'; offset: number; generation: number }
  | { kind: 'compressed'; stream: number; index: number }

/** One cross-reference section with its trailer. */
export interface XrefSection {
  style: 'table' | 'stream'
  trailer: PdfDictionary
  /** absolute: of the keyword `xref` or of the object, and of the first byte behind the trailer or the stream's data */
  from: number
  to: number
  /** one more than the highest object number that the section lists */
  end: number
  /** null: this section does not speak of the object */
  find(number: number): Promise<XrefEntry | null>
  /** runs of object numbers that the section lists */
  ranges: readonly { first: number; count: number }[]
}
