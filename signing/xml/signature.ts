/**
 * XML Signature as OSCI profiles it (XMLDSig Core 1.1): detached references, Canonical XML 1.0, no other transforms
 * than c14n and base64.
 *
 * Reads, composes and checks; what a reference must point to is the caller's rule. Whoever verifies gets canonical
 * bytes and must go on with those, never with the document they came from.
 */
import { X509Certificate, createHash, verify } from 'node:crypto'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { BASE64_TRANSFORM, digestName, signatureMethod, signatureScheme, xmlSignatureValue } from './algorithms.ts'
import { CANONICAL_XML, canonicalize, escapeAttribute } from './c14n.ts'
import { attributeOf, base64Of, childElements, isNamed, optionalChild, requiredChild } from './find.ts'
import { DSIG_NAMESPACE } from './namespaces.ts'
import type { XmlElement } from './parse.ts'

export { DSIG_NAMESPACE } from './namespaces.ts'

/** One reference of a SignedInfo. */
export interface XmlReference {
  uri: string
  /** `none` for octets outside the document, `c14n` for an element, `base64` for the decoded text of an element */
  transform: 'none' | 'c14n' | 'base64'
  /** DigestMethod URI, one that this module accepts */
  digestMethod: string
  digest: Buffer
}

/** A ds:Signature taken apart; nothing of it is verified yet. */
export interface ReadSignature {
  /** canonical octets that the signature value covers */
  signedInfo: Buffer
  /** SignatureMethod URI, one that this module accepts */
  method: string
  references: XmlReference[]
  value: Buffer
  /** URI of KeyInfo/RetrievalMethod; null = none */
  keyUri: string | null
}

/**
 * Takes a ds:Signature apart.
 *
 * @throws SigningError `signing/xml-malformed` structure; `signing/algorithm-refused` any algorithm not accepted here
 */
export function readSignature(signature: XmlElement): ReadSignature {
  const signedInfo = requiredChild(signature, DSIG_NAMESPACE, 'SignedInfo')
  const canonicalization = requiredChild(signedInfo, DSIG_NAMESPACE, 'CanonicalizationMethod')
  if (attributeOf(canonicalization, 'Algorithm') !== CANONICAL_XML) throw refused('a canonicalisation')
  const method = attributeOf(requiredChild(signedInfo, DSIG_NAMESPACE, 'SignatureMethod'), 'Algorithm') ?? ''
  signatureScheme(method)
  const references = childElements(signedInfo)
    .filter((child) => isNamed(child, DSIG_NAMESPACE, 'Reference'))
    .map(readReference)
  if (references.length === 0) throw new SigningError('signing/xml-malformed', 'a signature without references')
  return {
    signedInfo: canonicalize(signedInfo),
    method,
    references,
    value: base64Of(requiredChild(signature, DSIG_NAMESPACE, 'SignatureValue')),
    keyUri: retrievalUri(signature),
  }
}

function readReference(reference: XmlElement): XmlReference {
  const digestMethod = attributeOf(requiredChild(reference, DSIG_NAMESPACE, 'DigestMethod'), 'Algorithm') ?? ''
  digestName(digestMethod)
  const uri = attributeOf(reference, 'URI')
  if (uri === null) throw new SigningError('signing/xml-malformed', 'a reference without URI')
  const digest = base64Of(requiredChild(reference, DSIG_NAMESPACE, 'DigestValue'))
  return { uri, transform: readTransform(reference), digestMethod, digest }
}

function readTransform(reference: XmlElement): XmlReference['transform'] {
  const list = optionalChild(reference, DSIG_NAMESPACE, 'Transforms')
  const transforms = list ? childElements(list) : []
  if (transforms.length === 0) return 'none'
  const [only, ...more] = transforms
  const algorithm = only && isNamed(only, DSIG_NAMESPACE, 'Transform') ? attributeOf(only, 'Algorithm') : null
  if (more.length > 0 || only?.children.length !== 0) throw refused('a chain of transforms')
  if (algorithm === CANONICAL_XML) return 'c14n'
  if (algorithm === BASE64_TRANSFORM) return 'base64'
  throw refused('a transform')
}

