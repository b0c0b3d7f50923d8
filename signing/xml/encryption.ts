/**
 * XML Encryption as OSCI profiles it (XML Encryption 1.1): AES-GCM content, keys wrapped by RSA-OAEP, and OSCI's own
 * IvLength element, whose absence means a 16-byte IV.
 *
 * Sealed bytes are IV ‖ ciphertext ‖ tag. Every failure to open says the same, so that nobody can use it as an oracle.
 */
import { constants, createCipheriv, createDecipheriv, publicEncrypt, X509Certificate } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { DecryptionKey, KeyTransport } from '../keys/decryption-key.ts'
import { AES256_GCM, RSA_1_5, RSA_OAEP, SHA256, contentCipher, digestName } from './algorithms.ts'
import type { ContentCipher } from './algorithms.ts'
import { attributeOf, base64Of, childElements, isNamed, optionalChild, requiredChild } from './find.ts'
import type { XmlElement } from './parse.ts'
import { DSIG_NAMESPACE, wrappedBase64 } from './signature.ts'

export const XENC_NAMESPACE = 'http://www.w3.org/2001/04/xmlenc#'
const XENC11_NAMESPACE = 'http://www.w3.org/2009/xmlenc11#'
const OSCI128_NAMESPACE = 'http://xoev.de/transport/osci12/8'
const MGF1_SHA256 = `${XENC11_NAMESPACE}mgf1sha256`

/** Which algorithms beyond the default a peer may use. */
export type CipherPolicy = 'modern' | 'legacy-allowed'

/** An xenc:EncryptedData taken apart. */
export interface ReadEncryptedData {
  method: SealMethod
  /** in document order; the first one decides in OSCI's transport encryption */
  keys: WrappedKey[]
  /** the content key itself, where OSCI puts one beside an attachment; null = none */
  plainKey: Buffer | null
  data: { kind: 'value'; sealed: Buffer } | { kind: 'reference'; uri: string }
}

/** How content is sealed. */
export interface SealMethod {
  /** EncryptionMethod URI */
  algorithm: string
  /** bytes; the message says it for GCM only */
  ivBytes: number
}

export interface WrappedKey {
  transport: KeyTransport
  wrapped: Buffer
  /** DER inside X509Data; null = named by `uri` */
  certificate: Buffer | null
  /** RetrievalMethod URI; null = certificate inside */
  uri: string | null
}

/**
 * Takes an xenc:EncryptedData apart.
 *
 * @throws SigningError `signing/xml-malformed`, `signing/algorithm-refused`
 */
export function readEncryptedData(element: XmlElement, policy: CipherPolicy): ReadEncryptedData {
  const info = requiredChild(element, DSIG_NAMESPACE, 'KeyInfo')
  const method = readMethod(element, policy)
  const { keyBytes } = contentCipher(method.algorithm)
  const keys = childElements(info)
    .filter((child) => isNamed(child, XENC_NAMESPACE, 'EncryptedKey'))
    .map((child) => readWrappedKey(child, keyBytes, policy))
  const plain = optionalChild(info, DSIG_NAMESPACE, 'MgmtData')
  return { method, keys, plainKey: plain && base64Of(plain), data: readCipherData(element) }
}

function readMethod(element: XmlElement, policy: CipherPolicy): SealMethod {
  const method = requiredChild(element, XENC_NAMESPACE, 'EncryptionMethod')
  const algorithm = attributeOf(method, 'Algorithm') ?? ''
  const cipher = contentCipher(algorithm)
  if (cipher.legacy && policy === 'modern') throw refused('this cipher algorithm')
  // CBC has its own IV length; the element then means nothing, though peers write it.
  if (cipher.mode === 'cbc') return { algorithm, ivBytes: cipher.ivBytes }
  const length = optionalChild(method, OSCI128_NAMESPACE, 'IvLength')
  const ivBytes = length ? Number(attributeOf(length, 'Value')) : 16
  if (ivBytes !== 12 && ivBytes !== 16) throw refused('this IV length')
  return { algorithm, ivBytes }
}

function readWrappedKey(element: XmlElement, keyBytes: number, policy: CipherPolicy): WrappedKey {
  const info = requiredChild(element, DSIG_NAMESPACE, 'KeyInfo')
  const data = optionalChild(info, DSIG_NAMESPACE, 'X509Data')
  const retrieval = optionalChild(info, DSIG_NAMESPACE, 'RetrievalMethod')
  const cipherData = requiredChild(element, XENC_NAMESPACE, 'CipherData')
  return {
    transport: readTransport(requiredChild(element, XENC_NAMESPACE, 'EncryptionMethod'), keyBytes, policy),
    wrapped: base64Of(requiredChild(cipherData, XENC_NAMESPACE, 'CipherValue')),
    certificate: data && base64Of(requiredChild(data, DSIG_NAMESPACE, 'X509Certificate')),
    uri: retrieval && attributeOf(retrieval, 'URI'),
  }
}

function readTransport(method: XmlElement, keyBytes: number, policy: CipherPolicy): KeyTransport {
  const algorithm = attributeOf(method, 'Algorithm')
  if (algorithm === RSA_1_5 && policy === 'legacy-allowed') return { kind: 'rsa-1_5', keyBytes }
  if (algorithm !== RSA_OAEP) throw refused('this key transport')
  const hash = digestName(attributeOf(requiredChild(method, DSIG_NAMESPACE, 'DigestMethod'), 'Algorithm') ?? '')
  const mgf = attributeOf(requiredChild(method, XENC11_NAMESPACE, 'MGF'), 'Algorithm')
  if (hash !== 'sha256' && hash !== 'sha384' && hash !== 'sha512') throw refused('this OAEP digest')
  // Node's OAEP uses one hash for both; nobody writes another pair.
  if (mgf !== `${XENC11_NAMESPACE}mgf1${hash}`) throw refused('different hashes in OAEP and MGF1')
  return { kind: 'rsa-oaep', hash }
}

