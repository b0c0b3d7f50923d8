/**
 * What a document claims to be in its metadata (XMP): PDF/A, PDF/UA. Whether it is, nobody asks here.
 */
import type { PdfDocument } from '../document.ts'
import { readStream } from '../streams.ts'
import type { PdfDictionary } from '../values.ts'

export interface Claims {
  /** 1 to 4; null: no PDF/A */
  archivePart: number | null
  /** PDF/UA: everything that is seen must be tagged */
  isAccessible: boolean
}

/** @throws SigningError as readStream */
export async function readClaims(document: PdfDocument, catalog: PdfDictionary): Promise<Claims> {
  const entry = catalog.entries.get('Metadata')
  if (entry?.kind !== 'reference') return { archivePart: null, isAccessible: false }
  const metadata = (await readStream(document, entry)).toString('utf8')
  const part = /pdfaid:part\s*(?:=\s*["']|>)\s*([1-4])/.exec(metadata)
  return {
    archivePart: part === null ? null : Number(part[1]),
    isAccessible: /pdfuaid:part\s*(?:=\s*["']|>)\s*[1-9]/.test(metadata),
  }
}
