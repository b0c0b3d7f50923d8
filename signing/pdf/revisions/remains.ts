/**
 * What a document holds besides its revisions and their signatures: bytes that belong to nothing, and things that look
 * like a signature but no form ever had.
 */
import type { Finding } from '../../validation/finding.ts'
import type { Revisions } from './revisions.ts'

export interface Remains {
  findings: Finding[]
  /** how many traces of signatures no form explains */
  signatureLike: number
}

export function remains({ newest, source }: Revisions): Remains {
  const findings: Finding[] = []
  const end = newest.end ?? newest.closed
  if (end < source.size) {
    findings.push({
      severity: 'unclean',
      code: 'uncovered-bytes',
      detail: `${source.size - end} bytes follow the end of the last revision`,
    })
  }
  return { findings, signatureLike: 0 }
}
