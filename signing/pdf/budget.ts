/**
 * How much work one document may cause. Every loop that a document controls draws from it, so that no arrangement of
 * links, tables and compressed streams keeps the process busy or fills its memory.
 */
import { SigningError } from '../errors.ts'
import { VALUE_BYTES } from './values.ts'
import type { IndirectObject } from './values.ts'

export interface Budget {
  /** one step: a section or subsection looked at, 16 bytes parsed; a value is VALUE_STEPS, an object OBJECT_STEPS more */
  spendSteps(count: number): void
  /** bytes that a decompression produced and that stay in memory for a while */
  spendBytes(count: number): void
  /** how many bytes the next decompression may produce */
  bytesLeft(): number
  /** bytes of memory that stay taken until the document is done with */
  hold(bytes: number): void
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
  let free = HELD_BYTES
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
    bytesLeft: () => Math.min(bytes, STREAM_BYTES),
    hold(count) {
      free -= count
      if (free < 0) throw new SigningError('signing/pdf-too-complex', 'the document takes too much memory')
    },
    kept: (offset) => objects.get(offset),
    keep(offset, object) {
      const size = object.end - offset + object.values * VALUE_BYTES
      if (size > room) return
      room -= size
      objects.set(offset, object)
    },
  }
}

/** Finding and reading one object; besides, 16 bytes of it are a step. */
export const OBJECT_STEPS = 50
/** Reading a value, those inside arrays and dictionaries too. */
export const VALUE_STEPS = 1
const KEPT_BYTES = 32 * 1024 * 1024
const HELD_BYTES = 128 * 1024 * 1024
/** a hundred thousand objects, as many as are looked for in one stream, rarely take 20 MiB */
const STREAM_BYTES = 48 * 1024 * 1024
/** A second of work at most. */
const ONE_READING = { steps: 2_000_000, bytes: 64 * 1024 * 1024 }
/** Comparing the revisions of a document means reading all its objects: some 200,000 of usual ones, in two seconds. */
export const ALL_REVISIONS = { steps: 16_000_000, bytes: 256 * 1024 * 1024 }
