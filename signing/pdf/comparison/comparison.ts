/**
 * What the parts of a comparison of two revisions share.
 */
import type { PdfDocument } from '../document.ts'
import type { Field } from '../fields.ts'
import type { PdfValue } from '../values.ts'
import type { Change, ChangeKind } from './change.ts'
import type { Sameness } from './sameness.ts'

export interface Comparison {
  before: PdfDocument
  after: PdfDocument
  /** form fields of both sides by object number */
  fieldsBefore: ReadonlyMap<number, Field>
  fieldsAfter: ReadonlyMap<number, Field>
  same: Sameness
  leadsToChange: ReadonlySet<number>
  report: (change: Change) => void
  /** Notes that this object is compared for itself: a page, or an annotation of both sides. */
  compareApart: (number: number) => void
  /** Compares when it is known what is compared for itself; reports `kind` when the values differ. */
  demandSame: (place: string, before: PdfValue | undefined, after: PdfValue | undefined, kind?: ChangeKind) => void
}
