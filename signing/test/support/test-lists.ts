/** Trusted lists for tests: written from a few words, signed by a key of the test. */
import { constants, createHash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Certificate } from '../../trust/certificate.ts'
import { CANONICAL_XML, canonicalize } from '../../xml/c14n.ts'
import { findSignatures } from '../../xml/dsig.ts'
import { parseXml } from '../../xml/parse.ts'
import { TSL_TAG } from '../../trust/lists/uris.ts'

export interface TestList {
  type?: 'EUgeneric' | 'EUlistofthelists'
  territory?: string
  version?: number
  sequence?: number
  issued?: string
  /** null: a closed list */
  nextUpdate?: string | null
  information?: string[]
  pointers?: TestPointer[]
  services?: TestService[]
}

export interface TestPointer {
  location: string
  territory: string
  type?: 'EUgeneric' | 'EUlistofthelists'
  mimeType?: string
  certificates: Buffer[]
}

export interface TestState {
  type?: string
  status?: string
  from?: string
  scopes?: string[]
  /** XML of further Extension elements */
  extensions?: string
}

export interface TestService extends TestState {
  provider?: string
  name?: string
  certificates: Buffer[]
  /** XML of further DigitalId elements */
  identities?: string
  history?: TestState[]
}

const PREFIX = 'http://uri.etsi.org/TrstSvc/TrustedList'

/** The XML of a list without signature. */
export function listXml(list: TestList): string {
  const { type = 'EUgeneric', territory = 'DE', version = 6, sequence = 1, information = [] } = list
  const { issued = '2026-01-01T00:00:00Z', nextUpdate = '2026-06-30T00:00:00Z', pointers = [], services = [] } = list
  const next = nextUpdate === null ? '<NextUpdate/>' : `<NextUpdate><dateTime>${nextUpdate}</dateTime></NextUpdate>`
  return [
    `<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" xmlns:q="http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#"`,
    ` xmlns:a="http://uri.etsi.org/02231/v2/additionaltypes#" xmlns:x="http://uri.etsi.org/01903/v1.3.2#" Id="list" TSLTag="${TSL_TAG}">`,
    `<SchemeInformation><TSLVersionIdentifier>${version}</TSLVersionIdentifier><TSLSequenceNumber>${sequence}</TSLSequenceNumber>`,
    `<TSLType>${PREFIX}/TSLType/${type}</TSLType><SchemeOperatorName><Name xml:lang="en">Test Supervision</Name></SchemeOperatorName>`,
    `<SchemeInformationURI>${information.map((uri) => `<URI xml:lang="en">${uri}</URI>`).join('')}</SchemeInformationURI>`,
    `<SchemeTerritory>${territory}</SchemeTerritory>`,
    `<PointersToOtherTSL>${pointers.map(pointerXml).join('')}</PointersToOtherTSL>`,
    `<ListIssueDateTime>${issued}</ListIssueDateTime>${next}</SchemeInformation>`,
    `<TrustServiceProviderList>${services.map(serviceXml).join('')}</TrustServiceProviderList></TrustServiceStatusList>`,
  ].join('')
}

function pointerXml({ location, territory, certificates, ...rest }: TestPointer): string {
  const { type = 'EUgeneric', mimeType = 'application/vnd.etsi.tsl+xml' } = rest
  const rules = type === 'EUgeneric' ? 'EUcommon' : 'EUlistofthelists'
  return (
    `<OtherTSLPointer><ServiceDigitalIdentities><ServiceDigitalIdentity>${certificates.map(certificateXml).join('')}` +
    `</ServiceDigitalIdentity></ServiceDigitalIdentities><TSLLocation>${location}</TSLLocation><AdditionalInformation>` +
    `<OtherInformation><TSLType>${PREFIX}/TSLType/${type}</TSLType></OtherInformation>` +
    `<OtherInformation><SchemeTerritory>${territory}</SchemeTerritory></OtherInformation>` +
    `<OtherInformation><a:MimeType>${mimeType}</a:MimeType></OtherInformation>` +
    `<OtherInformation><SchemeTypeCommunityRules><URI xml:lang="en">${PREFIX}/schemerules/${rules}</URI>` +
    `</SchemeTypeCommunityRules></OtherInformation></AdditionalInformation></OtherTSLPointer>`
  )
}

