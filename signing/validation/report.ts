/**
 * The result of a validation: what programs, pages and report makers read (ETSI EN 319 102-1 §5.1, TS 119 102-2).
 *
 * Three answers that are never mixed: the technical verdict of each signature, its qualification, and the state of the
 * document. Plain data that survives JSON; times are ISO 8601 in UTC.
 */
import type { DocumentFormat, SignatureScope, TimestampFacts } from './facts.ts'
import type { Finding } from './finding.ts'

export type Indication = 'TOTAL-PASSED' | 'INDETERMINATE' | 'TOTAL-FAILED'

/** ETSI EN 319 102-1 table 6; spelling as there. */
export type SubIndication =
  | 'FORMAT_FAILURE'
  | 'HASH_FAILURE'
  | 'SIG_CRYPTO_FAILURE'
  | 'REVOKED'
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'SIG_CONSTRAINTS_FAILURE'
  | 'CHAIN_CONSTRAINTS_FAILURE'
  | 'CERTIFICATE_CHAIN_GENERAL_FAILURE'
  | 'CRYPTO_CONSTRAINTS_FAILURE'
  | 'POLICY_PROCESSING_ERROR'
  | 'SIGNATURE_POLICY_NOT_AVAILABLE'
  | 'TIMESTAMP_ORDER_FAILURE'
  | 'NO_SIGNING_CERTIFICATE_FOUND'
  | 'NO_CERTIFICATE_CHAIN_FOUND'
  | 'NO_CERTIFICATE_CHAIN_FOUND_NO_POE'
  | 'REVOKED_NO_POE'
  | 'REVOKED_CA_NO_POE'
  | 'OUT_OF_BOUNDS_NOT_REVOKED'
  | 'OUT_OF_BOUNDS_NO_POE'
  | 'REVOCATION_OUT_OF_BOUNDS_NO_POE'
  | 'CRYPTO_CONSTRAINTS_FAILURE_NO_POE'
  | 'NO_POE'
  | 'TRY_LATER'
  | 'SIGNED_DATA_NOT_FOUND'

export interface Conclusion {
  indication: Indication
  /** null exactly when passed */
  subIndication: SubIndication | null
}

/**
 * What a person is told first.
 *
 * - `valid`: every signature passed and nothing needs a word beside it
 * - `valid-with-remarks`: every signature passed, but there are warnings that must be shown with it
 * - `undecided`: none failed, but one could not be decided, or the state of the document is unclean
 * - `invalid`: a signature failed
 * - `unsigned`: there is no trace of a signature
 */
export type Headline = 'valid' | 'valid-with-remarks' | 'undecided' | 'invalid' | 'unsigned'

export interface ValidationReport {
  /** version of this structure */
  version: 1
  /** `amtsbote` and its version */
  producer: string
  validationTime: string
  policy: PolicyReport
  document: { format: DocumentFormat; sizeBytes: number; sha256: string }
  headline: Headline
  signatures: SignatureReport[]
  /** all time-stamps of the document; signatures name theirs by id */
  timestamps: TimestampReport[]
  /** every certificate that is named anywhere in the report, by its `sha256` */
  certificates: CertificateReport[]
  /** about the document as a whole */
  findings: Finding[]
  /** trusted lists that answers rest upon */
  lists: ListReport[]
}

export interface PolicyReport {
  /** name of the validation policy, `strict` unless chosen otherwise */
  id: string
  /** the algorithm view that decides, and the other one for information */
  algorithms: 'ts119312' | 'bnetza'
  /** lower-case hexadecimal, over the settings of the policy */
  sha256: string
}

