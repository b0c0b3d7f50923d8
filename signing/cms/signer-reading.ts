/**
 * What a reader is given to make facts about one signer of a SignedData.
 */
import type { RandomAccess } from '../random-access.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { SignedDataParts, SignerParts } from './container.ts'

export interface SignerReading {
  parts: SignedDataParts
  signer: SignerParts
  /** its counter-signatures get `S1.1`, `S1.2` … below `S1` */
  id: string
  form: 'PAdES' | 'CAdES'
  /** form field or file */
  name: string
  /** digest of the content by this algorithm; null: the content is not at hand */
  contentDigest: ((digest: Digest) => Promise<Buffer> | Buffer) | null
  /** needed for archive-time-stamp v2 alone, where the content is outside */
  content?: RandomAccess | null
  nextTimestampId: () => string
  /** certificates from outside */
  others?: readonly Certificate[]
  /** how many counter-signatures and time-stamps of the document may still be judged; absent: as many as there are */
  budget?: { left: number } | undefined
  /** id of the signature that this one countersigns */
  countersigns?: string
}

/** One more to be judged; false when there were too many, which no honest document has. */
export function spend(budget: SignerReading['budget']): boolean {
  return budget === undefined || --budget.left >= 0
}