function serviceXml(service: TestService): string {
  const { provider = 'Test Provider', name = 'Test Service', certificates, identities = '', history = [] } = service
  const identity = `<ServiceDigitalIdentity>${certificates.map(certificateXml).join('')}${identities}</ServiceDigitalIdentity>`
  const past = history.map((state) => stateXml(state, 'ServiceHistoryInstance', name, '<ServiceDigitalIdentity/>'))
  return (
    `<TrustServiceProvider><TSPInformation><TSPName><Name xml:lang="de">Anbieter</Name><Name xml:lang="en">${provider}</Name>` +
    `</TSPName></TSPInformation><TSPServices><TSPService>${stateXml(service, 'ServiceInformation', name, identity)}` +
    `<ServiceHistory>${past.join('')}</ServiceHistory></TSPService></TSPServices></TrustServiceProvider>`
  )
}

function stateXml(state: TestState, element: string, name: string, identity: string): string {
  const { type = 'CA/QC', status = 'granted', from = '2016-07-01T00:00:00Z', extensions = '' } = state
  const { scopes = ['ForeSignatures', 'ForeSeals'] } = state
  const additional = scopes.map(
    (scope) =>
      `<Extension Critical="true"> <AdditionalServiceInformation><URI xml:lang="en">${PREFIX}/SvcInfoExt/${scope}</URI>` +
      `</AdditionalServiceInformation> </Extension>`,
  )
  return (
    `<${element}><ServiceTypeIdentifier>http://uri.etsi.org/TrstSvc/Svctype/${type}</ServiceTypeIdentifier>` +
    `<ServiceName><Name xml:lang="en">${name}</Name></ServiceName>${identity}<ServiceStatus>${PREFIX}/Svcstatus/${status}</ServiceStatus>` +
    `<StatusStartingTime>${from}</StatusStartingTime><ServiceInformationExtensions>${additional.join('')}${extensions}` +
    `</ServiceInformationExtensions></${element}>`
  )
}

const certificateXml = (der: Buffer): string =>
  `<DigitalId><X509Certificate>${der.toString('base64')}</X509Certificate></DigitalId>`

/** A Qualifications extension with one element. */
export function qualification(qualifiers: string[], criteria: string, assert = 'atLeastOne'): string {
  const named = qualifiers.map((one) => `<q:Qualifier uri="${PREFIX}/SvcInfoExt/${one}"/>`)
  return (
    `<Extension Critical="true"><q:Qualifications><q:QualificationElement><q:Qualifiers>${named.join('')}</q:Qualifiers>` +
    `<q:CriteriaList assert="${assert}">${criteria}</q:CriteriaList></q:QualificationElement></q:Qualifications></Extension>`
  )
}

export const policySet = (...ids: string[]): string =>
  `<q:PolicySet>${ids.map((id) => `<q:PolicyIdentifier><x:Identifier Qualifier="OIDAsURN">urn:oid:${id}</x:Identifier></q:PolicyIdentifier>`).join('')}</q:PolicySet>`

export const keyUsage = (bits: Record<string, boolean>): string =>
  `<q:KeyUsage>${Object.entries(bits)
    .map(([name, value]) => `<q:KeyUsageBit name="${name}">${String(value)}</q:KeyUsageBit>`)
    .join('')}</q:KeyUsage>`

export interface ListSigner {
  key: KeyObject
  certificate: Certificate
}

/** The bytes of a list with one enveloped signature over all of it (ECDSA P-256, or RSASSA-PSS). */
export function signedList(list: TestList | string, signer: ListSigner): Buffer {
  const xml = typeof list === 'string' ? list : listXml(list)
  const digest = createHash('sha256')
    .update(canonicalize(parseXml(Buffer.from(xml), LIMITS)))
    .digest('base64')
  const isRsa = signer.key.asymmetricKeyType === 'rsa'
  const method = isRsa
    ? 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1'
    : 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'
  const info =
    `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${CANONICAL_XML}"/><ds:SignatureMethod Algorithm="${method}"/>` +
    `<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
    `<ds:Transform Algorithm="${CANONICAL_XML}"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>` +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
  const around = (value: string): string =>
    xml.replace(
      '</TrustServiceStatusList>',
      `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${info}<ds:SignatureValue>${value}</ds:SignatureValue>` +
        `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${signer.certificate.der.toString('base64')}</ds:X509Certificate>` +
        `</ds:X509Data></ds:KeyInfo></ds:Signature></TrustServiceStatusList>`,
    )
  const [element] = findSignatures(parseXml(Buffer.from(around('')), LIMITS))
  const signedInfo = element?.children.find((child) => typeof child !== 'string')
  if (signedInfo === undefined) throw new Error('the list has no end tag')
  const scheme = isRsa
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { dsaEncoding: 'ieee-p1363' as const }
  return Buffer.from(
    around(sign('sha256', canonicalize(signedInfo), { key: signer.key, ...scheme }).toString('base64')),
  )
}

const LIMITS = { maxBytes: 1 << 24, maxDepth: 64, maxElements: 1 << 20 }
