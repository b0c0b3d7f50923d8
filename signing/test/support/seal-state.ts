/** How the newest seal of a PDF holds, by the facts of the validation; nobody is trusted. */
import { bufferAccess } from '../../index.ts'
import { readPdfFacts } from '../../pdf/facts.ts'
import type { Certificate } from '../../trust/certificate.ts'
import type { SignatureFaultCode } from '../../validation/facts.ts'

export type SealState =
  | { kind: 'unsealed' }
  | { kind: 'broken'; faults: SignatureFaultCode[] }
  /** `extended`: nothing that it covers was changed, but bytes were appended */
  | {
      kind: 'intact' | 'extended'
      field: string
      coveredBytes: number
      claimedTime: Date | null
      certificate: Certificate
    }

export async function sealState(pdf: Buffer, password?: string): Promise<SealState> {
  const { signatures } = await readPdfFacts(bufferAccess(pdf), password === undefined ? {} : { password })
  const newest = signatures.at(-1)
  if (newest === undefined) return { kind: 'unsealed' }
  const { faults, scope, name, claimed, certificate } = newest
  if (faults.length > 0 || certificate === null || scope.revisionBytes === null)
    return { kind: 'broken', faults: faults.map(({ code }) => code) }
  const kind = scope.revisionBytes === pdf.length ? 'intact' : 'extended'
  return { kind, field: name, coveredBytes: scope.revisionBytes, claimedTime: claimed.time, certificate }
}
