/**
 * What is known of a filing before it is judged: of every file its kind, its content and the signatures over it.
 *
 * Plain data; signatures are as the validation reports them (validation/report.ts), reduced to what decides the form.
 */
import type { Conclusion, QualificationReport, SignatureReport } from '../validation/report.ts'
import type { FileKind } from './file-kind.ts'
import type { PdfContent } from './pdf-content.ts'

/** - `vhn`: the caller says that the message goes by beBPo with a proof of origin · `none`: it does not */
export type SecureWay = 'vhn' | 'none'

/** - `exhibit`: belongs to a document and needs no signature (§ 130a Abs. 3 Satz 2 ZPO) */
export type FileRole = 'document' | 'exhibit'

export interface FilingFacts {
  secureWay: SecureWay
  /** in the order given */
  files: readonly FileFacts[]
}

export interface FileFacts {
  name: string
  role: FileRole
  sizeBytes: number
  /** lower-case hexadecimal */
  sha256: string
  kind: FileKind
  /** null: no PDF */
  pdf: PdfContent | null
  /** over this file: those in it, then those beside it; counter-signatures are left out */
  signatures: readonly FilingSignature[]
  /** of a signature file, also in XML: index of the file that it is over; null: none is there, or it is no such file */
  over: number | null
  /** of a signature file: somebody signed */
  isReadable: boolean
  /** can be taken for a file of another kind, too */
  isSecondKind: boolean
  /** how many other files of the filing a signed list has the digests of, or an XML signature refers to */
  namesOthers: number
}

export interface FilingSignature extends Conclusion {
  /** of the file that it is in */
  file: string
  id: string
  form: SignatureReport['form']
  /** null: there is no certificate that fits */
  signer: string | null
  qualification: Pick<QualificationReport, 'kind' | 'provisional'>
  /** what the certificate says of itself; null: nothing about being qualified */
  claim: 'signature' | 'seal' | null
  /** trusted lists were asked */
  isListed: boolean
  /** it covers all of the file as it is shown, and nothing about either is unclean */
  isWhole: boolean
  /** its content is inside of it */
  isEnveloping: boolean
  /** files of its ASiC container that it covers; null: it is in none */
  documents: number | null
}
