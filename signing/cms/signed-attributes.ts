/**
 * The signed attributes of a signer: those that may stand there only once, and what the signing side claims in them
 * (RFC 5652 §11, ETSI EN 319 122-1 §5.2).
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import { TAG, readOid, readTime } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { signedAttributesOf } from './container.ts'
import type { Attribute, SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'

export interface SignedAttributes {
  /** as transmitted */
  all: readonly Attribute[]
  /** by type: the value of each attribute that may stand there once, with one value */
  values: ReadonlyMap<string, Buffer>
}

/**
 * Null when one of those that count appears twice or has not exactly one value: which one is meant stays open.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function readSignedAttributes(signer: SignerParts): SignedAttributes | null {
  const all = signedAttributesOf(signer)
  const values = new Map<string, Buffer>()
  for (const { type, values: found } of all) {
    if (!SINGLE.has(type)) continue
    const [value, ...more] = found
    if (value === undefined || more.length > 0 || values.has(type)) return null
    values.set(type, value)
  }
  return { all, values }
}

export interface SignerClaims {
  /** signing-time; null: none */
  time: Date | null
  location: string | null
  /** object identifiers of commitment-type-indication */
  commitments: readonly string[]
  /** object identifier of the signature policy; null: none, or an implied one */
  policy: string | null
}

/**
 * What the signing side says; proves nothing.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function readClaims({ all, values }: SignedAttributes): SignerClaims {
  const time = values.get(ATTRIBUTE.signingTime)
  const policy = values.get(ATTRIBUTE.signaturePolicy)
  const location = values.get(ATTRIBUTE.signerLocation)
  return {
    time: time === undefined ? null : readTime(readBer(time)),
    location: location === undefined ? null : readLocation(location),
    commitments: all
      .filter(({ type }) => type === ATTRIBUTE.commitmentType)
      .flatMap((attribute) => attribute.values)
      .map((value) => readOid(berChildren(readBer(value), TAG.sequence)[0])),
    policy: policy === undefined ? null : readPolicy(policy),
  }
}

/** SignaturePolicy: an identifier with its hash, or NULL for one that is implied (EN 319 122-1 §5.2.9.1). */
function readPolicy(value: Buffer): string | null {
  const element = readBer(value)
  return element.tag === TAG.null ? null : readOid(berChildren(element, TAG.sequence)[0])
}

/** SignerLocation: country [0], locality [1], postal address [2] (§5.2.5); each text explicit in its tag. */
function readLocation(value: Buffer): string {
  const texts = berChildren(readBer(value), TAG.sequence).flatMap((part) => {
    const [text] = berChildren(part, part.tag)
    const lines = text?.tag === TAG.sequence ? berChildren(text, TAG.sequence) : [text]
    return lines.map((line) => line?.content.toString('utf8') ?? '')
  })
  return texts.filter((text) => text !== '').join(', ')
}

/**
 * Is this content what signed attributes look like? Then a signature over it without attributes may be one over
 * attributes that somebody took off: both read the same (RFC 5652 §5.4).
 */
export function looksLikeAttributes(content: Buffer): boolean {
  if (content[0] !== TAG.set) return false
  try {
    const types = berChildren(readBer(content), TAG.set).map((item) => readOid(berChildren(item, TAG.sequence)[0]))
    return types.includes(ATTRIBUTE.contentType) || types.includes(ATTRIBUTE.messageDigest)
  } catch (error) {
    if (error instanceof SigningError) return false
    throw error
  }
}

const SINGLE: ReadonlySet<string> = new Set([
  ATTRIBUTE.contentType,
  ATTRIBUTE.messageDigest,
  ATTRIBUTE.signingTime,
  ATTRIBUTE.signingCertificate,
  ATTRIBUTE.signingCertificateV2,
  ATTRIBUTE.algorithmProtection,
  ATTRIBUTE.signaturePolicy,
  ATTRIBUTE.signerLocation,
])
