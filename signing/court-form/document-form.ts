/**
 * Does anybody answer for this document in the form of § 130a Abs. 3, 4 ZPO: by an own qualified signature, or by a
 * simple one on a secure way? Pure.
 */
import type { CourtRuleId } from '../../policies/index.ts'
import type { FileFacts, FilingSignature, SecureWay } from './facts.ts'
import type { DocumentForm } from './report.ts'

/** What is to be said, before its weight and its words. */
export interface Draft {
  rule: CourtRuleId
  detail: string
}

export interface FormVerdict {
  form: DocumentForm
  drafts: Draft[]
}

/**
 * The form of a document that needs one. One good signature is enough; the others are named, because the court sees them
 * in its own check.
 */
export function judgeDocument({ signatures }: Pick<FileFacts, 'signatures'>, secureWay: SecureWay): FormVerdict {
  const standings = signatures.map((signature) => ({ signature, standing: standingOf(signature) }))
  const has = (wanted: Standing): boolean => standings.some(({ standing }) => standing === wanted)
  /** what is only beside the signatures that count needs no reason of its own */
  const drafts = (counts: (standing: Standing) => boolean): Draft[] =>
    standings.flatMap(({ signature, standing }) =>
      standing === 'qualified' ? [] : [draft(counts(standing) ? standing : 'further-signature', signature)],
    )
  if (has('qualified')) return { form: 'qualified', drafts: drafts(() => false) }
  const all = drafts(() => true)
  if (secureWay === 'vhn') return { form: 'simple', drafts: [{ rule: 'simple-signature', detail: '' }, ...all] }
  if (OPEN.some(has)) return { form: 'undecided', drafts: drafts((standing) => OPEN.includes(standing)) }
  return { form: 'missing', drafts: [{ rule: 'signature-missing', detail: '' }, ...all] }
}

const OPEN: readonly Standing[] = ['signature-undecided', 'signature-form']

/** What is wrong with a signature for a court, or nothing. */
type Standing =
  | 'qualified'
  | Extract<
      CourtRuleId,
      | 'signature-undecided'
      | 'signature-form'
      | 'signature-invalid'
      | 'seal-only'
      | 'signature-not-qualified'
      | 'signature-enveloping'
    >

function standingOf(signature: FilingSignature): Standing {
  const { indication, qualification, claim, isWhole, isEnveloping } = signature
  if (indication === 'TOTAL-FAILED') return 'signature-invalid'
  if (isEnveloping) return 'signature-enveloping'
  if (isSeal(signature)) return 'seal-only'
  if (qualification.kind === 'QESig') {
    const isCertain = indication === 'TOTAL-PASSED' && !qualification.provisional && isWhole
    if (!isCertain) return 'signature-undecided'
    return signature.form === 'XAdES' ? 'signature-form' : 'qualified'
  }
  // without an answer from the lists the certificate may be what it says
  const isUnanswered = qualification.kind === 'undetermined' || !signature.isListed
  return claim === 'signature' && isUnanswered ? 'signature-undecided' : 'signature-not-qualified'
}

/** An authority's seal names no person who answers. */
function isSeal({ qualification: { kind }, claim }: FilingSignature): boolean {
  return kind.includes('Seal') || (claim === 'seal' && kind !== 'QESig')
}

export function draft(rule: CourtRuleId, signature: FilingSignature): Draft {
  return { rule, detail: nameOfSignature(signature) }
}

/** `Anna Amt: TOTAL-FAILED/HASH_FAILURE, Klage.pdf.p7s` */
function nameOfSignature({ signer, id, indication, subIndication, qualification, file }: FilingSignature): string {
  const verdict = subIndication === null ? indication : `${indication}/${subIndication}`
  const kind = `${qualification.kind}${qualification.provisional && qualification.kind !== 'undetermined' ? '?' : ''}`
  return `${signer ?? id}: ${verdict}, ${kind}, ${file}`
}
