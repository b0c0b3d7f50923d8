/**
 * Judges a filing by the form that courts demand: facts in, report out. Pure, so that the same facts always give the same
 * answer.
 */
import { COURT_LIMITS, COURT_RULES, judgeCourtNames, nameEnding, nameKey } from '../../policies/index.ts'
import type { CourtRule, CourtSeverity } from '../../policies/index.ts'
import { judgeDocument, draft } from './document-form.ts'
import type { Draft, FormVerdict } from './document-form.ts'
import type { FileFacts, FilingFacts, FilingSignature } from './facts.ts'
import { judgeFile } from './file-findings.ts'
import type { CourtFile, CourtFinding, CourtFormReport, CourtVerdict } from './report.ts'
import { de } from './texts/de.ts'
import { en } from './texts/en.ts'

/** @param checkedAt when the facts were gathered */
export function judgeFiling(facts: FilingFacts, checkedAt: Date): CourtFormReport {
  const { files, secureWay } = facts
  const pdfs = new Set(files.filter(({ kind }) => kind === 'pdf').map(({ name }) => stemOf(name)))
  const hasPdf = ({ name }: FileFacts): boolean => pdfs.has(stemOf(name))
  const forms = files.map((file) => judgeForm(file, facts, hasPdf(file)))
  const names = judgeCourtNames(files.map(({ name }) => name))
  const isSafe = isEveryDocumentQualified(forms)
  const judged = files.map((file, index): CourtFile => {
    const { form, drafts } = forms[index] ?? NOT_ASKED
    const own = names.filter((finding) => finding.index === index).map(({ rule, detail }): Draft => ({ rule, detail }))
    const all = [...drafts, ...judgeFile(file, hasPdf(file)), ...own]
    return {
      ...described(file, files),
      form,
      findings: all.map((one) => {
        const finding = weighed(one, facts)
        // a list that is signed besides takes nothing away from signatures of their own
        const isHarmless = isSafe && one.rule === 'container-signature' && file.kind !== 'archive'
        return isHarmless ? { ...finding, severity: 'warn' } : finding
      }),
    }
  })
  const findings = [...limits(files), ...(forms.some(({ form }) => form !== 'not-asked') ? [] : NO_DOCUMENT)].map(
    (one) => weighed(one, facts),
  )
  const verdict = verdictOf([...findings, ...judged.flatMap((file) => file.findings)])
  return { version: 1, checkedAt: checkedAt.toISOString(), secureWay, verdict, findings, files: judged }
}

function judgeForm(file: FileFacts, { secureWay }: FilingFacts, hasPdf: boolean): FormVerdict {
  const { kind, role, signatures } = file
  if (role === 'exhibit') return NOT_ASKED
  const drafts = signatures.flatMap((signature) => commonSignature(file, signature))
  if (drafts.length > 0) return { form: 'not-asked', drafts }
  const isDocument = kind === 'pdf' || kind === 'office' || (kind === 'tiff' && !hasPdf)
  if (!isDocument) return NOT_ASKED
  // signatures inside were not seen
  const isLocked = file.pdf?.kind === 'locked' && signatures.length === 0 && secureWay === 'none'
  return isLocked
    ? { form: 'undecided', drafts: [{ rule: 'signature-undecided', detail: '' }] }
    : judgeDocument(file, secureWay)
}

/** A signature that is none over one document alone, whatever its own verdict. */
function commonSignature({ kind, namesOthers }: FileFacts, signature: FilingSignature): Draft[] {
  if (kind === 'archive' && signature.documents === 1) return [draft('signature-enveloping', signature)]
  if (kind === 'archive' || namesOthers > 1) return [draft('container-signature', signature)]
  return kind === 'xml' ? [draft('signature-form', signature)] : []
}

function isEveryDocumentQualified(forms: readonly FormVerdict[]): boolean {
  const asked = forms.filter(({ form }) => form !== 'not-asked')
  return asked.length > 0 && asked.every(({ form }) => form === 'qualified')
}

function limits(files: readonly FileFacts[]): Draft[] {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const { files: most, bytes: mostBytes, ownFiles, ownBytes } = COURT_LIMITS
  const tooMany = files.length > most
  const tooLarge = bytes > mostBytes
  const isNear = files.length + ownFiles > most || bytes + ownBytes > mostBytes
  return [
    ...(tooMany ? [{ rule: 'file-count', detail: `${files.length} > ${most}` } as const] : []),
    ...(tooLarge ? [{ rule: 'file-volume', detail: `${bytes} > ${mostBytes} byte` } as const] : []),
    ...(isNear && !tooMany && !tooLarge
      ? [{ rule: 'limits-near', detail: `${files.length}, ${bytes} byte` } as const]
      : []),
  ]
}

function weighed({ rule, detail }: Draft, { secureWay }: FilingFacts): CourtFinding {
  const { severity, onSecureWay = severity, about, basis }: CourtRule = COURT_RULES[rule]
  return {
    rule,
    severity: secureWay === 'vhn' ? onSecureWay : severity,
    about,
    basis,
    detail,
    reason: { de: de.rules[rule].reason, en: en.rules[rule].reason },
    advice: { de: de.rules[rule].advice, en: en.rules[rule].advice },
  }
}

function verdictOf(findings: readonly CourtFinding[]): CourtVerdict {
  const has = (wanted: CourtSeverity, about?: CourtRule['about']): boolean =>
    findings.some((finding) => finding.severity === wanted && (about === undefined || finding.about === about))
  if (has('block', 'form')) return 'not-kept'
  if (has('block')) return 'unfit'
  return has('open') ? 'undecided' : 'kept'
}

function described(file: FileFacts, files: readonly FileFacts[]): Omit<CourtFile, 'form' | 'findings'> {
  const { name, role, kind, pdf, sizeBytes, sha256, over, signatures } = file
  return {
    name,
    role,
    kind,
    pdfVersion: pdf?.kind === 'read' ? pdf.version : '',
    sizeBytes,
    sha256,
    over: over === null ? null : (files[over]?.name ?? null),
    signatures: [...signatures],
  }
}

/** Without its ending, for files that belong together. */
function stemOf(name: string): string {
  const ending = nameEnding(name)
  const key = nameKey(name)
  return ending === '' ? key : key.slice(0, -ending.length - 1)
}

const NOT_ASKED: FormVerdict = { form: 'not-asked', drafts: [] }
const NO_DOCUMENT: readonly Draft[] = [{ rule: 'no-document', detail: '' }]
