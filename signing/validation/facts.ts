/**
 * What a signed document says and what of it holds together, before anybody is trusted.
 *
 * Every format has a reader that makes these facts (pdf/, cms/, xades/, asic/); judge.ts turns them into verdicts with
 * anchors, evidence, policy and time. Facts are plain data: the same bytes give the same facts.
 */
import type { TimestampInfo } from '../timestamp/token.ts'
import type { Certificate } from '../trust/certificate.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import type { AlgorithmFacts } from '../trust/signature-value.ts'
import type { Finding } from './finding.ts'

export type DocumentFormat = 'pdf' | 'cms' | 'xml' | 'asic-s' | 'asic-e' | 'zip' | 'timestamp' | 'unknown'

export interface DocumentFacts {
  format: DocumentFormat
  /** in the order in which they were made, as far as that can be told; one per field also where it is unreadable */
  signatures: readonly SignatureFacts[]
  /** all time-stamps of the document, each once, whatever they hang on */
  timestamps: readonly TimestampFacts[]
  /** everything of use that the document carries anywhere, time-stamp tokens included; nothing in it is trusted */
  evidence: Evidence
  /** about the document as a whole */
  findings: readonly Finding[]
}

export interface SignatureFacts {
  /** unique in the document and the same each time it is read: `S1`, `S2` … */
  id: string
  form: 'PAdES' | 'CAdES' | 'XAdES'
  /** name of the form field, or of the file in the container; empty when there is none */
  name: string
  /** id of the signature that this one countersigns; null: it signs data */
  countersigns: string | null
  /** what keeps it from holding, whoever made it; the gravest first */
  faults: readonly SignatureFault[]
  /** null: none that fits is there */
  certificate: Certificate | null
  /** what the signing side says; proves nothing */
  claimed: ClaimedFacts
  /** of the signature value, of digests over data and attributes: everything that the algorithm policy asks about */
  algorithms: readonly AlgorithmInUse[]
  /** objectId of the signature value */
  valueId: string
  /** in the order of `DocumentFacts.timestamps` */
  timestampIds: readonly string[]
  /** why it is no baseline signature of its form (ETSI EN 319 122, 132, 142); empty: it is one, at least B-B */
  profileFaults: readonly string[]
  /** the material of this signature is where the level LT wants it (DSS, CMS crls, RevocationValues) */
  carriesEvidence: boolean
  scope: SignatureScope
  /** about this signature, for reports and for the headline */
  findings: readonly Finding[]
}

export interface ClaimedFacts {
  /** null: none, or one without a zone */
  time: Date | null
  reason: string | null
  location: string | null
  /** object identifiers of commitment-type-indication */
  commitments: readonly string[]
  /** object identifier or URI of the signature policy; null: none */
  policy: string | null
}

/**
 * - `format`: structure that contradicts itself or the standard, or that allows reading it in two ways
 * - `forbidden-change`: the document was changed after signing in a way that its signature does not allow
 * - `digest`: the signed data are others
 * - `value`: the signature value does not fit the certificate
 * - `data-missing`: what was signed is not there
 * - `certificate-missing`: no certificate that the signature names
 * - `certificate-reference`: signing-certificate names another certificate than the one that fits the value
 * - `constraints`: something that a signature must or must not have (no signing-certificate, a transform that is not executed)
 * - `policy-missing`: it follows a signature policy that is not at hand
 * - `algorithm`: an algorithm that this program does not know, so nothing was verified
 */
export type SignatureFaultCode =
  | 'format'
  | 'forbidden-change'
  | 'digest'
  | 'value'
  | 'data-missing'
  | 'certificate-missing'
  | 'certificate-reference'
  | 'constraints'
  | 'policy-missing'
  | 'algorithm'

export interface SignatureFault {
  code: SignatureFaultCode
  /** English, for experts; names no person and no content */
  detail: string
}

/** What is covered by the signature, of everything that there is. */
export interface SignatureScope {
  /**
   * - `whole`: every byte of the document (PDF: nothing was added later; container: every file)
   * - `revision`: a whole earlier state of a PDF
   * - `part`: less than a document: some files of a container, an element of an XML document, a truncated range
   * - `nothing`: not to be told, because the signature is broken
   */
  kind: 'whole' | 'revision' | 'part' | 'nothing'
  /** bytes of the PDF revision, or names of files and elements; for reports */
  names: readonly string[]
  /** PDF: length of the signed revision, with which it can be cut out; null elsewhere */
  revisionBytes: number | null
}

/** One algorithm at work, and for what. */
export interface AlgorithmInUse {
  /** where: `signature`, `message-digest`, `reference 2` … */
  place: string
  /** digests alone have only `digest` */
  use: Pick<AlgorithmFacts, 'digest'> | AlgorithmFacts
}

export interface TimestampFacts {
  /** unique in the document and the same each time it is read: `T1`, `T2` … */
  id: string
  /**
   * - `content`: over the data before they were signed (a proof that the signature is younger)
   * - `signature`: over a signature value
   * - `archive`: over a signature with its evidence and earlier time-stamps (CAdES, XAdES)
   * - `document`: over a PDF revision, or over a data object alone (ASiC-S, .tst)
   * - `manifest`: over a manifest of an ASiC container
   */
  kind: 'content' | 'signature' | 'archive' | 'document' | 'manifest'
  /** what keeps it from proving anything, apart from trust; empty when it holds together and its imprint fits */
  faults: readonly TimestampFault[]
  /** null: the token cannot be read */
  info: TimestampInfo | null
  /** that the token was signed with; null: none fits */
  certificate: Certificate | null
  /** certificates inside the token */
  certificates: readonly Certificate[]
  algorithms: readonly AlgorithmInUse[]
  /** objectId of the token */
  tokenId: string
  /**
   * objectIds of everything that is really inside the imprint: signature values, certificates, CRLs, OCSP answers,
   * tokens. A content time-stamp lists nothing.
   */
  covers: ReadonlySet<string>
  findings: readonly Finding[]
}

/**
 * - `form`: it breaks RFC 3161 in itself (several signers, unknown critical extension, usage of the certificate)
 * - `data-missing`: what it is over is not at hand, so that the imprint stays unchecked
 */
export type TimestampFaultCode =
  'unreadable' | 'imprint' | 'data-missing' | 'value' | 'certificate' | 'form' | 'algorithm' | 'index'

export interface TimestampFault {
  code: TimestampFaultCode
  detail: string
}
