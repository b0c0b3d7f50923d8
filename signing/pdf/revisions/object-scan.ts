/**
 * Where objects, trailers and ends of revisions stand in a document, told by their keywords alone. For documents whose
 * own tables cannot be read: a keyword inside the data of a stream looks like any other.
 */
import { SigningError } from '../../errors.ts'
import type { RandomAccess } from '../../random-access.ts'
import type { Budget } from '../budget.ts'
import { positions } from './scan.ts'

export interface FoundObject {
  number: number
  generation: number
  offset: number
}

/** Offsets ascend. */
export interface FoundMarks {
  objects: readonly FoundObject[]
  /** of the keyword `trailer` */
  trailers: readonly number[]
  /** of names that the dictionaries of cross-reference streams and object streams have */
  xrefNames: readonly number[]
  streamNames: readonly number[]
  /** of `startxref` that an offset and %%EOF follow, and behind the %%EOF */
  ends: readonly { start: number; eof: number }[]
}

/** @throws SigningError `signing/pdf-too-complex` too many of them */
export async function scanForObjects(source: RandomAccess, budget: Budget): Promise<FoundMarks> {
  const [objects, trailers, xrefNames, streamNames, ends] = [[], [], [], [], []] as [
    FoundObject[],
    number[],
    number[],
    number[],
    FoundMarks['ends'][number][],
  ]
  for (let at = 0; at < source.size; at += STEP_BYTES) {
    const from = Math.max(0, at - OVERLAP_BYTES)
    const bytes = await source.read(from, Math.min(at - from + STEP_BYTES + OVERLAP_BYTES, source.size - from))
    const [first, last] = [at - from, at - from + STEP_BYTES]
    const found = (word: string): number[] => {
      const all = [...positions(bytes, word)].filter((place) => place >= first && place < last)
      budget.spendSteps(all.length * MARK_STEPS)
      return all
    }
    for (const place of found('obj')) {
      const match = HEAD.exec(bytes.toString('latin1', Math.max(0, place - OVERLAP_BYTES), place))
      if (match === null) continue
      const [text, number, generation] = match
      objects.push({
        number: Number(number),
        generation: Number(generation),
        offset: from + place - text.trimStart().length,
      })
    }
    for (const place of found('trailer')) trailers.push(from + place)
    for (const place of found('/XRef')) xrefNames.push(from + place)
    for (const place of found('/ObjStm')) streamNames.push(from + place)
    for (const place of found('startxref')) {
      const match = END.exec(bytes.toString('latin1', place, place + OVERLAP_BYTES))
      if (match !== null) ends.push({ start: from + place, eof: from + place + match[0].length })
    }
  }
  if (ends.length > MAX_ENDS) throw new SigningError('signing/pdf-too-complex', 'the document has too many ends')
  return { objects, trailers, xrefNames, streamNames, ends }
}

/** number and generation right before `obj`; `endobj` has none */
const HEAD = /(?:^|[\s\0>])(\d{1,7})[\s\0]+(\d{1,5})[\s\0]+$/
const END = /^startxref[\s\0]+\d{1,10}[\s\0]+%%EOF/
const STEP_BYTES = 1024 * 1024
const OVERLAP_BYTES = 64
const MARK_STEPS = 4
const MAX_ENDS = 200
