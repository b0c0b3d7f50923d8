/**
 * The court-form check (Formprüfung): do the files of one filing keep the form that German courts demand (ZPO § 130a,
 * ERVV, ERVB)? The rules are policies/court-form.ts; whether a signature is valid, validation/ says.
 *
 * Not here: the data set (XJustiz), the proof of origin (VHN) itself, the contents of a pleading.
 */
import type { CourtFormReport } from './report.ts'
import { gatherFiling } from './gather.ts'
import type { FilingFile, GatherOptions } from './gather.ts'
import { judgeFiling } from './judge.ts'

export type { FileRole, SecureWay } from './facts.ts'
export type { FilingFile } from './gather.ts'
export type { CourtFormReport, CourtVerdict } from './report.ts'
export { courtFormText } from './text.ts'

export interface CourtFormOptions extends GatherOptions {
  /** when this is; signatures are validated at the time of `validate` */
  now: Date
}

/**
 * Checks the files of one filing: documents, signatures beside them, exhibits.
 *
 * @throws SigningError `signing/source-changed`, and what `validate` throws except `signing/pdf-encrypted`; what is in the
 *   files never throws
 */
export async function checkCourtForm(
  files: readonly FilingFile[],
  { now, ...options }: CourtFormOptions,
): Promise<CourtFormReport> {
  return judgeFiling(await gatherFiling(files, options), now)
}
