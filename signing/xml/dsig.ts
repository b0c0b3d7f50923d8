/**
 * A ds:Signature taken apart after its schema (XML Signature 1.1 §4), for any producer's signatures.
 *
 * Reads and bounds; nothing is verified here. The narrow profile of OSCI is in signature.ts.
 */
import { SigningError } from '../errors.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { verifyValue } from '../trust/signature-value.ts'
import type { ValueVerdict } from '../trust/signature-value.ts'
import { decodeBase64 } from './base64.ts'
import { canonicalize } from './c14n.ts'
import type { CanonicalOptions } from './c14n.ts'
import { attributeOf, childElements, isNamed, textOf } from './find.ts'
import { elementsOf } from './ids.ts'
import { DSIG_NAMESPACE } from './namespaces.ts'
import { digestOfUri, readSignatureMethod } from './signature-method.ts'
import type { VerifiableMethod } from './signature-method.ts'
import { readCanonicalization, readTransforms } from './transforms.ts'
import type { TransformStep } from './transforms.ts'
import type { XmlElement } from './tree.ts'
import { needsBaseFixup } from './xml-attributes.ts'

export interface DsigSignature {
  element: XmlElement
  id: string | null
  signedInfo: XmlElement
  /** canonical form of SignedInfo, which the value is over; null: by a form that is not executed */
  signedOctets: Buffer | null
  /** null: unknown */
  method: VerifiableMethod | null
  methodUri: string
  references: readonly DsigReference[]
  valueElement: XmlElement
  value: Buffer
  keyInfo: XmlElement | null
  /** ds:Object in document order */
  objects: readonly XmlElement[]
}

export interface DsigReference {
  element: XmlElement
  id: string | null
  /** null: no URI, the application knows what is meant */
  uri: string | null
  type: string | null
  /** null: `refused` says what is not executed */
  steps: readonly TransformStep[] | null
  refused: string
  digestUri: string
  /** null: unknown */
  digest: Digest | null
  /** null: not base64, so nothing equals it */
  value: Buffer | null
}

/**
 * The signatures of a document in document order, signatures inside signatures included.
 *
 * @throws SigningError `signing/xml-too-large` more than 256
 */
export function findSignatures(root: XmlElement): XmlElement[] {
  const found: XmlElement[] = []
  for (const element of elementsOf(root)) {
    if (!isNamed(element, DSIG_NAMESPACE, 'Signature')) continue
    if (found.length >= MAX_SIGNATURES) throw new SigningError('signing/xml-too-large', 'too many signatures')
    found.push(element)
  }
  return found
}

/**
 * Takes a ds:Signature apart.
 *
 * @throws SigningError `signing/xml-malformed` not after the schema; `signing/xml-too-large` too many references
 */
export function readDsig(element: XmlElement): DsigSignature {
  const [signedInfo, valueElement, ...rest] = childElements(element)
  expectNamed(signedInfo, 'SignedInfo')
  expectNamed(valueElement, 'SignatureValue')
  const keyInfo = rest[0] !== undefined && isNamed(rest[0], DSIG_NAMESPACE, 'KeyInfo') ? rest[0] : null
  const objects = keyInfo === null ? rest : rest.slice(1)
  for (const object of objects) expectNamed(object, 'Object')
  const [canonicalization, method, ...references] = childElements(signedInfo)
  expectNamed(canonicalization, 'CanonicalizationMethod')
  expectNamed(method, 'SignatureMethod')
  // what is no base64 is a value all the same: one that fits nothing
  const value = decodeBase64(textOf(valueElement)) ?? Buffer.from(textOf(valueElement))
  return {
    element,
    id: attributeOf(element, 'Id'),
    signedInfo,
    signedOctets: signedOctets(signedInfo, readCanonicalization(canonicalization)),
    method: readSignatureMethod(method),
    methodUri: attributeOf(method, 'Algorithm') ?? '',
    references: readReferences(references),
    valueElement,
    value,
    keyInfo,
    objects,
  }
}

/**
 * The ds:Reference elements of a SignedInfo or Manifest.
 *
 * @throws SigningError `signing/xml-malformed`, `signing/xml-too-large`
 */
export function readReferences(elements: readonly XmlElement[]): DsigReference[] {
  if (elements.length === 0) throw malformed('a signature or manifest without references')
  if (elements.length > MAX_REFERENCES) throw new SigningError('signing/xml-too-large', 'too many references')
  return elements.map((element) => {
    expectNamed(element, 'Reference')
    const children = childElements(element)
    const [method, value] = children.filter((child) => !isNamed(child, DSIG_NAMESPACE, 'Transforms'))
    if (children.length > 3) throw malformed('a reference with unknown elements')
    expectNamed(method, 'DigestMethod')
    expectNamed(value, 'DigestValue')
    const steps = readTransforms(element)
    const digestUri = attributeOf(method, 'Algorithm') ?? ''
    return {
      element,
      id: attributeOf(element, 'Id'),
      uri: attributeOf(element, 'URI'),
      type: attributeOf(element, 'Type'),
      steps: 'refused' in steps ? null : steps,
      refused: 'refused' in steps ? steps.refused : '',
      digestUri,
      digest: digestOfUri(digestUri),
      value: decodeBase64(textOf(value)),
    }
  })
}

/** X509Certificate entries of KeyInfo, in order; candidates, nothing more. Entries that are no base64 are left out. */
export function keyInfoCertificates({ keyInfo }: DsigSignature): Buffer[] {
  if (keyInfo === null) return []
  const found: Buffer[] = []
  for (const element of elementsOf(keyInfo)) {
    if (!isNamed(element, DSIG_NAMESPACE, 'X509Certificate')) continue
    const bytes = decodeBase64(element.children.filter((child) => typeof child === 'string').join(''))
    if (bytes !== null && found.length < MAX_CERTIFICATES) found.push(bytes)
  }
  return found
}

/** Does the signature value fit the key and the SignedInfo? Says nothing about references nor about trust. */
export function verifyDsigValue(signature: DsigSignature, spki: Buffer): ValueVerdict {
  const { signedOctets: signed, method, methodUri, value } = signature
  if (method === null) return { kind: 'unsupported', algorithm: methodUri }
  if (signed === null) return { kind: 'unsupported', algorithm: 'canonicalisation of SignedInfo' }
  return verifyValue({ algorithm: method.verify, spki, signed }, value)
}

function signedOctets(signedInfo: XmlElement, form: CanonicalOptions | null): Buffer | null {
  const needsMore = form?.xmlAttributes === '1.1' && needsBaseFixup(signedInfo)
  return form === null || needsMore ? null : canonicalize(signedInfo, form)
}

function expectNamed(element: XmlElement | undefined, local: string): asserts element is XmlElement {
  if (element === undefined || !isNamed(element, DSIG_NAMESPACE, local))
    throw malformed(`${local} is not where it should be`)
}

function malformed(what: string): SigningError {
  return new SigningError('signing/xml-malformed', `unexpected structure: ${what}`)
}

const MAX_SIGNATURES = 256
const MAX_REFERENCES = 10_000
const MAX_CERTIFICATES = 64
