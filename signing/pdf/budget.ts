/**
 * How much work one document may cause. Every loop that a document controls draws from it, so that no arrangement of
 * links, tables and compressed streams keeps the process busy or fills its memory.
 */
import { SigningError } from '../errors.ts'

export interface Budget {
  /** one step: a section or subsection looked at, 16 bytes parsed; reading an object is OBJECT_STEPS */
  spendSteps(count: number): void
  /** bytes that a decompression produced and that stay in memory for a while */
  spendBytes(count: number): void
  /** how many bytes the next decompression may produce */
  bytesLeft(): number
}

/**
 * A fresh budget for one document.
 *
 * The methods throw SigningError `signing/pdf-too-complex` when it is used up.
 */
export function createBudget(): Budget {
  let steps = MAX_STEPS
  let bytes = MAX_DECODED_BYTES
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
  }
}

/** About a second of work. */
const MAX_STEPS = 2_000_000
/** Finding and reading one object; besides, 16 bytes of it are a step. */
export const OBJECT_STEPS = 50
const MAX_DECODED_BYTES = 64 * 1024 * 1024
