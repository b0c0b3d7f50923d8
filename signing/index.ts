/**
 * Seals and keys: what makes a document bear the authority's signature, and what opens what was encrypted for it.
 *
 * Takes bytes and keys, gives bytes and verdicts. Knows no rooms, rows, networks or clocks.
 */
export { SigningError } from './errors.ts'
export type { SigningErrorCode } from './errors.ts'
export { appendedAccess, bufferAccess, piecesOf } from './random-access.ts'
export type { RandomAccess } from './random-access.ts'
export type { Http } from './http.ts'

export { readCertificate } from './certificate.ts'
export type { CertificateKind } from './certificate.ts'
export type { OpenedKey, SignatureAlgorithm, SigningKey } from './keys/signing-key.ts'
export { SIGNATURE_ALGORITHMS } from './keys/algorithms.ts'
export { KEY_ALGORITHMS } from './keys/key-algorithm.ts'
export type { KeyAlgorithm } from './keys/key-algorithm.ts'
export { checkSealKind, checkUsable } from './keys/usable.ts'
export {
  issueTrialCertificate,
  makeCertificateRequest,
  makeTrialIdentity,
  openCscKey,
  openPkcs11Key,
} from './when-asked.ts'
export type { CscOptions } from './keys/csc.ts'
/** Keys inside tokens are made and read by the command line alone: loaded when it asks. */
export const tokenKeys = () => import('./keys/pkcs11/token-keys.ts')
export type { DecryptionKey } from './keys/decryption-key.ts'
export { openPkcs12, repackPkcs12 } from './keys/pkcs12.ts'
export type { TrialRequest, TrialUsage } from './keys/trial-identity.ts'

export * from './xml/index.ts'

export { sealPdf } from './pdf/seal.ts'
export type { SealRequest, SealedPdf } from './pdf/seal-request.ts'
export type { SealMark } from './pdf/mark/mark.ts'
export { sealMany } from './pdf/seal-many.ts'
export { extendPdf, sealPdfToLevel } from './pdf/levels.ts'
export type { AdesLevel, LevelSources } from './cms/cades-levels.ts'
export { extendCades } from './cms/cades-levels.ts'
export { extendAsic, extendXades, signAsic, signCades, signXadesEnveloped } from './when-asked.ts'
export { documentTimestamp } from './pdf/document-timestamp.ts'

export { timestampClient } from './timestamp/client.ts'
export type { TimestampService, TimestampSource } from './timestamp/client.ts'
export { isTrustedTimestamper } from './timestamp/trusted.ts'

export { parseCertificate } from './trust/certificate.ts'
export type { Certificate } from './trust/certificate.ts'
export type { TrustAnchor, TrustPurpose } from './trust/trust-anchor.ts'
export { createFetchCache } from './trust/fetch-cache.ts'
export { createOnline } from './trust/online.ts'
export type { EvidenceSource } from './trust/online.ts'
export * from './trust/lists/index.ts'

export { validateDocument, validateWhenAsked } from './when-asked.ts'
export type { ValidationOptions } from './validation/validate.ts'
export { startWorker } from './start-worker.ts'
export { createValidationThreads } from './validation/threads/pool.ts'
export type { ValidationThreads } from './validation/threads/pool.ts'
export type { ListReport, ValidationReport } from './validation/report.ts'
export type { Qualifier } from './validation/qualifier.ts'
export { checkCourtForm, courtFormText } from './court-form/index.ts'
export type { CourtFormReport, CourtVerdict, FileRole, FilingFile, SecureWay } from './court-form/index.ts'
export * from './report/index.ts'
