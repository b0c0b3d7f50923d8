/** What a person is told first about a whole document. Never better than its worst part. */
import type { Finding } from './finding.ts'
import type { Conclusion, Headline, SignatureReport, TimestampReport } from './report.ts'

export interface HeadlineParts {
  signatures: readonly SignatureReport[]
  timestamps: readonly TimestampReport[]
  findings: readonly Finding[]
}

/** Without signatures the time-stamps of a document are what it stands on (ASiC-S with a token, .tsr). */
export function headlineOf({ signatures, timestamps, findings }: HeadlineParts): Headline {
  const all = [...findings, ...signatures.flatMap((signature) => signature.findings)]
  const unclean = all.some(({ severity }) => severity === 'unclean')
  const deciding: readonly Conclusion[] = signatures.length > 0 ? signatures : timestamps
  if (deciding.length === 0) return unclean ? 'undecided' : 'unsigned'
  if (deciding.some(({ indication }) => indication === 'TOTAL-FAILED')) return 'invalid'
  if (unclean || deciding.some(({ indication }) => indication === 'INDETERMINATE')) return 'undecided'
  return all.some(({ severity }) => severity === 'warning') ? 'valid-with-remarks' : 'valid'
}
