/**
 * What a document holds besides its revisions and their signatures: bytes that belong to nothing, and things that look
 * like a signature but no form ever had.
 */
import type { Finding } from '../../validation/finding.ts'
import type { PdfDocument } from '../document.ts'
import { nameAt } from '../fields.ts'
import { readObjectAt } from '../objects.ts'
import { reference, wholeNumber } from '../values.ts'
import type { PdfDictionary } from '../values.ts'
import type { Revision, Revisions } from './revisions.ts'
import type { Traces } from './scan.ts'
import type { SignatureSite } from './signature-sites.ts'
import { isDamage } from './signature-sites.ts'

export interface Remains {
  findings: Finding[]
  /** how many traces of signatures no form explains */
  signatureLike: number
}

/**
 * @param signedEnd up to where a signature covers the document
 */
export async function findRemains(
  revisions: Revisions,
  sites: readonly SignatureSite[],
  { traces, signedEnd }: { traces: Traces; signedEnd: number },
): Promise<Remains> {
  const all = [...traces.byteRanges, ...traces.subFilters]
  const unexplained = all.filter((at) => !sites.some(({ written }) => isInside(written, at)))
  const objects = unexplained.length === 0 ? [] : await objectOffsets(revisions, revisions.all)
  const left = new Set<number>()
  for (const at of unexplained) if (!(await isHarmless(revisions, objects, at))) left.add(at)
  const count = (kind: readonly number[]): number => kind.filter((at) => left.has(at)).length
  const signatureLike = Math.max(count(traces.byteRanges), count(traces.subFilters))
  const findings: Finding[] = []
  if (signatureLike > 0) {
    findings.push({
      severity: 'warning',
      code: 'signature-like-object',
      detail: `${signatureLike} outside of the form`,
    })
  }
  const unused = await unusedBytes(revisions, signedEnd)
  if (unused > 0) {
    const detail = `${unused} bytes belong to no object of a revision`
    findings.push({ severity: 'unclean', code: 'uncovered-bytes', detail })
  }
  return { findings, signatureLike }
}

function isInside(written: SignatureSite['written'], at: number): boolean {
  return written !== null && at >= written.start && at < written.end
}

/** Data of a stream may be anything, and usage rights (§12.8.2.3) are no signature of a person. */
async function isHarmless(
  { source, budget, newest }: Revisions,
  objects: readonly number[],
  at: number,
): Promise<boolean> {
  const start = objects.findLast((offset) => offset <= at)
  if (start === undefined) return false
  try {
    const { value, streamStart, end } = await readObjectAt(source, start, budget)
    if (value.kind !== 'dictionary') return false
    if (streamStart === null) return at < end && (await grantsUsage(newest.document, value))
    const length = wholeNumber(await newest.document.resolve(value.entries.get('Length'))) ?? 0
    return at >= streamStart && at < streamStart + length
  } catch (error) {
    if (isDamage(error)) return false
    throw error
  }
}

async function grantsUsage(document: PdfDocument, { entries }: PdfDictionary): Promise<boolean> {
  const references = await document.resolve(entries.get('Reference'))
  const first = references.kind === 'array' ? await document.resolve(references.items[0]) : references
  const method = first.kind === 'dictionary' ? await nameAt(document, first, 'TransformMethod') : null
  return method === 'UR3' || method === 'UR'
}

/** Where these revisions have objects, ascending. */
async function objectOffsets({ budget }: Revisions, revisions: readonly Revision[]): Promise<number[]> {
  const offsets = new Set<number>()
  for (const { sections } of revisions) {
    for (const section of sections) {
      for (const { first, count } of section.ranges) {
        for (let number = first; number < first + count; number++) {
          budget.spendSteps(1)
          const entry = await section.find(number)
          if (entry?.kind === 'at') offsets.add(entry.offset)
        }
      }
    }
  }
  return [...offsets].sort((a, b) => a - b)
}

/**
 * Bytes behind `signedEnd` that are in no object and no cross-reference, other than white space and, where something
 * follows, comments: programs look for the end of a document from behind, whatever a line begins with.
 */
async function unusedBytes(revisions: Revisions, signedEnd: number): Promise<number> {
  const { source, newest } = revisions
  const used: [number, number][] = []
  for (const revision of revisions.all) {
    const end = revision.end ?? revision.closed
    if (end <= signedEnd) continue
    for (const { from, to } of revision.sections) used.push([from, to])
    used.push([revision.closed, end])
    for (const offset of await objectOffsets(revisions, [revision])) {
      if (offset >= signedEnd && offset < source.size) used.push(await objectExtent(revisions, revision, offset))
    }
  }
  used.push([source.size, source.size])
  let unused = 0
  let at = Math.min(signedEnd, newest.end ?? newest.closed)
  for (const [from, to] of used.sort(([a], [b]) => a - b)) {
    if (from > at) unused += await meaningfulBytes(revisions, { from: at, to: from, isEnd: from === source.size })
    at = Math.max(at, to)
  }
  return unused
}

async function objectExtent(
  { source, budget }: Revisions,
  { document }: Revision,
  offset: number,
): Promise<[number, number]> {
  try {
    const { value, streamStart, start, end } = await readObjectAt(source, offset, budget)
    if (streamStart === null || value.kind !== 'dictionary') return [start, end]
    const length = value.entries.get('Length')
    const bytes = wholeNumber(length?.kind === 'reference' ? await document.fetch(reference(length.number)) : length)
    return [start, streamStart + (bytes ?? 0)]
  } catch (error) {
    if (isDamage(error)) return [offset, offset]
    throw error
  }
}

async function meaningfulBytes(
  { source }: Revisions,
  { from, to, isEnd }: { from: number; to: number; isEnd: boolean },
): Promise<number> {
  const length = Math.min(to - from, MAX_GAP_BYTES)
  const text = (await source.read(from, length)).toString('latin1')
  const words = (isEnd ? text : text.replace(/%[^\r\n]*/g, ' ')).split(/[\s\0]+/)
  const isBlank = ENDINGS.has(words.filter((word) => word !== '').join(' '))
  return isBlank && length === to - from ? 0 : to - from
}

/** What may stand behind the data of a stream. */
const ENDINGS: ReadonlySet<string> = new Set(['', 'endstream', 'endobj', 'endstream endobj', 'endstreamendobj'])

const MAX_GAP_BYTES = 16 * 1024
