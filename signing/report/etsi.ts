/**
 * The ETSI validation report: XML after TS 119 102-2 (v1.4.1), for archives and other validators.
 *
 * Unsigned; whoever needs it signed seals the file. Identifiers of checks are our own, below `urn:amtsbote:constraint:`.
 */
import { escapeAttribute, escapeText } from '../xml/index.ts'
import type {
  CertificateReport,
  ConstraintReport,
  SignatureReport,
  TimestampReport,
  ValidationReport,
} from '../validation/report.ts'

/** One XML document, UTF-8. A document without signatures has no such report: null. */
export function etsiReport(report: ValidationReport): string | null {
  if (report.signatures.length === 0 && report.timestamps.length === 0) return null
  const validated = [...report.signatures, ...report.timestamps]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<vr:ValidationReport xmlns:vr="${VR}" xmlns:ds="${DS}" xmlns:XAdES="${XADES}">`,
    ...validated.map((item) => signatureElement(report, item)),
    element('SignatureValidationObjects', objects(report)),
    '</vr:ValidationReport>\n',
  ].join('')
}

function signatureElement(report: ValidationReport, item: SignatureReport | TimestampReport): string {
  const isSignature = 'form' in item
  return element('SignatureValidationReport', [
    `<vr:SignatureIdentifier id="${escapeAttribute(`id-${item.id}`)}">`,
    digestElement('DigestAlgAndValue', report.document.sha256),
    element('HashOnly', 'false'),
    element('DocHashOnly', 'false'),
    element('DAIdentifier', escapeText(isSignature && item.name !== '' ? item.name : item.id)),
    '</vr:SignatureIdentifier>',
    constraintsElement(report, item),
    timeElement(report, item),
    element('SignersDocument', [
      digestElement('DigestAlgAndValue', report.document.sha256),
      reference('SignersDocumentRepresentation', 'document'),
    ]),
    isSignature ? attributesElement(item) : '',
    signerElement(report, item),
    isSignature ? element('SignatureQuality', element('SignatureQualityInformation', qualityOf(item))) : '',
    element(
      'SignatureValidationProcess',
      element('SignatureValidationProcessID', `urn:etsi:019102:validationprocess:${processOf(item)}`),
    ),
    element('SignatureValidationStatus', statusElements(item, chainElement(item))),
  ])
}

function constraintsElement(
  { policy }: ValidationReport,
  { constraints }: { constraints: ConstraintReport[] },
): string {
  const identifier = `<XAdES:SigPolicyId><XAdES:Identifier>urn:amtsbote:policy:${policy.id}</XAdES:Identifier></XAdES:SigPolicyId>`
  const hash = `<XAdES:SigPolicyHash>${DIGEST_METHOD}<ds:DigestValue>${base64(policy.sha256)}</ds:DigestValue></XAdES:SigPolicyHash>`
  return element('ValidationConstraintsEvaluationReport', [
    element('SignatureValidationPolicy', [
      element('SignaturePolicyIdentifier', `<XAdES:SignaturePolicyId>${identifier}${hash}</XAdES:SignaturePolicyId>`),
      element('PolicyName', policy.id),
    ]),
    ...constraints.map(constraintElement),
  ])
}

function constraintElement({ block, name, result, subIndication }: ConstraintReport): string {
  const indication = { passed: 'passed', failed: 'failed', undecided: 'indeterminate', information: 'passed' }[result]
  return element('ValidationConstraint', [
    element('ValidationConstraintIdentifier', `urn:amtsbote:constraint:${block}:${name}`),
    element('ConstraintStatus', element('Status', 'urn:etsi:019102:constraintStatus:applied')),
    element('ValidationStatus', [
      element('MainIndication', `urn:etsi:019102:mainindication:${indication}`),
      subIndication === null ? '' : element('SubIndication', `urn:etsi:019102:subindication:${subIndication}`),
    ]),
  ])
}

function timeElement(report: ValidationReport, item: SignatureReport | TimestampReport): string {
  const best = 'form' in item ? item.bestTime : { time: report.validationTime, source: 'now' }
  const isProven = best.source !== 'now'
  return element('ValidationTimeInfo', [
    element('ValidationTime', report.validationTime),
    element('BestSignatureTime', [
      element('POETime', best.time),
      element('TypeOfProof', `urn:etsi:019102:poetype:${isProven ? 'provided' : 'validation'}`),
      isProven ? reference('POEObject', `timestamp-${best.source}`) : '',
    ]),
  ])
}

function attributesElement({ claimedTime, reason, location, form, name }: SignatureReport): string {
  const signed = (tag: string, inner: string, holdsAsSigned = true): string =>
    `<vr:${tag} Signed="${String(holdsAsSigned)}">${inner}</vr:${tag}>`
  const parts = [
    claimedTime === null ? '' : signed('SigningTime', element('Time', claimedTime)),
    location === null ? '' : signed('SignatureProductionPlace', element('AddressString', escapeText(location))),
    reason === null ? '' : signed('Reason', element('ReasonElement', escapeText(reason))),
    form === 'PAdES' && name !== '' ? signed('Name', element('NameElement', escapeText(name)), false) : '',
  ]
  return parts.every((part) => part === '') ? '' : element('SignatureAttributes', parts)
}

function signerElement(report: ValidationReport, { certificate }: { certificate: string | null }): string {
  const found = report.certificates.find(({ sha256 }) => sha256 === certificate)
  if (found === undefined) return ''
  return element('SignerInformation', [
    reference('SignerCertificate', `certificate-${found.sha256}`),
    element('Signer', escapeText(found.subject)),
  ])
}

function chainElement({ path }: { path: readonly string[] }): string {
  const [signer, ...issuers] = path
  if (signer === undefined) return ''
  const anchor = issuers.pop()
  return element('AssociatedValidationReportData', [
    ...(anchor === undefined ? [] : [reference('TrustAnchor', `certificate-${anchor}`)]),
    element('CertificateChain', [
      reference('SigningCertificate', `certificate-${signer}`),
      ...issuers.map((issuer) => reference('IntermediateCertificate', `certificate-${issuer}`)),
      ...(anchor === undefined ? [] : [reference('TrustAnchor', `certificate-${anchor}`)]),
    ]),
  ])
}

function statusElements({ indication, subIndication }: SignatureReport | TimestampReport, data: string): string[] {
  const main = { 'TOTAL-PASSED': 'total-passed', INDETERMINATE: 'indeterminate', 'TOTAL-FAILED': 'total-failed' }
  return [
    element('MainIndication', `urn:etsi:019102:mainindication:${main[indication]}`),
    subIndication === null ? '' : element('SubIndication', `urn:etsi:019102:subindication:${subIndication}`),
    data,
  ]
}

function objects(report: ValidationReport): string[] {
  return [
    object('document', 'signedData', digestElement('DigestAlgAndValue', report.document.sha256)),
    ...report.certificates.map((certificate) =>
      object(`certificate-${certificate.sha256}`, 'certificate', element('base64', certificate.der)),
    ),
    ...new Set(report.certificates.flatMap(revocationObject)),
    ...report.timestamps.map(({ id }) =>
      object(`timestamp-${id}`, 'timestamp', element('URI', `#${escapeText(`id-${id}`)}`)),
    ),
  ]
}

