/**
 * Seals and keys: what makes a document bear the authority's signature, and what opens what was encrypted for it.
 *
 * Takes bytes and keys, gives bytes and verdicts. Knows no rooms, rows, networks or clocks.
 */
export { SigningError } from './errors.ts'
export type { SigningErrorCode } from './errors.ts'
export type { RandomAccess } from './random-access.ts'
export { bufferAccess } from './random-access.ts'
export { readCertificate } from './certificate.ts'
export type { CertificateKind } from './certificate.ts'
export type { SignatureAlgorithm, SigningKey } from './keys/signing-key.ts'
export type { DecryptionKey } from './keys/decryption-key.ts'
export { openPkcs12 } from './keys/pkcs12.ts'
export { makeTrialIdentity } from './keys/trial-identity.ts'
export type { TrialRequest, TrialUsage } from './keys/trial-identity.ts'
export * from './xml/index.ts'
export { sealPdf } from './pdf/seal.ts'
export type { SealRequest, SealedPdf } from './pdf/seal-layout.ts'
export { checkSeal } from './pdf/check-seal.ts'
export type { Http } from './http.ts'
export { parseCertificate } from './trust/certificate.ts'
export type { Certificate } from './trust/certificate.ts'
export type { TrustAnchor, TrustPurpose } from './trust/trust-anchor.ts'
export * from './trust/lists/index.ts'
export type { ListReport } from './validation/report.ts'
export type { Qualifier } from './validation/qualifier.ts'