function retrievalUri(signature: XmlElement): string | null {
  const info = optionalChild(signature, DSIG_NAMESPACE, 'KeyInfo')
  const method = info && optionalChild(info, DSIG_NAMESPACE, 'RetrievalMethod')
  return method ? attributeOf(method, 'URI') : null
}

/** Digest of octets by DigestMethod URI. @throws SigningError `signing/algorithm-refused` */
export function xmlDigest(digestMethod: string, octets: Buffer): Buffer {
  return createHash(digestName(digestMethod)).update(octets).digest()
}

/**
 * Whether the signature value holds over its SignedInfo with this certificate's key. Says nothing about references
 * nor about trust in the certificate.
 *
 * A certificate whose keyUsage allows neither digitalSignature nor nonRepudiation verifies nothing.
 *
 * @param certificate DER
 */
export function signatureValueHolds(signature: ReadSignature, certificate: Buffer): boolean {
  const usage = readCertificate(certificate).keyUsage
  if (usage && !usage.has('digitalSignature') && !usage.has('nonRepudiation')) return false
  const scheme = signatureScheme(signature.method)
  const key = new X509Certificate(certificate).publicKey
  if (key.asymmetricKeyType !== scheme.keyType) return false
  try {
    return verify(scheme.hash, signature.signedInfo, { key, ...scheme.options }, signature.value)
  } catch {
    return false // OpenSSL throws for values that cannot be a signature at all, e.g. of a wrong length
  }
}

/** What `composeSignature` signs with and how its parts refer to it. */
export interface SignatureParts {
  references: readonly XmlReference[]
  /** RetrievalMethod URI of the signer's certificate, with `#` */
  keyUri: string
  /** namespace declarations in scope around the signature, as canonical XML writes them, each after a blank */
  scope: string
}

/**
 * Signs references and returns the text of a ds:Signature without namespace declarations.
 *
 * The caller places it where exactly the declarations of `scope` are in force. Line feeds inside SignedInfo are part of
 * what is signed; base64 is wrapped at 76 characters.
 */
export async function composeSignature(key: SigningKey, parts: SignatureParts): Promise<string> {
  const method = signatureMethod(key.algorithm)
  const inner = [
    `\n<ds:CanonicalizationMethod Algorithm="${CANONICAL_XML}"></ds:CanonicalizationMethod>`,
    `\n<ds:SignatureMethod Algorithm="${method}"></ds:SignatureMethod>\n`,
    ...parts.references.map(referenceText),
    '</ds:SignedInfo>',
  ].join('')
  const [value] = await key.sign([Buffer.from(`<ds:SignedInfo${parts.scope}>${inner}`, 'utf8')])
  if (!value) throw new SigningError('signing/signature-failed', 'the key returned no signature')
  const retrieval = `<ds:RetrievalMethod URI="${escapeAttribute(parts.keyUri)}"></ds:RetrievalMethod>`
  return (
    `<ds:Signature><ds:SignedInfo>${inner}<ds:SignatureValue>${wrappedBase64(xmlSignatureValue(key, value))}</ds:SignatureValue>` +
    `<ds:KeyInfo>${retrieval}</ds:KeyInfo></ds:Signature>`
  )
}

function referenceText(reference: XmlReference): string {
  const algorithm = reference.transform === 'c14n' ? CANONICAL_XML : BASE64_TRANSFORM
  const transforms =
    reference.transform === 'none'
      ? ''
      : `<ds:Transforms>\n<ds:Transform Algorithm="${algorithm}"></ds:Transform>\n</ds:Transforms>\n`
  return (
    `<ds:Reference URI="${escapeAttribute(reference.uri)}">\n${transforms}` +
    `<ds:DigestMethod Algorithm="${reference.digestMethod}"></ds:DigestMethod>\n` +
    `<ds:DigestValue>${wrappedBase64(reference.digest)}</ds:DigestValue>\n</ds:Reference>\n`
  )
}

/** Base64 with a line feed after every 76 characters, as OSCI peers write and some of them re-create it. */
export function wrappedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{76}/g, '$&\n')
}

function refused(what: string): SigningError {
  return new SigningError('signing/algorithm-refused', `${what} that is not accepted`)
}
