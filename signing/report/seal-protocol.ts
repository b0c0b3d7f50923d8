/**
 * The protocol of a batch of seals: which documents got a seal, which did not and why, as PDF/A-3b with the rows as CSV
 * attached. Made unsealed; whoever files it seals it.
 */
import { createPdf, drawTableRows, finishPdf } from './pdf-page.ts'

export interface SealProtocol {
  title: string
  /** label and text: batch, certificate, times, counts */
  about: readonly { label: string; text: string }[]
  heads: readonly [string, string, string, string]
  rows: readonly SealProtocolRow[]
  madeAt: Date
  language: 'de' | 'en'
}

export interface SealProtocolRow {
  name: string
  /** SHA-256 before and after, hex; empty where there is none */
  before: string
  after: string
  result: string
}

export async function sealProtocolPdf(protocol: SealProtocol): Promise<Buffer> {
  const { title, about, heads, rows, madeAt, language } = protocol
  const pdf = await createPdf({ title, madeAt, language })
  const csv = [heads, ...rows.map(({ name, before, after, result }) => [name, before, after, result])]
    .map((cells) => cells.map(quoted).join(';'))
    .join('\r\n')
  const times = { creationDate: madeAt, modifiedDate: madeAt }
  pdf.file(Buffer.from(`\ufeff${csv}\r\n`), { ...times, name: 'protocol.csv', type: 'text/csv' })
  drawTableRows(pdf, { title, about, heads, rows: rows.map(cellsOf) })
  return finishPdf(pdf)
}

/** Hashes are told by their first half on paper; the attachment has them whole. */
function cellsOf({ name, before, after, result }: SealProtocolRow): [string, string, string, string] {
  return [name, before.slice(0, 32), after.slice(0, 32), result]
}

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function quoted(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return `"${safe.replace(/"/g, '""')}"`
}
