/**
 * What the authors' signatures in one container are worth (content signatures of OSCI 1.2).
 *
 * Pure: takes elements and plaintext, gives a verdict. Every content and every attachment must be covered by every
 * signature; the keys of encrypted attachments are added after signing and are not.
 */
import {
  attributeOf,
  base64Of,
  canonicalize,
  childElements,
  readSignature,
  signatureValueHolds,
  xmlDigest,
} from '../../signing/index.ts'
import type { ReadSignature, XmlElement, XmlReference } from '../../signing/index.ts'
import type { CertificateEntry } from './messages.ts'

export type AuthorVerdict = 'valid' | 'invalid' | 'unsigned'

export interface SignedContainer {
  signatures: readonly XmlElement[]
  contents: readonly XmlElement[]
  /** encrypted containers inside, without keys of attachments */
  encrypted: readonly XmlElement[]
  certificates: readonly CertificateEntry[]
}

/**
 * Judges the signatures of a container.
 *
 * @param plaintext attachments in the clear by name: authors sign what is inside, not the ciphertext
 * @returns `unsigned` without signature; the certificates (DER) whose signatures hold
 */
export function authorVerdict(
  container: SignedContainer,
  plaintext: ReadonlyMap<string, Buffer>,
): { verdict: AuthorVerdict; signers: Buffer[] } {
  const signers: Buffer[] = []
  for (const element of container.signatures) {
    const signer = signerOf(container, element, plaintext)
    if (!signer) return { verdict: 'invalid', signers }
    signers.push(signer)
  }
  return { verdict: signers.length === 0 ? 'unsigned' : 'valid', signers }
}

/** The certificate of a signature that holds over everything; null = it does not. */
function signerOf(
  container: SignedContainer,
  element: XmlElement,
  plaintext: ReadonlyMap<string, Buffer>,
): Buffer | null {
  let signature: ReadSignature
  try {
    signature = readSignature(element)
  } catch {
    return null // algorithms that are not accepted, or no signature at all: it proves nothing
  }
  const targets = signedElements(container)
  const uris = new Set(signature.references.map((reference) => reference.uri))
  const required = [...[...targets.keys()].map((id) => `#${id}`), ...attachmentUris(container.contents)]
  if (uris.size !== signature.references.length || required.some((uri) => !uris.has(uri))) return null
  const properties = signedProperties(element)
  const holds = signature.references.every((reference) => {
    const candidates = octetsOf(reference, targets, properties, plaintext)
    return candidates.some((octets) => xmlDigest(reference.digestMethod, octets).equals(reference.digest))
  })
  const entry = container.certificates.find(({ id }) => `#${id}` === signature.keyUri)
  return holds && entry && signatureValueHolds(signature, entry.certificate) ? entry.certificate : null
}

/** What a signature must cover, by Id. Inline data carries its Id on Base64Content. */
function signedElements(container: SignedContainer): Map<string, XmlElement> {
  const found = new Map<string, XmlElement>()
  for (const element of [...container.contents, ...container.encrypted]) {
    const [child] = childElements(element)
    const target = child?.local === 'Base64Content' ? child : element
    found.set(attributeOf(target, 'Id') ?? '', target)
  }
  return found
}

function attachmentUris(contents: readonly XmlElement[]): string[] {
  return contents.map((content) => attributeOf(content, 'href')).filter((href) => href !== null)
}

/** XAdES SignedProperties inside the signature itself, by Id (OSCI's signing time). */
function signedProperties(signature: XmlElement): Map<string, XmlElement> {
  const found = new Map<string, XmlElement>()
  const waiting = childElements(signature).filter((child) => child.local === 'Object')
  for (let element = waiting.pop(); element; element = waiting.pop()) {
    if (element.local === 'SignedProperties') found.set(attributeOf(element, 'Id') ?? '', element)
    else for (const child of element.children) if (typeof child !== 'string') waiting.push(child)
  }
  return found
}

/** Octets that a reference may mean; more than one where peers canonicalise differently. */
function octetsOf(
  reference: XmlReference,
  targets: ReadonlyMap<string, XmlElement>,
  properties: ReadonlyMap<string, XmlElement>,
  plaintext: ReadonlyMap<string, Buffer>,
): Buffer[] {
  if (reference.uri.startsWith('cid:')) {
    const body = plaintext.get(reference.uri.slice(4))
    return body && reference.transform === 'none' ? [body] : []
  }
  const id = reference.uri.slice(1)
  const property = properties.get(id)
  if (property && reference.transform === 'none') return [canonicalize(property)]
  const target = targets.get(id)
  return target ? elementOctets(reference, target) : []
}

function elementOctets(reference: XmlReference, target: XmlElement): Buffer[] {
  if (target.local === 'Base64Content') return reference.transform === 'base64' ? [base64Of(target)] : []
  if (reference.transform !== 'c14n') return []
  if (target.local !== 'EncryptedData') return [canonicalize(target)]
  // Peers digest a signed EncryptedData without the declarations inherited from outside.
  return [canonicalize(target, { rendered: target.parent?.scope ?? new Map<string, string>() }), canonicalize(target)]
}
