/**
 * A PDF as the sequence of its revisions, told by the chain of its cross-reference sections (ISO 32000-2 §7.5.6).
 *
 * Never by looking for %%EOF: what no chain leads to is no revision. Unlike openDocument, this reader accepts bytes
 * behind the end and before the header, as long as every offset holds; whoever judges the document reports them.
 */
import { SigningError } from '../../errors.ts'
import { pagedAccess } from '../../random-access.ts'
import type { RandomAccess } from '../../random-access.ts'
import { ALL_REVISIONS, createBudget } from '../budget.ts'
import type { Budget } from '../budget.ts'
import { createDocument } from '../document.ts'
import type { OpenOptions, PdfDocument } from '../document.ts'
import { openEncryption } from '../encryption/encryption.ts'
import { damaged } from '../values.ts'
import { readXref, xrefOf } from '../xref.ts'
import type { XrefSection } from '../xref-section.ts'

export interface Revision {
  /** 0 is the oldest */
  index: number
  /** as readers saw it then */
  document: PdfDocument
  /** what this revision wrote; newest first */
  sections: readonly XrefSection[]
  /** absolute offset of the first byte behind the trailer of its last section */
  closed: number
  /** absolute offset behind its %%EOF; null: it does not end properly */
  eof: number | null
  /** behind the white space that follows %%EOF */
  end: number | null
}

export interface Revisions {
  /** read through a small cache */
  source: RandomAccess
  budget: Budget
  /** oldest first */
  all: readonly [Revision, ...Revision[]]
  newest: Revision
}

/**
 * @param lastStart offset of the last `startxref` in the document
 * @throws SigningError `signing/not-a-pdf`, `signing/pdf-damaged`, `signing/pdf-encrypted`, `signing/pdf-too-complex`,
 * `signing/pdf-unsupported`
 */
export async function readRevisions(
  document: RandomAccess,
  lastStart: number | null,
  options: OpenOptions,
): Promise<Revisions> {
  const source = pagedAccess(document)
  await checkHeader(source)
  const budget = createBudget(ALL_REVISIONS)
  const start = lastStart === null ? null : await readStart(source, lastStart)
  if (start === null) throw damaged('the document ends without startxref; it may be cut off')
  const xref = await readXref(source, start.section, budget)
  const { sections } = xref
  const plain = createDocument({ source, xref, budget, encryption: null })
  const encryption = await openEncryption(plain, xref, options.password ?? '')
  const found: Revision[] = []
  let newer = 0
  for (const group of groups(sections)) {
    const older = sections.slice(newer)
    newer += group.length
    const view = xrefOf(group[0].from, older, budget)
    const size = await extent(source, group)
    // what the section says about places behind its end was not there when it was written
    const then = { size: size.end ?? size.closed, read: source.read.bind(source) }
    const document = createDocument({ source: found.length === 0 ? source : then, xref: view, budget, encryption })
    found.push({ index: 0, document, ...size })
  }
  const [oldest, ...later] = found.reverse().map((revision, index) => ({ ...revision, index }))
  if (oldest === undefined) throw damaged('the document has no cross-reference')
  return { source, budget, all: [oldest, ...later], newest: later.at(-1) ?? oldest }
}

type Group = [XrefSection, ...XrefSection[]]

/**
 * Sections that were written at once: an XRefStm with its table (§7.5.8.4), and both sections of a linearised file, of
 * which the newer by the chain stands before the older (annex F).
 */
function groups(sections: readonly XrefSection[]): Group[] {
  const found: Group[] = []
  let previous: XrefSection | undefined
  for (const section of sections) {
    const isHybrid = section.style === 'stream' && names(previous, section)
    const isLinearised = section.from > (previous?.from ?? Infinity)
    const current = found.at(-1)
    if (isHybrid || isLinearised) current?.push(section)
    else found.push([section])
    previous = isHybrid ? previous : section
  }
  return found
}

function names(table: XrefSection | undefined, { from }: XrefSection): boolean {
  if (table?.style !== 'table') return false
  const named = table.trailer.entries.get('XRefStm')
  return named?.kind === 'number' && Number(named.text) === from
}

async function extent(
  source: RandomAccess,
  group: Group,
): Promise<Pick<Revision, 'sections' | 'closed' | 'eof' | 'end'>> {
  const closed = Math.max(...group.map(({ to }) => to))
  const none = { sections: group, closed, eof: null, end: null }
  const tail = (await source.read(closed, Math.min(TAIL_BYTES, source.size - closed))).toString('latin1')
  const before = BEFORE_START.exec(tail)?.[0].length ?? 0
  const start = await readStart(source, closed + before)
  if (start?.section !== group[0].from) return none
  return { ...none, eof: start.eof, end: await skipWhiteSpace(source, start.eof) }
}

/** `startxref`, an offset and %%EOF at `at`; null when something else stands there. `section`: white space is skipped. */
async function readStart(source: RandomAccess, at: number): Promise<{ section: number; eof: number } | null> {
  const text = (await source.read(at, Math.min(START_BYTES, source.size - at))).toString('latin1')
  const match = /^startxref[\s\0]+(\d{1,10})[\s\0]+%%EOF/.exec(text)
  if (match === null) return null
  const section = Number(match[1])
  if (section >= source.size) throw damaged('an offset points outside the document')
  return { section: await skipWhiteSpace(source, section), eof: at + match[0].length }
}

export async function skipWhiteSpace(source: RandomAccess, from: number): Promise<number> {
  for (let at = from; ;) {
    const bytes = await source.read(at, Math.min(START_BYTES, source.size - at))
    const blank = /^[\s\0]*/.exec(bytes.toString('latin1'))?.[0].length ?? 0
    at += blank
    if (blank < START_BYTES) return at
  }
}

async function checkHeader(source: RandomAccess): Promise<void> {
  const start = await source.read(0, Math.min(HEADER_SEARCH_BYTES, source.size))
  if (!start.includes('%PDF-')) throw new SigningError('signing/not-a-pdf', 'the document has no PDF header')
}

const HEADER_SEARCH_BYTES = 1024
const TAIL_BYTES = 1024
const START_BYTES = 256
/** a cross-reference stream has two words behind its data; producers leave comments */
const BEFORE_START = /^\s*(?:endstream\s*endobj)?(?:[\s\0]|%(?!%EOF)[^\r\n]*[\r\n])*/
