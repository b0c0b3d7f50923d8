/** Can the court work with this file (§ 130a Abs. 2 ZPO, ERVV § 2)? By its kind and by what is inside. Pure. */
import { COURT_PDF_VERSIONS } from '../../policies/index.ts'
import type { CourtRuleId } from '../../policies/index.ts'
import type { Draft } from './document-form.ts'
import type { FileFacts } from './facts.ts'
import type { FileKind } from './file-kind.ts'
import type { PdfContent } from './pdf-content.ts'
import type { PdfTrait } from './pdf-traits.ts'

/** @param hasPdf the filing has a PDF of the same name: pictures may stand beside it */
export function judgeFile(file: FileFacts, hasPdf: boolean): Draft[] {
  const second: Draft[] = file.isSecondKind ? [{ rule: 'second-kind', detail: '' }] : []
  return [...judgeKind(file, hasPdf), ...(file.pdf === null ? [] : judgePdf(file.pdf)), ...second]
}

function judgeKind({ kind, role, over, isReadable }: FileFacts, hasPdf: boolean): Draft[] {
  if (kind === 'signature') return isReadable ? orphan('signature-orphaned', over) : one('signature-unreadable')
  // with the file beside it, that file says so
  if (kind === 'enveloping') return orphan('signature-enveloping', over)
  if (kind === 'tiff' && hasPdf) return one('image-beside-pdf')
  if (kind === 'xml' && over !== null) return []
  const rule = KINDS[kind]
  if (rule !== 'file-type') return rule === null ? [] : one(rule)
  return one(role === 'exhibit' ? 'exhibit-type' : 'file-type')
}

const orphan = (rule: CourtRuleId, over: number | null): Draft[] => (over === null ? one(rule) : [])

function judgePdf(pdf: PdfContent): Draft[] {
  switch (pdf.kind) {
    case 'locked':
      return one('pdf-password')
    case 'damaged':
      return one('pdf-damaged', pdf.reason)
    case 'too-complex':
      return one('pdf-not-searched', pdf.reason)
    case 'read':
      return [
        ...(COURT_PDF_VERSIONS.has(pdf.version) ? [] : one('pdf-version', pdf.version)),
        ...(pdf.protection === 'none' ? [] : one(`pdf-${pdf.protection}`)),
        ...[...pdf.traits].map(([trait, places]): Draft => ({ rule: RULES[trait], detail: places.join(', ') })),
        ...(pdf.unreadableObjects === 0 ? [] : one('pdf-not-searched', `${pdf.unreadableObjects} objects`)),
      ]
  }
}

const one = (rule: CourtRuleId, detail = ''): Draft[] => [{ rule, detail }]

const KINDS = {
  pdf: null,
  tiff: 'file-type',
  office: 'file-type',
  xml: 'file-type',
  other: 'file-type',
  archive: 'archive',
  executable: 'executable',
  empty: 'file-empty',
} as const satisfies Record<Exclude<FileKind, 'signature' | 'enveloping'>, CourtRuleId | null>

const RULES: Readonly<Record<PdfTrait, CourtRuleId>> = {
  script: 'pdf-script',
  launch: 'pdf-launch',
  xfa: 'pdf-xfa',
  'embedded-file': 'pdf-embedded-file',
  executable: 'pdf-executable',
  multimedia: 'pdf-multimedia',
  external: 'pdf-external',
  font: 'pdf-fonts',
}