/** The data themselves lie in the document or in the store of evidence; the report names them by their hash. */
function revocationObject({ revocation }: CertificateReport): string[] {
  if (revocation?.sha256 == null || revocation.source === null) return []
  const type = revocation.source === 'crl' ? 'CRL' : 'OCSPResponse'
  const id = `revocation-${revocation.sha256}-${type}`
  return [object(id, type, digestElement('DigestAlgAndValue', revocation.sha256))]
}

function object(id: string, type: string, representation: string): string {
  return `<vr:ValidationObject id="${escapeAttribute(id)}">${element('ObjectType', `urn:etsi:019102:validationObject:${type}`)}${element(
    'ValidationObjectRepresentation',
    representation,
  )}</vr:ValidationObject>`
}

/** Which of the three processes of EN 319 102-1 the answer comes from, by the level that holds. */
function processOf(item: SignatureReport | TimestampReport): string {
  if (!('form' in item)) return 'Basic'
  if (item.level.endsWith('LTA')) return 'LTA'
  return /-(T|LT)$/.test(item.level) ? 'LTVM' : 'Basic'
}

function qualityOf({ qualification }: SignatureReport): string {
  return `urn:amtsbote:qualification:${qualification.kind}${qualification.provisional ? ':provisional' : ''}`
}

function element(name: string, content: string | readonly string[]): string {
  return `<vr:${name}>${typeof content === 'string' ? content : content.join('')}</vr:${name}>`
}

const reference = (name: string, id: string): string => `<vr:${name} VOReference="${escapeAttribute(id)}"/>`

function digestElement(name: string, sha256: string): string {
  return element(name, `${DIGEST_METHOD}<ds:DigestValue>${base64(sha256)}</ds:DigestValue>`)
}

const base64 = (hexadecimal: string): string => Buffer.from(hexadecimal, 'hex').toString('base64')

const VR = 'http://uri.etsi.org/19102/v1.4.1#'
const DS = 'http://www.w3.org/2000/09/xmldsig#'
const XADES = 'http://uri.etsi.org/01903/v1.3.2#'
const DIGEST_METHOD = '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
