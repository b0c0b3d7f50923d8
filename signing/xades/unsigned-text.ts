/**
 * The text of unsigned properties (ETSI EN 319 132-1 §5.3 to §5.5): time-stamps and validation data. Each declares the
 * namespaces that it uses, whatever prefixes the document has for them.
 */
import { asResponse } from '../cms/evidence.ts'
import type { Evidence } from '../trust/revocation/verdict.ts'
import { optionalChild } from '../xml/find.ts'
import { DSIG_NAMESPACE, EXCLUSIVE_NAMESPACE, XADES141_NAMESPACE, XADES_NAMESPACE } from '../xml/namespaces.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { Properties } from './properties.ts'

/** @param token DER of the time-stamp */
export function stampText(name: 'SignatureTimeStamp' | 'ArchiveTimeStamp', token: Buffer): string {
  const isArchive = name === 'ArchiveTimeStamp'
  const tag = isArchive ? 'xades141:ArchiveTimeStamp' : 'xades:SignatureTimeStamp'
  const more = isArchive ? ` xmlns:xades141="${XADES141_NAMESPACE}"` : ''
  return [
    `<${tag} xmlns:xades="${XADES_NAMESPACE}"${more}>`,
    `<ds:CanonicalizationMethod xmlns:ds="${DSIG_NAMESPACE}" Algorithm="${EXCLUSIVE_NAMESPACE}"/>`,
    `<xades:EncapsulatedTimeStamp>${token.toString('base64')}</xades:EncapsulatedTimeStamp></${tag}>`,
  ].join('')
}

/** CertificateValues and RevocationValues; what is empty is left out. */
export function validationDataText(evidence: Evidence): string {
  return certificateValues(evidence, NAMESPACE) + revocationValues(evidence, NAMESPACE)
}

/** The same for time-stamps, or for whatever comes when the two stand there already. */
export function furtherValidationDataText(evidence: Evidence): string {
  const tag = 'xades141:TimeStampValidationData'
  const inner = certificateValues(evidence, '') + revocationValues(evidence, '')
  return inner === '' ? '' : `<${tag}${NAMESPACE} xmlns:xades141="${XADES141_NAMESPACE}">${inner}</${tag}>`
}

function certificateValues({ certificates }: Evidence, declared: string): string {
  const values = certificates.map((der) => valueText('EncapsulatedX509Certificate', der)).join('')
  return values === '' ? '' : `<xades:CertificateValues${declared}>${values}</xades:CertificateValues>`
}

function revocationValues({ crls, ocsps }: Evidence, declared: string): string {
  const lists = crls.map((der) => valueText('EncapsulatedCRLValue', der)).join('')
  const answers = ocsps.map((der) => valueText('EncapsulatedOCSPValue', asResponse(der))).join('')
  if (lists + answers === '') return ''
  const inner = [
    lists === '' ? '' : `<xades:CRLValues>${lists}</xades:CRLValues>`,
    answers === '' ? '' : `<xades:OCSPValues>${answers}</xades:OCSPValues>`,
  ].join('')
  return `<xades:RevocationValues${declared}>${inner}</xades:RevocationValues>`
}

const valueText = (name: string, der: Buffer): string => `<xades:${name}>${der.toString('base64')}</xades:${name}>`

/**
 * Where a further unsigned property is added.
 *
 * @returns the element, and what has to stand around the addition in it
 */
export function unsignedText({ element, namespace }: Properties): {
  parent: XmlElement
  missing: (addition: string) => string
} {
  const unsigned = optionalChild(element, namespace, 'UnsignedProperties')
  const list = unsigned && optionalChild(unsigned, namespace, 'UnsignedSignatureProperties')
  if (list !== null) return { parent: list, missing: (addition) => addition }
  const signatureProperties = (addition: string): string =>
    `<xades:UnsignedSignatureProperties${NAMESPACE}>${addition}</xades:UnsignedSignatureProperties>`
  if (unsigned !== null) return { parent: unsigned, missing: signatureProperties }
  return {
    parent: element,
    missing: (addition) =>
      `<xades:UnsignedProperties${NAMESPACE}>${signatureProperties(addition)}</xades:UnsignedProperties>`,
  }
}

const NAMESPACE = ` xmlns:xades="${XADES_NAMESPACE}"`
