/**
 * The text of a XAdES baseline signature, level B-B (ETSI EN 319 132-1 §6.3): exclusive canonical form throughout, every
 * namespace declared inside, so that it means the same wherever it stands.
 */
import { parseCertificate } from '../trust/certificate.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { signatureMethod } from '../xml/algorithms.ts'
import { escapeAttribute, escapeText } from '../xml/c14n.ts'
import { DSIG_NAMESPACE, EXCLUSIVE_NAMESPACE, XADES_NAMESPACE } from '../xml/namespaces.ts'
import { uriOfDigest } from '../xml/signature-method.ts'
import type { SignatureAlgorithm } from '../keys/signing-key.ts'
import { SIGNED_PROPERTIES_TYPE } from './profile.ts'

export interface SignatureDraft {
  /** all other identifiers begin with it */
  id: string
  algorithm: SignatureAlgorithm
  /** of references and of the certificate */
  digest: Digest
  signedAt: Date
  /** DER, the signer's own first */
  certificates: readonly [Buffer, ...Buffer[]]
  /** of the signer's certificate, by `digest` */
  certificateDigest: Buffer
  data: readonly DataReference[]
  /** a further ds:Object: its whole text */
  object: string
}

export interface DataReference {
  uri: string
  /** Algorithm URIs in order */
  transforms: readonly string[]
  type: string | null
  digest: Buffer
  mimeType: string
}

/** @param value SignatureValue; empty while it is not known */
export function signatureText(draft: SignatureDraft, propertiesDigest: Buffer, value: Buffer): string {
  const { id, algorithm, data } = draft
  const references = data.map((reference, index) => referenceText(draft, reference, ` Id="${id}-ref-${index + 1}"`))
  const properties: DataReference = {
    uri: `#${id}-props`,
    transforms: [EXCLUSIVE_NAMESPACE],
    type: SIGNED_PROPERTIES_TYPE,
    digest: propertiesDigest,
    mimeType: '',
  }
  return [
    `<ds:Signature xmlns:ds="${DSIG_NAMESPACE}" Id="${id}"><ds:SignedInfo>`,
    `<ds:CanonicalizationMethod Algorithm="${EXCLUSIVE_NAMESPACE}"/>`,
    `<ds:SignatureMethod Algorithm="${signatureMethod(algorithm)}"/>`,
    ...references,
    referenceText(draft, properties, ''),
    `</ds:SignedInfo><ds:SignatureValue Id="${id}-value">${value.toString('base64')}</ds:SignatureValue>`,
    `<ds:KeyInfo><ds:X509Data>${keyInfoCertificates(draft)}</ds:X509Data></ds:KeyInfo>`,
    `<ds:Object>${propertiesText(draft)}</ds:Object>${draft.object}</ds:Signature>`,
  ].join('')
}

function referenceText(draft: SignatureDraft, reference: DataReference, id: string): string {
  const { uri, transforms, type, digest } = reference
  const steps = transforms.map((algorithm) => `<ds:Transform Algorithm="${algorithm}"/>`).join('')
  return [
    `<ds:Reference${id}${type === null ? '' : ` Type="${type}"`} URI="${escapeAttribute(uri)}">`,
    steps === '' ? '' : `<ds:Transforms>${steps}</ds:Transforms>`,
    digestText(draft.digest, digest),
    '</ds:Reference>',
  ].join('')
}

function digestText(digest: Digest, value: Buffer): string {
  const method = `<ds:DigestMethod Algorithm="${uriOfDigest(digest)}"/>`
  return `${method}<ds:DigestValue>${value.toString('base64')}</ds:DigestValue>`
}

/** The chain without its root: whoever trusts the root has it. */
function keyInfoCertificates({ certificates: [own, ...issuers] }: SignatureDraft): string {
  const kept = [own, ...issuers.filter((der) => !parseCertificate(der).selfIssued)]
  return kept.map((der) => `<ds:X509Certificate>${der.toString('base64')}</ds:X509Certificate>`).join('')
}

function propertiesText(draft: SignatureDraft): string {
  const { id, signedAt, data, digest, certificateDigest } = draft
  const formats = data.map(
    ({ mimeType }, index) =>
      `<xades:DataObjectFormat ObjectReference="#${id}-ref-${index + 1}">` +
      `<xades:MimeType>${escapeText(mimeType)}</xades:MimeType></xades:DataObjectFormat>`,
  )
  return [
    `<xades:QualifyingProperties xmlns:xades="${XADES_NAMESPACE}" Target="#${id}">`,
    `<xades:SignedProperties Id="${id}-props"><xades:SignedSignatureProperties>`,
    `<xades:SigningTime>${signedAt.toISOString().slice(0, 19)}Z</xades:SigningTime>`,
    `<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>${digestText(digest, certificateDigest)}`,
    '</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>',
    `<xades:SignedDataObjectProperties>${formats.join('')}</xades:SignedDataObjectProperties>`,
    '</xades:SignedProperties></xades:QualifyingProperties>',
  ].join('')
}
