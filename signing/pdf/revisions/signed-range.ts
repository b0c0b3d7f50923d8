/**
 * Which bytes a signature covers, and whether it says so properly (ISO 32000-2 §12.8.1, ETSI EN 319 142-1 §5.2).
 *
 * Exactly two ranges: from the first byte to the hexadecimal string of this dictionary's own /Contents, and from its end
 * to the end of the revision that wrote the dictionary. Everything else leaves room for what was not signed.
 */
import type { RandomAccess } from '../../random-access.ts'
import { wholeNumber } from '../values.ts'
import type { PdfValue } from '../values.ts'
import type { SignedRange } from './digests.ts'
import type { Revision, Revisions } from './revisions.ts'
import type { SignatureSite } from './signature-sites.ts'

export type RangeVerdict =
  | {
      kind: 'good'
      range: SignedRange
      /** that the signature closes */
      revision: Revision
      /** false: the end of the trailer of its revision is not covered; everything that it refers to is */
      isComplete: boolean
      /** /Contents as bytes, padding included */
      contents: Buffer
    }
  | { kind: 'bad'; detail: string }

export async function judgeRange(revisions: Revisions, site: SignatureSite): Promise<RangeVerdict> {
  const { written, dictionary, first } = site
  if (dictionary === null) return bad(site.problem)
  if (written === null) return bad('the signature dictionary is inside an object stream')
  const { source } = revisions
  const numbers = readNumbers(written.dictionary.entries.get('ByteRange'))
  if (typeof numbers === 'string') return bad(numbers)
  const range = { ...numbers, end: Math.min(numbers.end, source.size) }
  // one producer counts an end of line that it does not write; all there is is covered
  if (numbers.end > source.size + SPARE_BYTES) return bad('/ByteRange ends behind the document')
  const contents = written.dictionary.entries.get('Contents')
  if (contents?.kind !== 'string') return bad('/Contents is missing or no string')
  const hole = await holeProblem(source, { ...written, raw: contents.raw }, range)
  if (hole !== null) return bad(hole)
  const bytes = Buffer.from(contents.raw.replace(/[^0-9A-Fa-f]/g, ''), 'hex')
  if (bytes.every((byte) => byte === 0)) return bad('/Contents holds nothing')
  const own = ownRevision(revisions, first, written.start)
  if (own === null) return bad('the signature dictionary is not where a revision wrote it')
  const covered = await coverage(source, own, range.end)
  if (covered === null) return bad('/ByteRange does not end where the revision of the signature ends')
  return { kind: 'good', range, revision: own, isComplete: covered === 'complete', contents: bytes }
}

/** The verdict in words when /ByteRange is not two ranges with a gap between them. */
function readNumbers(value: PdfValue | undefined): SignedRange | string {
  if (value === undefined || value.kind === 'null') return '/ByteRange is missing'
  if (value.kind !== 'array' || value.items.length !== 4) return '/ByteRange does not have four numbers'
  const numbers = value.items.map((item) => wholeNumber(item) ?? -1)
  if (Math.min(...numbers) < 0) return '/ByteRange has a number that is none'
  const [start, gapStart = 0, gapEnd = 0, rest = 0] = numbers
  if (start !== 0) return '/ByteRange does not begin with the document'
  if (gapEnd - gapStart < 2 || gapEnd - gapStart > MAX_GAP_BYTES) return '/ByteRange has no sensible gap'
  return { gapStart, gapEnd, end: gapEnd + rest }
}

async function holeProblem(
  source: RandomAccess,
  { start, end, raw }: { start: number; end: number; raw: string },
  { gapStart, gapEnd }: SignedRange,
): Promise<string | null> {
  if (gapStart <= start || gapEnd > end) return 'the gap of /ByteRange is outside of the signature dictionary'
  const gap = (await source.read(gapStart, gapEnd - gapStart)).toString('latin1')
  if (!/^<[0-9A-Fa-f\s]*>$/.test(gap)) return 'the gap of /ByteRange is more or less than a hexadecimal string'
  const before = Math.max(start, gapStart - KEY_BYTES)
  const key = (await source.read(before, gapStart - before)).toString('latin1')
  if (gap !== raw || !/\/Contents[\s\0]*$/.test(key)) return 'the gap of /ByteRange is not /Contents of the signature'
  return null
}

/** The revision whose bytes the dictionary stands in; `first` is the one whose form shows it. */
function ownRevision(revisions: Revisions, first: Revision, start: number): Revision | null {
  const own = revisions.all.find(({ end, closed }) => start < (end ?? closed)) ?? null
  return own !== null && own.index <= first.index ? own : null
}

/**
 * `complete`: up to %%EOF and perhaps white space behind it. `trailer`: the section with all its rows is covered, only
 * the trailer is cut short.
 */
async function coverage(source: RandomAccess, own: Revision, end: number): Promise<'complete' | 'trailer' | null> {
  const { eof } = own
  if (eof !== null && end >= eof) {
    if (end - eof > MAX_BLANK_BYTES || end > (own.end ?? eof)) return null
    return 'complete'
  }
  const rowsEnd = await endOfRows(source, own)
  return rowsEnd !== null && end > rowsEnd ? 'trailer' : null
}

/** Where the trailer of a classic table begins; cross-reference streams have none apart. */
async function endOfRows(source: RandomAccess, { sections, closed }: Revision): Promise<number | null> {
  const [section, ...others] = sections
  if (section?.style !== 'table' || others.length > 0) return null
  const from = Math.max(section.from, closed - MAX_TRAILER_BYTES)
  const at = (await source.read(from, closed - from)).lastIndexOf('trailer', undefined, 'latin1')
  return at < 0 ? null : from + at
}

const bad = (detail: string): RangeVerdict => ({ kind: 'bad', detail })

const SPARE_BYTES = 2
const KEY_BYTES = 64
const MAX_BLANK_BYTES = 1024
const MAX_TRAILER_BYTES = 4096
const MAX_GAP_BYTES = 64 * 1024 * 1024