export interface SignatureReport extends Conclusion {
  id: string
  form: 'PAdES' | 'CAdES' | 'XAdES'
  name: string
  countersigns: string | null
  /** the highest level whose demands hold: `PAdES-BASELINE-LTA`, or `not-baseline` */
  level: string
  /** why the next level is not reached; empty at LTA */
  levelGap: string
  qualification: QualificationReport
  /** sha256 of the signer's certificate; null: none */
  certificate: string | null
  /** of the path that was used, signer first, anchor last; empty: none was found */
  path: string[]
  /** of the trust anchor: the list entry or the operator's file; null: none */
  anchorSource: string | null
  /** the earliest time for which it is proven that the signature existed, and by what (`T1`, or `now`) */
  bestTime: { time: string; source: string }
  claimedTime: string | null
  reason: string | null
  location: string | null
  /** all constraints that were checked, passed or not, in the order of the standard */
  constraints: ConstraintReport[]
  algorithms: AlgorithmReport[]
  timestampIds: string[]
  scope: SignatureScope
  findings: Finding[]
}

/** One check with its outcome (TS 119 102-2 §5.3). */
export interface ConstraintReport {
  /** building block: format, certificate, context, chain, revocation, crypto, acceptance, past, poe */
  block: 'format' | 'certificate' | 'context' | 'chain' | 'revocation' | 'crypto' | 'acceptance' | 'past' | 'poe'
  /** stable name: `signature-value`, `path-found`, `revocation-fresh` … */
  name: string
  result: 'passed' | 'failed' | 'undecided' | 'information'
  /** what it means for the conclusion when not passed; null otherwise */
  subIndication: SubIndication | null
  /** English, for experts; `` when passed */
  detail: string
  /** what it was about: sha256 of a certificate, id of a time-stamp; null: the signature itself */
  subject: string | null
}

export interface AlgorithmReport {
  place: string
  /** `rsa-pkcs1 sha256 3072`, `sha256` */
  name: string
  /** the last instant of suitability in each view: null without end, `refused` when never suitable */
  until: { ts119312: string | null; bnetza: string | null }
}

export interface TimestampReport extends Conclusion {
  id: string
  kind: TimestampFacts['kind']
  /** null: the token cannot be read */
  time: string | null
  certificate: string | null
  path: string[]
  /** a qualified time-stamp after the trusted lists; null: not to be told */
  qualified: boolean | null
  constraints: ConstraintReport[]
  findings: Finding[]
}

export interface CertificateReport {
  sha256: string
  subject: string
  issuer: string
  serialNumber: string
  notBefore: string
  notAfter: string
  /** `rsa 3072`, `ec brainpoolP256r1` */
  key: string
  /** what QcStatements claim */
  claims: { qualified: boolean; device: boolean; type: 'esign' | 'eseal' | 'web' | null; countries: string[] }
  /** limits that the certificate states itself: amounts, professions, restrictions, procuration */
  restrictions: string[]
  /** the status that counted; null: it needed none, or none is known */
  revocation: RevocationReport | null
  /** DER, base64: whoever has the report can check it */
  der: string
}

export interface RevocationReport {
  status: 'good' | 'revoked' | 'hold' | 'unknown' | 'stale' | 'unavailable'
  source: 'crl' | 'ocsp' | null
  thisUpdate: string | null
  producedAt: string | null
  revokedAt: string | null
  reason: string | null
  /** sha256 of the CRL or OCSP answer */
  sha256: string | null
}

/** ETSI TS 119 615 §4.5: AdES means advanced; QC: by a qualified certificate. */
export type QualificationKind =
  | 'QESig'
  | 'QESeal'
  | 'AdESig-QC'
  | 'AdESeal-QC'
  | 'AdESig'
  | 'AdESeal'
  /** lists contradict each other or themselves, or are too old */
  | 'undetermined'
  /** web certificates, broken signatures */
  | 'none'

export interface QualificationReport {
  kind: QualificationKind
  /** the technical verdict does not allow the claim yet: say "undetermined: would be …" */
  provisional: boolean
  /** the entry that proves it; null: none */
  proof: {
    territory: string
    sequence: number
    listSha256: string
    provider: string
    service: string
    status: string
  } | null
  /** conflicts and reasons, English, for experts */
  remarks: string[]
}

export interface ListReport {
  territory: string
  sequence: number
  issuedAt: string
  nextUpdate: string | null
  sha256: string
  /** when it was fetched; null: it came with the program or the operator */
  retrievedAt: string | null
  state: 'current' | 'overdue'
}
