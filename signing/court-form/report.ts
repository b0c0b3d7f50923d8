/**
 * The result of the court-form check: for programs as plain data that survives JSON, for people by text.ts.
 *
 * The verdict on the form rests upon the cryptographic verdicts and is another answer: a signature that passed may be
 * none that a court takes.
 */
import type { CourtRuleId, CourtSeverity } from '../../policies/index.ts'
import type { FileRole, FilingSignature, SecureWay } from './facts.ts'
import type { FileKind } from './file-kind.ts'

/**
 * - `kept`: nothing stands against sending; warnings are for a person to look at
 * - `undecided`: something cannot be decided here, and nothing is wrong for certain
 * - `unfit`: somebody answers for every document, but files are not as courts demand them
 * - `not-kept`: a document is without the form of § 130a Abs. 3, 4 ZPO
 */
export type CourtVerdict = 'kept' | 'undecided' | 'unfit' | 'not-kept'

/**
 * - `qualified`: an own valid qualified signature · `undecided`: one that cannot be decided
 * - `simple`: none, on a secure way: the typed name counts · `missing`: none of these
 * - `not-asked`: no document that needs a form (an exhibit, a signature file, a file that is none of this)
 */
export type DocumentForm = 'qualified' | 'undecided' | 'simple' | 'missing' | 'not-asked'

export interface CourtFormReport {
  /** version of this structure */
  version: 1
  checkedAt: string
  secureWay: SecureWay
  verdict: CourtVerdict
  /** about the message as a whole */
  findings: CourtFinding[]
  /** in the order given */
  files: CourtFile[]
}

export interface CourtFile {
  name: string
  role: FileRole
  kind: FileKind
  /** of a PDF; empty: none, or not to be read */
  pdfVersion: string
  sizeBytes: number
  sha256: string
  form: DocumentForm
  /** of a signature file: the name of the file that it is over; null: none is there, or it is no signature file */
  over: string | null
  signatures: FilingSignature[]
  findings: CourtFinding[]
}

export interface CourtFinding {
  rule: CourtRuleId
  severity: CourtSeverity
  about: 'form' | 'files'
  /** paragraph or notice that the rule comes from */
  basis: string
  /** numbers, names, object numbers; English where words are needed; empty: the rule says it all */
  detail: string
  reason: Bilingual
  advice: Bilingual
}

export interface Bilingual {
  de: string
  en: string
}
