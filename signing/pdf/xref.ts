/**
 * The cross-reference of a document: where each object lies (ISO 32000-2 §7.5.4 to §7.5.8).
 *
 * Reads the chain of sections from the newest to the oldest. Tables stay in the file and are looked up row by row, so
 * memory does not grow with the number of objects. A chain that loops, or any section that would need repair, is refused.
 */
import { SigningError } from '../errors.ts'
import type { RandomAccess } from '../random-access.ts'
import type { Budget } from './budget.ts'
import { damaged, wholeNumber } from './values.ts'
import type { PdfDictionary } from './values.ts'
import type { XrefEntry, XrefSection } from './xref-section.ts'
import { readXrefStream } from './xref-stream.ts'
import { readXrefTable } from './xref-table.ts'

export interface Xref {
  /** offset of the newest section, as the last `startxref` says */
  startOffset: number
  /** newest first; an XRefStm of a hybrid file follows the table that names it */
  sections: [XrefSection, ...XrefSection[]]
  find(number: number): Promise<XrefEntry>
}

/**
 * @param startOffset what the last `startxref` of the document says
 * @throws SigningError `signing/pdf-damaged`, `signing/pdf-too-complex`, `signing/pdf-unsupported`
 */
export async function readXref(source: RandomAccess, startOffset: number, budget: Budget): Promise<Xref> {
  const sections: XrefSection[] = []
  const seen = new Set<number>()
  for (let next: number | null = startOffset; next !== null;) {
    if (seen.has(next)) throw damaged('the chain of cross-reference sections loops')
    if (seen.size >= MAX_SECTIONS) {
      throw new SigningError('signing/pdf-too-complex', `the document has more than ${MAX_SECTIONS} revisions`)
    }
    seen.add(next)
    const section = await readSection(source, next, budget)
    sections.push(section)
    const hybrid = offsetOf(section.trailer, 'XRefStm')
    if (hybrid !== null && section.style === 'table') sections.push(await readXrefStream(source, hybrid, budget))
    next = offsetOf(section.trailer, 'Prev')
  }
  return xrefOf(startOffset, sections, budget)
}

/** The cross-reference that these sections make, newest first. */
export function xrefOf(startOffset: number, sections: readonly XrefSection[], budget: Budget): Xref {
  const [newest, ...older] = sections
  if (newest === undefined) throw damaged('the document has no cross-reference')
  const known = new Map<number, XrefEntry>()
  async function find(number: number): Promise<XrefEntry> {
    const before = known.get(number)
    budget.spendSteps(before === undefined ? sections.length : 1)
    const entry = before ?? (await findIn(sections, number))
    if (before === undefined && known.size < MAX_KNOWN) known.set(number, entry)
    return entry
  }
  return { startOffset, sections: [newest, ...older], find }
}

async function readSection(source: RandomAccess, offset: number, budget: Budget): Promise<XrefSection> {
  return (await readXrefTable(source, offset, budget)) ?? readXrefStream(source, offset, budget)
}

/** §7.5.8.4: what a hybrid file's table calls free, the XRefStm beside it may still hold. */
async function findIn(sections: readonly XrefSection[], number: number): Promise<XrefEntry> {
  for (const section of sections) {
    const entry = await section.find(number)
    if (entry === null) continue
    const hidden = entry.kind === 'free' && section.style === 'table' && section.trailer.entries.has('XRefStm')
    const beside = hidden ? await sections[sections.indexOf(section) + 1]?.find(number) : null
    return beside ?? entry
  }
  return { kind: 'free' }
}

function offsetOf(trailer: PdfDictionary, key: string): number | null {
  const value = trailer.entries.get(key)
  if (value === undefined) return null
  const offset = wholeNumber(value)
  if (offset === null) throw damaged(`/${key} in a trailer is no offset`)
  return offset === 0 ? null : offset // the header is there; producers write 0 for "none"
}

const MAX_SECTIONS = 1000
/** of each view of a document, of which there are as many as sections */
const MAX_KNOWN = 1000
