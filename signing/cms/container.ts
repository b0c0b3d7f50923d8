/**
 * A SignedData taken apart and put together again without touching the bytes of its elements (RFC 5652 §5.1).
 *
 * What other signers wrote stays byte by byte: their signatures, and archive time-stamps over single elements, depend
 * on it. Only the frame around the elements is written anew, in DER.
 */
import { berChildren, berOctets, readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { ID_DATA, ID_SIGNED_DATA } from './oids.ts'

export interface SignedDataParts {
  version: number
  /** encodings of the AlgorithmIdentifiers */
  digestAlgorithms: Buffer[]
  /** encoding of the OBJECT IDENTIFIER */
  contentTypeEncoding: Buffer
  contentType: string
  /** the octets that are signed; null: detached */
  content: Buffer | null
  /** the [0] around eContent as transmitted; null: detached */
  contentEncoding: Buffer | null
  /** CertificateChoices, encodings as transmitted */
  certificates: Buffer[]
  /** RevocationInfoChoices, encodings as transmitted */
  crls: Buffer[]
  signers: SignerParts[]
}

export interface SignerParts {
  /** encodings as transmitted, in order: version, sid, digestAlgorithm, signedAttrs when there, signatureAlgorithm, signature */
  fields: Buffer[]
  /** SignerIdentifier, encoding */
  sid: Buffer
  digestAlgorithm: Buffer
  /** with tag [0] as transmitted; null: the signature is over the content itself */
  signedAttributes: Buffer | null
  signatureAlgorithm: Buffer
  /** octets of the signature value */
  value: Buffer
  /** encodings as transmitted */
  unsignedAttributes: Buffer[]
}

export interface Attribute {
  type: string
  /** encoding of the OBJECT IDENTIFIER */
  typeEncoding: Buffer
  /** encodings */
  values: Buffer[]
}

/**
 * Reads a ContentInfo with SignedData; BER is understood.
 *
 * @returns the parts, and how many bytes follow the structure
 * @throws SigningError `signing/asn1-damaged`
 */
export function readSignedData(bytes: Buffer): SignedDataParts & { trailing: Buffer } {
  if (bytes.length > MAX_BYTES) throw damaged('a signature object is larger than 64 MiB')
  const contentInfo = readBer(bytes)
  const [type, wrapper, ...others] = berChildren(contentInfo, der.TAG.sequence)
  if (der.readOid(type) !== ID_SIGNED_DATA) throw damaged('this is no SignedData')
  const [signedData, ...more] = berChildren(wrapper, 0xa0)
  if (others.length + more.length > 0) throw damaged('a ContentInfo holds more than its content')
  const fields = berChildren(signedData, der.TAG.sequence)
  const [version, digests, content] = fields
  const signers = fields.at(-1)
  if (fields.length < 4 || fields.length > 6) throw damaged('a SignedData has an unexpected number of fields')
  const inner = fields.slice(3, -1)
  if (!isOrdered(inner)) throw damaged('a SignedData has unexpected fields')
  const infos = berChildren(signers, der.TAG.set)
  if (infos.length > MAX_SIGNERS) throw damaged('a SignedData has too many signers')
  return {
    version: der.expect(version, der.TAG.integer).content[0] ?? 0,
    digestAlgorithms: encodings(berChildren(digests, der.TAG.set)),
    ...readContent(content),
    certificates: encodings(members(inner, 0xa0)),
    crls: encodings(members(inner, 0xa1)),
    signers: infos.map(readSigner),
    trailing: bytes.subarray(contentInfo.encoding.length),
  }
}

/** Puts the parts together: DER around the elements, version by RFC 5652 §5.1, sets in DER order. */
export function writeSignedData(parts: SignedDataParts): Buffer {
  const certificates = implicitSet(0xa0, parts.certificates)
  const crls = implicitSet(0xa1, parts.crls)
  const signedData = der.sequence(
    der.integer(versionOf(parts)),
    der.setOf(...parts.digestAlgorithms),
    der.sequence(parts.contentTypeEncoding, ...(parts.contentEncoding === null ? [] : [parts.contentEncoding])),
    ...certificates,
    ...crls,
    der.setOf(...parts.signers.map(writeSigner)),
  )
  return der.sequence(der.oid(ID_SIGNED_DATA), der.encode(0xa0, signedData))
}

export function writeSigner({ fields, unsignedAttributes }: SignerParts): Buffer {
  return der.sequence(...fields, ...implicitSet(0xa1, unsignedAttributes))
}

/** Attributes as transmitted, each with its values; `attributes` are encodings of Attribute. */
export function readAttributes(attributes: readonly Buffer[]): Attribute[] {
  return attributes.map((encoding) => {
    const [type, values, ...others] = berChildren(readBer(encoding), der.TAG.sequence)
    if (others.length > 0) throw damaged('an attribute has unexpected fields')
    const typeEncoding = der.expect(type, der.TAG.oid).encoding
    const all = berChildren(values, der.TAG.set)
    if (all.length > MAX_ATTRIBUTES) throw damaged('an attribute has too many values')
    return { type: der.readOid(type), typeEncoding, values: encodings(all) }
  })
}

/** The signed attributes of a signer; none when there are none. */
export function signedAttributesOf({ signedAttributes }: SignerParts): Attribute[] {
  return signedAttributes === null ? [] : readAttributes(encodings(berChildren(readBer(signedAttributes), 0xa0)))
}

/** Encoding of one Attribute. */
export function attribute(type: string, ...values: Buffer[]): Buffer {
  return der.sequence(der.oid(type), der.setOf(...values))
}

/** `items` and what of `added` is not among them. */
export function merged(items: readonly Buffer[], added: readonly Buffer[]): Buffer[] {
  const result = [...items]
  const known = new Set(items.map((item) => item.toString('latin1')))
  for (const item of added) {
    const id = item.toString('latin1')
    if (!known.has(id)) result.push(item)
    known.add(id)
  }
  return result
}

/** certificates [0], then crls [1], each at most once. */
function isOrdered(fields: readonly Element[]): boolean {
  const [first, second] = fields.map(({ tag }) => tag)
  if (second !== undefined) return first === 0xa0 && second === 0xa1
  return first === undefined || first === 0xa0 || first === 0xa1
}

function readContent(
  element: Element | undefined,
): Pick<SignedDataParts, 'contentType' | 'contentTypeEncoding' | 'content' | 'contentEncoding'> {
  const [type, wrapper, ...others] = berChildren(element, der.TAG.sequence)
  if (others.length > 0) throw damaged('an encapsulated content has unexpected fields')
  const contentType = der.readOid(type)
  const contentTypeEncoding = der.expect(type, der.TAG.oid).encoding
  if (wrapper === undefined) return { contentType, contentTypeEncoding, content: null, contentEncoding: null }
  const [octets, ...more] = berChildren(wrapper, 0xa0)
  if (more.length > 0) throw damaged('an encapsulated content has several parts')
  return { contentType, contentTypeEncoding, content: berOctets(octets), contentEncoding: wrapper.encoding }
}

/**
 * One SignerInfo: those of a SignedData, and counter-signatures (RFC 5652 §5.3, §11.4).
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function readSigner(element: Element): SignerParts {
  const kept = berChildren(element, der.TAG.sequence)
  const unsigned = kept.length > 5 && kept.at(-1)?.tag === 0xa1 ? kept.pop() : undefined
  const attributes = unsigned === undefined ? [] : berChildren(unsigned, 0xa1)
  if (attributes.length > MAX_ATTRIBUTES) throw damaged('a signer has too many attributes')
  const [version, sid, digestAlgorithm, ...rest] = kept
  const signed = rest[0]?.tag === 0xa0 ? rest.shift() : undefined
  const [signatureAlgorithm, value, ...more] = rest
  if (sid === undefined || more.length > 0) throw damaged('a SignerInfo has an unexpected number of fields')
  der.expect(version, der.TAG.integer)
  return {
    fields: encodings(kept),
    sid: sid.encoding,
    digestAlgorithm: der.expect(digestAlgorithm, der.TAG.sequence).encoding,
    signedAttributes: signed?.encoding ?? null,
    signatureAlgorithm: der.expect(signatureAlgorithm, der.TAG.sequence).encoding,
    value: berOctets(value),
    unsignedAttributes: encodings(attributes),
  }
}

function members(fields: readonly Element[], tag: number): Element[] {
  const set = fields.find((field) => field.tag === tag)
  const found = set === undefined ? [] : berChildren(set, tag)
  if (found.length > MAX_MEMBERS) throw damaged('a SignedData has too many certificates or lists')
  return found
}

function implicitSet(tag: number, items: readonly Buffer[]): Buffer[] {
  if (items.length === 0) return []
  const set = der.setOf(...items)
  set[0] = tag
  return [set]
}

/** RFC 5652 §5.1, from the highest case down. */
function versionOf({ certificates, crls, contentType, signers }: SignedDataParts): number {
  const has = (items: readonly Buffer[], tag: number): boolean => items.some((item) => item[0] === tag)
  if (has(certificates, 0xa3) || has(crls, 0xa1)) return 5
  if (has(certificates, 0xa2)) return 4
  const byKey = signers.some(({ sid }) => sid[0] === 0x80)
  return has(certificates, 0xa1) || byKey || contentType !== ID_DATA ? 3 : 1
}

const encodings = (elements: readonly Element[]): Buffer[] => elements.map(({ encoding }) => encoding)

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

const MAX_BYTES = 64 * 1024 * 1024
/** every one of them is verified, against several certificates maybe */
const MAX_SIGNERS = 200
const MAX_MEMBERS = 5_000
/** and values of one; a renewal every year makes three of them */
const MAX_ATTRIBUTES = 5_000
