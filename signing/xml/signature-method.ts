/**
 * Algorithm identifiers of XML signatures, as the AlgorithmIdentifiers that trust/signature-value.ts verifies with.
 *
 * XML Signature 1.1 §6, RFC 9231 (RSASSA-PSS, SHA-3, EdDSA). Everything that can be verified is here, weak algorithms
 * too: whether one is good enough is judged elsewhere. MACs are no signatures and are not here.
 */
import { derNull, encode, integer, oid, sequence } from '../asn1/der.ts'
import { digestOid } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { attributeOf, childElements, isNamed, optionalChild, textOf } from './find.ts'
import { DSIG_NAMESPACE } from './namespaces.ts'
import type { XmlElement } from './tree.ts'

export interface VerifiableMethod {
  /** AlgorithmIdentifier to verify with, DER */
  verify: Buffer
  /** the one that says in reports and to policies what it is: ECDSA in XML is r‖s, but no scheme of its own */
  facts: Buffer
}

/** What a ds:SignatureMethod says; null when this program cannot verify it. */
export function readSignatureMethod(method: XmlElement): VerifiableMethod | null {
  const uri = attributeOf(method, 'Algorithm') ?? ''
  if (uri === RSA_PSS) return readPss(method)
  return METHODS.get(uri) ?? null
}

/** The digest of this DigestMethod URI; null when it is unknown. */
export function digestOfUri(uri: string): Digest | null {
  return DIGESTS.get(uri) ?? null
}

/** The DigestMethod URI of a digest that has one. */
export function uriOfDigest(digest: Digest): string {
  return [...DIGESTS].find(([, name]) => name === digest)?.[0] ?? ''
}

/** RFC 9231 §2.3.9; the defaults are SHA-256 and a salt as long as the digest. */
function readPss(method: XmlElement): VerifiableMethod | null {
  const parameters = optionalChild(method, DSIG_2007, 'RSAPSSParams')
  if (parameters === null) return pss('sha256', 'sha256', DIGEST_BYTES.sha256)
  const digest = digestWithin(parameters)
  const mask = optionalChild(parameters, DSIG_2007, 'MaskGenerationFunction')
  if (mask !== null && attributeOf(mask, 'Algorithm') !== MGF1_URI) return null
  const maskDigest = mask === null ? digest : digestWithin(mask)
  if (digest === null || maskDigest === null || (numberWithin(parameters, 'TrailerField') ?? 1) !== 1) return null
  const saltLength = numberWithin(parameters, 'SaltLength') ?? DIGEST_BYTES[digest]
  return saltLength === undefined || Number.isNaN(saltLength) ? null : pss(digest, maskDigest, saltLength)
}

/** null: no such element; NaN: no number, or none that anybody uses */
function numberWithin(parent: XmlElement, local: string): number | null {
  const element = optionalChild(parent, DSIG_2007, local)
  return element === null ? null : Number(/^\s*(\d{1,4})\s*$/.exec(textOf(element))?.[1] ?? NaN)
}

function digestWithin(parent: XmlElement): Digest | null {
  const found = childElements(parent).filter((child) => isNamed(child, DSIG_NAMESPACE, 'DigestMethod'))
  if (found.length > 1) return null
  return found[0] === undefined ? 'sha256' : digestOfUri(attributeOf(found[0], 'Algorithm') ?? '')
}

function pss(digest: Digest, maskDigest: Digest, saltLength: number | undefined): VerifiableMethod {
  const hash = (name: Digest): Buffer => sequence(oid(digestOid(name)))
  const parameters = sequence(
    encode(0xa0, hash(digest)),
    encode(0xa1, sequence(oid('1.2.840.113549.1.1.8'), hash(maskDigest))),
    encode(0xa2, integer(saltLength ?? 0)),
  )
  const both = sequence(oid('1.2.840.113549.1.1.10'), parameters)
  return { verify: both, facts: both }
}

const rsa = (id: string): VerifiableMethod => {
  const both = sequence(oid(id), derNull())
  return { verify: both, facts: both }
}
const ecdsa = (plain: string, id: string): VerifiableMethod => ({
  verify: sequence(oid(plain)),
  facts: sequence(oid(id)),
})
const eddsa = (id: string): VerifiableMethod => ({ verify: sequence(oid(id)), facts: sequence(oid(id)) })

