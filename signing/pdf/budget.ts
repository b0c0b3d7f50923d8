/**
 * How much work one document may cause. Every loop that a document controls draws from it, so that no arrangement of
 * links, tables and compressed streams keeps the process busy or fills its memory.
 */
import { SigningError } from '../errors.ts'
import type { IndirectObject } from './values.ts'

export interface Budget {
  /** one step: a section or subsection looked at, 16 bytes parsed; reading an object is OBJECT_STEPS */
  spendSteps(count: number): void
  /** bytes that a decompression produced and that stay in memory for a while */
  spendBytes(count: number): void
  /** how many bytes the next decompression may produce */
  bytesLeft(): number
  /** An object that was read at this offset; every revision asks for it. Steps are spent as if it was read again. */
  kept(offset: number): IndirectObject | undefined
  keep(offset: number, object: IndirectObject): void
}

/**
 * A fresh budget for one document; that for reading it once unless another is asked for.
 *
 * The methods throw SigningError `signing/pdf-too-complex` when it is used up.
 */
export function createBudget({ steps: allSteps, bytes: allBytes } = ONE_READING): Budget {
  let steps = allSteps
  let bytes = allBytes
  const objects = new Map<number, IndirectObject>()
  let room = KEPT_BYTES
  return {
    spendSteps(count) {
      steps -= count
      if (steps < 0) throw new SigningError('signing/pdf-too-complex', 'the document has too many objects to follow')
    },
    spendBytes(count) {
      bytes -= count
      if (bytes < 0) throw new SigningError('signing/pdf-too-complex', 'the document unpacks to too many bytes')
    },
    bytesLeft: () => bytes,
    kept: (offset) => objects.get(offset),
    keep(offset, object) {
      if (object.end - offset > room) return
      room -= object.end - offset
      objects.set(offset, object)
    },
  }
}

/** Finding and reading one object; besides, 16 bytes of it are a step. */
export const OBJECT_STEPS = 50
/** as they are written; in memory some twenty times as much */
const KEPT_BYTES = 2 * 1024 * 1024
/** About a second of work. */
const ONE_READING = { steps: 2_000_000, bytes: 64 * 1024 * 1024 }
/** Comparing the revisions of a document means reading all its objects. */
export const ALL_REVISIONS = { steps: 20_000_000, bytes: 256 * 1024 * 1024 }
