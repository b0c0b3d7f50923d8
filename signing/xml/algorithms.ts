/**
 * Algorithm URIs of XMLDSig and XMLEnc and what they mean in Node.
 *
 * XML Signature 1.1, RFC 9231 (SHA-3, RSASSA-PSS), XML Encryption 1.1. SHA-1 and RIPEMD-160 are not in the lists and
 * therefore refused; CBC, triple DES and RSAES-PKCS1-v1_5 are marked as legacy and off unless a partner needs them.
 */
import { X509Certificate, constants } from 'node:crypto'
import { SigningError } from '../errors.ts'
import { fieldBytes } from '../keys/algorithms.ts'
import { toPlainValue } from '../keys/ecdsa-value.ts'
import type { SignatureAlgorithm, SigningKey } from '../keys/signing-key.ts'

const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const DSIG_MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const DSIG_2007 = 'http://www.w3.org/2007/05/xmldsig-more#'
const XENC = 'http://www.w3.org/2001/04/xmlenc#'
const XENC11 = 'http://www.w3.org/2009/xmlenc11#'

export const BASE64_TRANSFORM = `${DSIG}base64`
export const SHA256 = `${XENC}sha256`
export const AES256_GCM = `${XENC11}aes256-gcm`
export const RSA_OAEP = `${XENC11}rsa-oaep`
export const RSA_1_5 = `${XENC}rsa-1_5`

const DIGESTS: Readonly<Record<string, string>> = {
  [SHA256]: 'sha256',
  [`${DSIG_MORE}sha384`]: 'sha384',
  [`${XENC}sha512`]: 'sha512',
  [`${DSIG_2007}sha3-256`]: 'sha3-256',
  [`${DSIG_2007}sha3-384`]: 'sha3-384',
  [`${DSIG_2007}sha3-512`]: 'sha3-512',
}

/** Node's name of a digest. @throws SigningError `signing/algorithm-refused` */
export function digestName(uri: string): string {
  return known(DIGESTS, uri, 'digest')
}

/** How a signature value is checked. */
export interface SignatureScheme {
  hash: string
  keyType: 'rsa' | 'ec'
  options: { padding?: number; saltLength?: number; dsaEncoding?: 'ieee-p1363' }
}

const pkcs1 = (hash: string): SignatureScheme => ({
  hash,
  keyType: 'rsa',
  options: { padding: constants.RSA_PKCS1_PADDING },
})
const pss = (hash: string): SignatureScheme => ({
  hash,
  keyType: 'rsa',
  options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
})
const ecdsa = (hash: string): SignatureScheme => ({ hash, keyType: 'ec', options: { dsaEncoding: 'ieee-p1363' } })

const SIGNATURES: Readonly<Record<string, SignatureScheme>> = {
  [`${DSIG_MORE}rsa-sha256`]: pkcs1('sha256'),
  [`${DSIG_MORE}rsa-sha384`]: pkcs1('sha384'),
  [`${DSIG_MORE}rsa-sha512`]: pkcs1('sha512'),
  [`${DSIG_2007}sha256-rsa-MGF1`]: pss('sha256'),
  [`${DSIG_2007}sha384-rsa-MGF1`]: pss('sha384'),
  [`${DSIG_2007}sha512-rsa-MGF1`]: pss('sha512'),
  [`${DSIG_2007}sha3-256-rsa-MGF1`]: pss('sha3-256'),
  [`${DSIG_2007}sha3-384-rsa-MGF1`]: pss('sha3-384'),
  [`${DSIG_2007}sha3-512-rsa-MGF1`]: pss('sha3-512'),
  [`${DSIG_MORE}ecdsa-sha256`]: ecdsa('sha256'),
  [`${DSIG_MORE}ecdsa-sha384`]: ecdsa('sha384'),
  [`${DSIG_MORE}ecdsa-sha512`]: ecdsa('sha512'),
}

/** How values of this SignatureMethod are checked. @throws SigningError `signing/algorithm-refused` */
export function signatureScheme(uri: string): SignatureScheme {
  return known(SIGNATURES, uri, 'signature')
}

const OWN_SIGNATURES: Readonly<Record<SignatureAlgorithm, string>> = {
  'rsa-pkcs1-sha256': `${DSIG_MORE}rsa-sha256`,
  'rsa-pkcs1-sha384': `${DSIG_MORE}rsa-sha384`,
  'rsa-pkcs1-sha512': `${DSIG_MORE}rsa-sha512`,
  'rsa-pss-sha256': `${DSIG_2007}sha256-rsa-MGF1`,
  'rsa-pss-sha384': `${DSIG_2007}sha384-rsa-MGF1`,
  'rsa-pss-sha512': `${DSIG_2007}sha512-rsa-MGF1`,
  'ecdsa-sha256': `${DSIG_MORE}ecdsa-sha256`,
  'ecdsa-sha384': `${DSIG_MORE}ecdsa-sha384`,
  'ecdsa-sha512': `${DSIG_MORE}ecdsa-sha512`,
}

/** SignatureMethod of what our own keys make. */
export function signatureMethod(algorithm: SignatureAlgorithm): string {
  return OWN_SIGNATURES[algorithm]
}

/**
 * A value of `key` as SignatureValue carries it: ECDSA as r‖s (RFC 9231 §2.3.6), RSA as it is.
 *
 * @throws SigningError `signing/signature-failed` the value is not one of this key
 */
export function xmlSignatureValue(key: SigningKey, value: Buffer): Buffer {
  if (!key.algorithm.startsWith('ecdsa')) return value
  return toPlainValue(value, fieldBytes(new X509Certificate(key.certificateChain[0]).publicKey))
}

/** How a content cipher is used. Lengths in bytes. */
export interface ContentCipher {
  name: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'des-ede3-cbc'
  keyBytes: number
  mode: 'gcm' | 'cbc'
  /** fixed by the algorithm for CBC; for GCM the message says it */
  ivBytes: number
  legacy: boolean
}

const gcm = (bits: 128 | 192 | 256): ContentCipher => ({
  name: `aes-${bits}-gcm`,
  keyBytes: bits / 8,
  mode: 'gcm',
  ivBytes: 12,
  legacy: false,
})
const cbc = (bits: 128 | 192 | 256): ContentCipher => ({
  name: `aes-${bits}-cbc`,
  keyBytes: bits / 8,
  mode: 'cbc',
  ivBytes: 16,
  legacy: true,
})

const CIPHERS: Readonly<Record<string, ContentCipher>> = {
  [`${XENC11}aes128-gcm`]: gcm(128),
  [`${XENC11}aes192-gcm`]: gcm(192),
  [AES256_GCM]: gcm(256),
  [`${XENC}aes128-cbc`]: cbc(128),
  [`${XENC}aes192-cbc`]: cbc(192),
  [`${XENC}aes256-cbc`]: cbc(256),
  [`${XENC}tripledes-cbc`]: { name: 'des-ede3-cbc', keyBytes: 24, mode: 'cbc', ivBytes: 8, legacy: true },
}

/** How bytes of this EncryptionMethod are opened. @throws SigningError `signing/algorithm-refused` */
export function contentCipher(uri: string): ContentCipher {
  return known(CIPHERS, uri, 'cipher')
}

function known<T>(table: Readonly<Record<string, T>>, uri: string, kind: string): T {
  const found = Object.hasOwn(table, uri) ? table[uri] : undefined
  if (found === undefined) throw new SigningError('signing/algorithm-refused', `this ${kind} algorithm is not accepted`)
  return found
}
