/** XML that was made to keep a program busy: the work for one document is bounded, whatever its parts refer to. */
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { verifyValue } from '../trust/signature-value.ts'
import { readXadesFacts } from '../xades/document.ts'
import { XADES_LIMITS } from '../xades/limits.ts'
import { parseDocument } from '../xml/parse.ts'

const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const NOTHING = Buffer.alloc(32).toString('base64')
const sample = readFileSync(new URL('fixtures/validation/xades-enveloped-LTA-A.xml', import.meta.url), 'latin1')
const token = /<[^>]*EncapsulatedTimeStamp[^>]*>([^<]+)</.exec(sample)?.[1] ?? ''

const reference = (uri: string, ...transforms: string[]): string =>
  `<d:Reference URI="${uri}"><d:Transforms>${transforms.map((one) => `<d:Transform Algorithm="${one}"/>`).join('')}</d:Transforms>` +
  `<d:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><d:DigestValue>${NOTHING}</d:DigestValue></d:Reference>`

const signature = (id: string, references: string, unsigned = ''): string =>
  `<d:Signature Id="${id}"><d:SignedInfo><d:CanonicalizationMethod Algorithm="${EXCLUSIVE}"/>` +
  `<d:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>${references}</d:SignedInfo>` +
  `<d:SignatureValue>${NOTHING}</d:SignatureValue><d:Object><x:QualifyingProperties Target="#${id}">` +
  `<x:UnsignedProperties><x:UnsignedSignatureProperties>${unsigned}</x:UnsignedSignatureProperties></x:UnsignedProperties>` +
  '</x:QualifyingProperties></d:Object></d:Signature>'

const document = (content: string): Buffer =>
  Buffer.from(`<r xmlns:d="${DSIG}" xmlns:x="http://uri.etsi.org/01903/v1.3.2#">${content}</r>`)

const read = (content: string) => readXadesFacts(document(content), () => null)

describe('work that a signed XML document may cause', () => {
  it('ends when octets inside of it are read again and again', async () => {
    const inner = Buffer.from(`<a>${'<b/>'.repeat(50_000)}</a>`).toString('base64')
    const all = reference('#z', `${DSIG}base64`, EXCLUSIVE).repeat(200)
    const { signatures } = await read(`<o Id="z">${inner}</o>${signature('s', all)}`)
    const details = signatures[0]?.faults.map(({ detail }) => detail).join()
    assert.match(details ?? '', /too much/)
  })

  it('ends when all signatures have many time-stamps', async () => {
    const stamp = `<x:SignatureTimeStamp><x:EncapsulatedTimeStamp>${token}</x:EncapsulatedTimeStamp></x:SignatureTimeStamp>`
    const all = Array.from({ length: 8 }, (_, n) => signature(`s${n}`, reference('', EXCLUSIVE), stamp.repeat(50)))
    const { signatures, timestamps } = await read(all.join(''))
    assert.deepEqual([signatures.length, timestamps.length], [8, 300])
    assert.ok(signatures.at(-1)?.findings.some(({ severity }) => severity === 'unclean'))
  })

  it('counts references to characters like elements', () => {
    const inside = (count: number): Buffer => document('&#65;'.repeat(count))
    assert.ok(parseDocument(inside(1_000_000), XADES_LIMITS))
    assert.throws(
      () => parseDocument(inside(2_000_000), XADES_LIMITS),
      (error: unknown) => error instanceof SigningError && error.code === 'signing/xml-too-large',
    )
  })

  it('keeps ends of lines as they are meant, wherever a piece of the text ends', () => {
    for (const before of [65_534, 65_535, 65_536, 65_537]) {
      const text = `${'x'.repeat(before)}\r\ny\rz\r\r\n`
      const { root } = parseDocument(Buffer.from(`<a>${text}</a>`), XADES_LIMITS)
      assert.equal(root.children.map(String).join(''), text.replace(/\r\n?/g, '\n'))
    }
  })
})

describe('keys that were made to keep others busy', () => {
  const integer = (bytes: Buffer): Buffer => der.encode(2, Buffer.concat([Buffer.alloc(1), bytes]))
  const key = (modulusBytes: number, exponent: Buffer): Buffer => {
    const numbers = der.sequence(integer(Buffer.alloc(modulusBytes, 0xff)), integer(exponent))
    const spki = der.sequence(der.sequence(der.oid('1.2.840.113549.1.1.1'), der.derNull()), der.bitString(numbers))
    assert.equal(createPublicKey({ key: spki, format: 'der', type: 'spki' }).asymmetricKeyType, 'rsa')
    return spki
  }
  const verdict = (spki: Buffer): string => {
    const algorithm = der.sequence(der.oid('1.2.840.113549.1.1.11'), der.derNull())
    return verifyValue({ algorithm, spki, signed: Buffer.from('x') }, Buffer.alloc(256, 1)).kind
  }

  it('are not computed with', () => {
    const usual = Buffer.of(1, 0, 1)
    assert.equal(verdict(key(256, usual)), 'bad')
    assert.equal(verdict(key(1024, usual)), 'bad')
    assert.equal(verdict(key(1040, usual)), 'unsupported')
    assert.equal(verdict(key(384, Buffer.alloc(380, 0xff))), 'unsupported')
  })
})
