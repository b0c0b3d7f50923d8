/** Signatures of a validation report, reduced to what decides about the form of a filing. */
import { commonName } from '../report/display.ts'
import type { CertificateReport, SignatureReport, ValidationReport } from '../validation/report.ts'
import type { FilingSignature } from './facts.ts'

/**
 * @param file name of the file that they are in
 * @param isEnveloping it has the content that it is over inside
 */
export function signaturesIn(report: ValidationReport, file: string, isEnveloping: boolean): FilingSignature[] {
  const { signatures, certificates, findings, lists } = report
  const isUnclean = findings.some(({ severity }) => severity === 'unclean')
  // whoever countersigns confirms a signature and signs no document
  const own = signatures.filter(({ countersigns }) => countersigns === null)
  return own.map((signature) => {
    const certificate = certificates.find(({ sha256 }) => sha256 === signature.certificate)
    const { id, form, indication, subIndication, qualification } = signature
    return {
      file,
      id,
      form,
      indication,
      subIndication,
      signer: certificate === undefined ? null : commonName(certificate.subject),
      qualification: { kind: qualification.kind, provisional: qualification.provisional },
      claim: claimOf(certificate),
      isListed: lists.length > 0,
      isWhole: !isUnclean && coversAll(signature),
      isEnveloping,
      documents: report.document.format.startsWith('asic') ? signature.scope.names.length : null,
    }
  })
}

function claimOf(certificate: CertificateReport | undefined): FilingSignature['claim'] {
  if (certificate?.claims.qualified !== true || certificate.claims.type === 'web') return null
  return certificate.claims.type === 'eseal' ? 'seal' : 'signature'
}

/** An earlier revision of a PDF counts as the document where nothing but what is allowed came after it. */
function coversAll({ scope, findings }: SignatureReport): boolean {
  const isUnclean = findings.some(({ severity }) => severity === 'unclean')
  return !isUnclean && (scope.kind === 'whole' || scope.kind === 'revision')
}