function readCipherData(element: XmlElement): ReadEncryptedData['data'] {
  const data = requiredChild(element, XENC_NAMESPACE, 'CipherData')
  const value = optionalChild(data, XENC_NAMESPACE, 'CipherValue')
  if (value) return { kind: 'value', sealed: base64Of(value) }
  const uri = attributeOf(requiredChild(data, XENC_NAMESPACE, 'CipherReference'), 'URI')
  if (uri === null) throw new SigningError('signing/xml-malformed', 'a cipher reference without URI')
  return { kind: 'reference', uri }
}

/**
 * Unwraps a content key and opens sealed bytes with it.
 *
 * @throws SigningError `signing/decryption-failed` whatever the reason
 */
export async function openSealed(
  sealed: Buffer,
  method: SealMethod,
  key: { wrapped: WrappedKey; by: DecryptionKey },
): Promise<Buffer> {
  let contentKey: Buffer
  try {
    contentKey = await key.by.unwrap(key.wrapped.wrapped, key.wrapped.transport)
  } catch (cause) {
    throw new SigningError('signing/decryption-failed', 'the bytes do not open with this key', { cause })
  }
  try {
    return openBytes(sealed, method, contentKey)
  } finally {
    contentKey.fill(0)
  }
}

/** Opens sealed bytes with a content key. @throws SigningError `signing/decryption-failed` */
export function openBytes(sealed: Buffer, method: SealMethod, contentKey: Buffer): Buffer {
  const cipher = contentCipher(method.algorithm)
  try {
    if (contentKey.length !== cipher.keyBytes) throw new RangeError('key length')
    return decipher(sealed, cipher, method.ivBytes, contentKey)
  } catch (cause) {
    throw new SigningError('signing/decryption-failed', 'the bytes do not open with this key', { cause })
  }
}

function decipher(sealed: Buffer, cipher: ContentCipher, ivBytes: number, key: Buffer): Buffer {
  const iv = sealed.subarray(0, ivBytes)
  if (cipher.mode === 'cbc') {
    const open = createDecipheriv(cipher.name, key, iv)
    return Buffer.concat([open.update(sealed.subarray(ivBytes)), open.final()])
  }
  if (sealed.length < ivBytes + TAG_BYTES) throw new RangeError('shorter than IV and tag')
  const open = createDecipheriv(cipher.name as 'aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  open.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  return Buffer.concat([open.update(sealed.subarray(ivBytes, sealed.length - TAG_BYTES)), open.final()])
}

/** Bytes sealed by us: AES-256-GCM, 12-byte IV, under a key of its own. */
export interface Sealed {
  key: Buffer
  sealed: Buffer
}

/** Seals bytes under a fresh AES-256-GCM key. */
export function sealBytes(plain: Buffer, random: (bytes: number) => Buffer): Sealed {
  const key = random(32)
  const iv = random(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  return { key, sealed: Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) }
}

/** Who may open a content key and how the message names the certificate. */
export interface KeyReceiver {
  /** DER */
  certificate: Buffer
  /** RetrievalMethod URI with `#`; absent: the certificate itself stands in the message, as transport encryption wants */
  uri?: string
}

/** Text of an xenc:EncryptedKey for one receiver: RSA-OAEP with SHA-256 and MGF1-SHA256. */
export function encryptedKeyText(key: Buffer, receiver: KeyReceiver): string {
  const wrapped = publicEncrypt(
    {
      key: new X509Certificate(receiver.certificate).publicKey,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha256',
    },
    key,
  )
  const info =
    receiver.uri === undefined
      ? `<ds:X509Data><ds:X509Certificate>${wrappedBase64(receiver.certificate)}</ds:X509Certificate></ds:X509Data>`
      : `<ds:RetrievalMethod Type="${DSIG_NAMESPACE}X509Data" URI="${receiver.uri}"></ds:RetrievalMethod>`
  return (
    `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${RSA_OAEP}">` +
    `<xenc11:MGF xmlns:xenc11="${XENC11_NAMESPACE}" Algorithm="${MGF1_SHA256}"></xenc11:MGF>` +
    `<ds:DigestMethod Algorithm="${SHA256}"></ds:DigestMethod></xenc:EncryptionMethod>` +
    `<ds:KeyInfo>${info}</ds:KeyInfo><xenc:CipherData><xenc:CipherValue>${wrappedBase64(wrapped)}</xenc:CipherValue>` +
    `</xenc:CipherData></xenc:EncryptedKey>`
  )
}

/** Text of the EncryptionMethod that `sealBytes` stands for. */
export const SEAL_METHOD_TEXT =
  `<xenc:EncryptionMethod Algorithm="${AES256_GCM}">` +
  `<osci128:IvLength xmlns:osci128="${OSCI128_NAMESPACE}" Value="12"></osci128:IvLength></xenc:EncryptionMethod>`

const TAG_BYTES = 16

function refused(what: string): SigningError {
  return new SigningError('signing/algorithm-refused', `${what} is not accepted`)
}