const DSIG_MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const DSIG_2007 = 'http://www.w3.org/2007/05/xmldsig-more#'
const DSIG_2021 = 'http://www.w3.org/2021/04/xmldsig-more#'
const XENC = 'http://www.w3.org/2001/04/xmlenc#'
const RSA_PSS = `${DSIG_2007}rsa-pss`
const MGF1_URI = `${DSIG_2007}MGF1`
const DIGEST_BYTES: Readonly<Partial<Record<Digest, number>>> = {
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha3-224': 28,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
}
const DIGESTS: ReadonlyMap<string, Digest> = new Map([
  [`${DSIG_MORE}md5`, 'md5'],
  [`${DSIG_NAMESPACE}sha1`, 'sha1'],
  [`${XENC}ripemd160`, 'ripemd160'],
  [`${DSIG_MORE}sha224`, 'sha224'],
  [`${XENC}sha256`, 'sha256'],
  [`${DSIG_MORE}sha384`, 'sha384'],
  [`${XENC}sha512`, 'sha512'],
  [`${DSIG_2007}sha3-224`, 'sha3-224'],
  [`${DSIG_2007}sha3-256`, 'sha3-256'],
  [`${DSIG_2007}sha3-384`, 'sha3-384'],
  [`${DSIG_2007}sha3-512`, 'sha3-512'],
])
const PSS_DIGESTS = [
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha3-224',
  'sha3-256',
  'sha3-384',
  'sha3-512',
] as const
const METHODS: ReadonlyMap<string, VerifiableMethod> = new Map([
  [`${DSIG_MORE}rsa-md5`, rsa('1.2.840.113549.1.1.4')],
  [`${DSIG_NAMESPACE}rsa-sha1`, rsa('1.2.840.113549.1.1.5')],
  [`${DSIG_MORE}rsa-ripemd160`, rsa('1.3.36.3.3.1.2')],
  [`${DSIG_MORE}rsa-sha224`, rsa('1.2.840.113549.1.1.14')],
  [`${DSIG_MORE}rsa-sha256`, rsa('1.2.840.113549.1.1.11')],
  [`${DSIG_MORE}rsa-sha384`, rsa('1.2.840.113549.1.1.12')],
  [`${DSIG_MORE}rsa-sha512`, rsa('1.2.840.113549.1.1.13')],
  ...PSS_DIGESTS.map((name) => [`${DSIG_2007}${name}-rsa-MGF1`, pss(name, name, DIGEST_BYTES[name])] as const),
  [`${DSIG_MORE}ecdsa-sha1`, ecdsa('0.4.0.127.0.7.1.1.4.1.1', '1.2.840.10045.4.1')],
  [`${DSIG_2007}ecdsa-ripemd160`, ecdsa('0.4.0.127.0.7.1.1.4.1.6', '0.4.0.127.0.7.1.1.4.1.6')],
  [`${DSIG_MORE}ecdsa-sha224`, ecdsa('0.4.0.127.0.7.1.1.4.1.2', '1.2.840.10045.4.3.1')],
  [`${DSIG_MORE}ecdsa-sha256`, ecdsa('0.4.0.127.0.7.1.1.4.1.3', '1.2.840.10045.4.3.2')],
  [`${DSIG_MORE}ecdsa-sha384`, ecdsa('0.4.0.127.0.7.1.1.4.1.4', '1.2.840.10045.4.3.3')],
  [`${DSIG_MORE}ecdsa-sha512`, ecdsa('0.4.0.127.0.7.1.1.4.1.5', '1.2.840.10045.4.3.4')],
  [`${DSIG_2021}ecdsa-sha3-224`, ecdsa('0.4.0.127.0.7.1.1.4.1.8', '2.16.840.1.101.3.4.3.9')],
  [`${DSIG_2021}ecdsa-sha3-256`, ecdsa('0.4.0.127.0.7.1.1.4.1.9', '2.16.840.1.101.3.4.3.10')],
  [`${DSIG_2021}ecdsa-sha3-384`, ecdsa('0.4.0.127.0.7.1.1.4.1.10', '2.16.840.1.101.3.4.3.11')],
  [`${DSIG_2021}ecdsa-sha3-512`, ecdsa('0.4.0.127.0.7.1.1.4.1.11', '2.16.840.1.101.3.4.3.12')],
  [`${DSIG_2021}eddsa-ed25519`, eddsa('1.3.101.112')],
  [`${DSIG_2021}eddsa-ed448`, eddsa('1.3.101.113')],
])
