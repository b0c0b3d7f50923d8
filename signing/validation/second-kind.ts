/**
 * Can a file of one kind be taken for another? Then two people may see two documents under one signature.
 *
 * PDF viewers look for the header in the first kilobyte, archivers for a directory at the end, whatever else is there.
 */
import type { RandomAccess } from '../random-access.ts'
import type { Finding } from './finding.ts'

/** Where a PDF viewer would begin; null: nowhere. */
export function pdfHeaderIn(start: Buffer): number | null {
  const at = start.subarray(0, PDF_SEARCH_BYTES).indexOf('%PDF-')
  return at < 0 ? null : at
}

/** Does the file end as a ZIP archive does (APPNOTE 6.3.10 §4.3.16)? */
export async function endsAsZip(source: RandomAccess): Promise<boolean> {
  const length = Math.min(source.size, END_BYTES + MAX_COMMENT_BYTES)
  const tail = await source.read(source.size - length, length)
  for (let at = tail.indexOf(END_MARK); at >= 0 && at + END_BYTES <= length; at = tail.indexOf(END_MARK, at + 1)) {
    if (at + END_BYTES + tail.readUInt16LE(at + 20) === length) return true
  }
  return false
}

export const secondKind = (kind: 'PDF' | 'ZIP'): Finding => ({ severity: 'unclean', code: 'second-kind', detail: kind })

const PDF_SEARCH_BYTES = 1024 + '%PDF-'.length
const END_MARK = Buffer.from('PK\x05\x06', 'latin1')
const END_BYTES = 22
const MAX_COMMENT_BYTES = 65_535
