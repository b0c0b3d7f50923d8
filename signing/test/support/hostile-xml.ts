/** Signed XML and trusted lists that were made to fill the memory or the time of whoever reads them. */
import type { HostileCase } from './hostile.worker.ts'
import { issue } from '../trust-pki.ts'
import { largeCertificates, revocationListOf } from './hostile-cms.ts'
import { listXml, signedList } from './test-lists.ts'

const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const NOTHING = Buffer.alloc(32).toString('base64')

/** One reference; the transforms by their addresses. */
const reference = (uri: string, ...transforms: string[]): string =>
  `<d:Reference URI="${uri}"><d:Transforms>${transforms.map((one) => `<d:Transform Algorithm="${one}"/>`).join('')}</d:Transforms>` +
  `<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><d:DigestValue>${NOTHING}</d:DigestValue></d:Reference>`

const ENVELOPED = `${DSIG}enveloped-signature`
const BASE64 = `${DSIG}base64`

/** A signature whose value nobody made. */
const signature = (id: string, references: string, unsigned = '', certificates = ''): string =>
  `<d:Signature Id="${id}"><d:SignedInfo><d:CanonicalizationMethod Algorithm="${EXCLUSIVE}"/>` +
  `<d:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>${references}</d:SignedInfo>` +
  `<d:SignatureValue>${NOTHING}</d:SignatureValue><d:KeyInfo><d:X509Data>${certificates}</d:X509Data></d:KeyInfo>` +
  `<d:Object><x:QualifyingProperties Target="#${id}">` +
  `<x:UnsignedProperties><x:UnsignedSignatureProperties>${unsigned}</x:UnsignedSignatureProperties></x:UnsignedProperties>` +
  '</x:QualifyingProperties></d:Object></d:Signature>'

/** A document with this in its root element. */
const document = (content: string, encoding: BufferEncoding = 'utf8'): Buffer =>
  Buffer.from(
    `${encoding === 'utf16le' ? '\ufeff' : ''}<r xmlns:d="${DSIG}" xmlns:x="http://uri.etsi.org/01903/v1.3.2#">${content}</r>`,
    encoding,
  )

const MIB = 1024 * 1024
const WHOLE = reference('', ENVELOPED, EXCLUSIVE)
const SIGNATURE = signature('s', WHOLE)
const repeat = (count: number, each: (index: number) => string): string =>
  Array.from({ length: count }, (_, n) => each(n)).join('')
const spaces = (count: number, uri: string): string => repeat(count, (n) => ` xmlns:n${n}="urn:${uri}"`)
/** A document with this in it and a signature over all of it. */
export const signedXml = (content: string, encoding: BufferEncoding = 'utf8'): Buffer =>
  document(content + SIGNATURE, encoding)
const of = (content: () => string, encoding: BufferEncoding = 'utf8'): HostileCase => ({
  build: () => signedXml(content(), encoding),
})

const agency = issue({ name: 'Agency' })
const list = (xml: () => string): HostileCase => ({
  entry: 'list',
  build: () => signedList(xml(), agency),
  certificates: [agency.certificate.der.toString('base64')],
})

export const XML_CASES: Record<string, HostileCase> = {
  'nothing in it': of(() => ''),
  '199,000 elements': of(() => '<a/>'.repeat(199_000)),
  '190 levels, and then 199,000 elements': of(() => '<a>'.repeat(190) + '<a/>'.repeat(198_000) + '</a>'.repeat(190)),
  '6,400 elements with 32 attributes': of(() => `<a${repeat(32, (n) => ` a${n}=""`)}/>`.repeat(6_400)),
  'an attribute of 31 MiB': of(() => `<a a="${'x'.repeat(31 * MIB)}"/>`),
  'namespaces on every level': of(
    () => `<a${spaces(50, '1')}>`.repeat(190) + `<a${spaces(2, '2')}/>`.repeat(6_000) + '</a>'.repeat(190),
  ),
  '60,000 elements with namespaces': of(() => `<a${spaces(3, '2')}/>`.repeat(60_000)),
  '31 MiB of text': of(() => 'x'.repeat(31 * MIB)),
  '30 MiB of text in UTF-16': of(() => 'x'.repeat(15 * MIB), 'utf16le'),
  '15 million ends of lines': { ...of(() => '\r\n'.repeat(15 * MIB)) },
  '1,500,000 references to characters': of(() => '&amp;'.repeat(1_500_000)),
  '2,400,000 sections of text': of(() => '<![CDATA[x]]>'.repeat(2_400_000)),
  '199,000 comments': of(() => '<!---->'.repeat(199_000)),
  entities: { build: () => Buffer.concat([Buffer.from('<!DOCTYPE a [<!ENTITY a "aa">]>'), signedXml('&a;')]) },
  '9,000 references to 20 MiB': {
    build: () => document('x'.repeat(20 * MIB) + signature('s', WHOLE.repeat(9_000))),
    always: true,
  },
  '250 signatures over 9 MiB': {
    build: () => document('x'.repeat(9 * MIB) + repeat(250, (n) => signature(`s${n}`, WHOLE))),
  },
  '22 MiB in Base64, four times': {
    build: () =>
      document(
        `<o Id="z">${Buffer.alloc(22 * MIB).toString('base64')}</o>${signature('s', reference('#z', BASE64).repeat(4))}`,
      ),
  },
  '150,000 elements in Base64, 200 times': {
    build: () => {
      const inside = Buffer.from(`<a>${'<b/>'.repeat(150_000)}</a>`).toString('base64')
      return document(`<o Id="z">${inside}</o>${signature('s', reference('#z', BASE64, EXCLUSIVE).repeat(200))}`)
    },
  },
  '60 certificates of 200 kB': {
    build: () => {
      const one = largeCertificates(1, 200_000)[0]?.toString('base64') ?? ''
      return document(signature('s', WHOLE, '', `<d:X509Certificate>${one}</d:X509Certificate>`.repeat(60)))
    },
  },
  'two lists of 490,000 certificates': {
    build: () => {
      const one = `<x:EncapsulatedCRLValue>${revocationListOf(490_000).toString('base64')}</x:EncapsulatedCRLValue>`
      const values = `<x:RevocationValues><x:CRLValues>${one.repeat(2)}</x:CRLValues></x:RevocationValues>`
      return document(signature('s', WHOLE, values))
    },
  },
  '60 MiB': of(() => 'x'.repeat(60 * MIB)),
  'a trusted list with 15 MiB of text': list(() => listXml({}).replace('Test Supervision', 'x'.repeat(15 * MIB))),
  'a trusted list of 390,000 elements': {
    ...list(() => listXml({}).replace('<TrustServiceProviderList>', `$&${'<a/>'.repeat(390_000)}`)),
  },
  'a trusted list of 5,000 services': list(() =>
    listXml({ services: Array.from({ length: 5_000 }, () => ({ certificates: [agency.certificate.der] })) }),
  ),
}
