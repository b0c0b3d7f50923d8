/**
 * The archive-time-stamp-v3 of CAdES and its index of hashes (ETSI EN 319 122-1 §5.5.2, §5.5.3).
 *
 * The index names, by hash, each certificate, each revocation value and each value of an unsigned attribute that is there
 * when the time-stamp is made. What is added later is simply not in it; what is in it and gone breaks the time-stamp.
 */
import { berChildren, readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import type { TimestampToken } from '../timestamp/token.ts'
import { digestOf, digestOid } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
import { createDigest } from '../trust/digest.ts'
import { attribute, readAttributes, readSignedData, writeSignedData } from './container.ts'
import type { SignedDataParts, SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'

/** DER of the ATSHashIndexV3 of what is there now. */
export function hashIndex(parts: SignedDataParts, signer: SignerParts, digest: Digest): Buffer {
  const list = (hashes: Iterable<string>): Buffer =>
    der.sequence(...[...hashes].map((hash) => der.octetString(Buffer.from(hash, 'hex'))))
  return der.sequence(
    der.sequence(der.oid(digestOid(digest))),
    list(hashes(parts.certificates, digest)),
    list(hashes(parts.crls, digest)),
    list(hashes(inputsOf(signer).flat(), digest)),
  )
}

/**
 * What the time-stamp is over, before hashing (§5.5.3).
 *
 * @param contentDigest of the signed content, by the digest of the time-stamp
 * @param index ATSHashIndexV3 as it stands in the token
 */
export function archiveInput(
  parts: SignedDataParts,
  signer: SignerParts,
  contentDigest: Buffer,
  index: Buffer,
): Buffer {
  return Buffer.concat([parts.contentTypeEncoding, contentDigest, ...signer.fields, index])
}

/** The token with the index in it, as an unsigned attribute of its own signer. */
export function withHashIndex(token: Buffer, index: Buffer): Buffer {
  const parts = readSignedData(token)
  const signers = parts.signers.map((signer) => ({
    ...signer,
    unsignedAttributes: [...signer.unsignedAttributes, attribute(ATTRIBUTE.atsHashIndexV3, index)],
  }))
  return writeSignedData({ ...parts, signers })
}

export interface IndexVerdict {
  /** everything that the index names is there */
  complete: boolean
  /** elements that are there, and whether the index names them: only those are proven by the time-stamp */
  certificates: readonly boolean[]
  crls: readonly boolean[]
  /** the encodings of the unsigned attributes, all values of which are named */
  unsignedAttributes: readonly boolean[]
}

export interface ArchiveVerdict {
  /** the imprint is that of what is there, and nothing that the index names is missing */
  fits: boolean
  /** null: no index, or one that cannot be read */
  index: IndexVerdict | null
}

/**
 * Does an archive time-stamp fit the signature that it hangs on? Its own signature and trust are judged elsewhere.
 *
 * @param contentDigest of the signed content
 * @throws SigningError `signing/asn1-damaged`
 */
export async function checkArchiveTimestamp(
  parts: SignedDataParts,
  signer: SignerParts,
  token: TimestampToken,
  contentDigest: (digest: Digest) => Promise<Buffer> | Buffer,
): Promise<ArchiveVerdict> {
  const { algorithm, value } = token.info.imprint
  const digest = digestOf(algorithm)
  const found = indexOf(token)
  if (digest === null || found === null) return { fits: false, index: null }
  const index = checkHashIndex(parts, signer, found)
  const input = archiveInput(parts, signer, await contentDigest(digest), found.bytes)
  const fits = createDigest(digest).update(input).digest().equals(value)
  return { fits: fits && index?.complete === true, index }
}

/**
 * The index in a token; null when there is none, or when two of them leave open which one is meant.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function indexOf(token: TimestampToken): { type: string; bytes: Buffer } | null {
  const found = readAttributes(token.signer.unsignedAttributes).filter(({ type }) => INDEX_TYPES.has(type))
  const [first] = found
  const bytes = first?.values[0]
  return first === undefined || bytes === undefined || found.length > 1 || first.values.length > 1
    ? null
    : { type: first.type, bytes }
}

/**
 * Compares an index with what is there; null when its digest or its form is unknown.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function checkHashIndex(
  parts: SignedDataParts,
  signer: SignerParts,
  { type, bytes }: { type: string; bytes: Buffer },
): IndexVerdict | null {
  const read = readIndex(bytes, type !== ATTRIBUTE.atsHashIndexV3)
  if (read === null) return null
  const { digest, certificates, crls, values } = read
  // before v3, whole attributes were hashed
  const byAttribute = type !== ATTRIBUTE.atsHashIndexV3
  const present = [...inputsOf(signer).flat(), ...(byAttribute ? signer.unsignedAttributes : [])]
  return {
    complete:
      isWithin(certificates, hashes(parts.certificates, digest)) &&
      isWithin(crls, hashes(parts.crls, digest)) &&
      isWithin(values, hashes(present, digest)),
    certificates: parts.certificates.map((item) => certificates.has(hash(item, digest))),
    crls: parts.crls.map((item) => crls.has(hash(item, digest))),
    unsignedAttributes: inputsOf(signer).map(
      (inputs, index) =>
        (byAttribute && values.has(hash(signer.unsignedAttributes[index] ?? EMPTY, digest))) ||
        inputs.every((value) => values.has(hash(value, digest))),
    ),
  }
}

interface HashIndex {
  digest: Digest
  /** hashes, lower-case hexadecimal */
  certificates: ReadonlySet<string>
  crls: ReadonlySet<string>
  values: ReadonlySet<string>
}

/** @param hasDefault the algorithm may be left out and is SHA-256 then, as before v3 */
function readIndex(bytes: Buffer, hasDefault: boolean): HashIndex | null {
  const lists = berChildren(readBer(bytes), der.TAG.sequence)
  const algorithm = lists.length === 4 ? berChildren(lists.shift(), der.TAG.sequence)[0] : undefined
  if (lists.length !== 3 || (algorithm === undefined && !hasDefault)) return null
  const digest = algorithm === undefined ? 'sha256' : digestOf(der.readOid(algorithm))
  const [certificates = NONE, crls = NONE, values = NONE] = lists.map(
    (list) => new Set(berChildren(list, der.TAG.sequence).map(({ content }) => content.toString('hex'))),
  )
  return digest === null ? null : { digest, certificates, crls, values }
}

/** Inputs of all values, by attribute. Several archive time-stamps ask for them: they are made once. */
function inputsOf(signer: SignerParts): readonly (readonly Buffer[])[] {
  const known = knownInputs.get(signer)
  const found = known ?? signer.unsignedAttributes.map(attributeInputs)
  knownInputs.set(signer, found)
  return found
}

/** One input per value: type and value, both with tag and length. */
function attributeInputs(encoding: Buffer): Buffer[] {
  return readAttributes([encoding]).flatMap(({ typeEncoding, values }) =>
    values.map((value) => Buffer.concat([typeEncoding, value])),
  )
}

const isWithin = (named: ReadonlySet<string>, present: ReadonlySet<string>): boolean =>
  [...named].every((item) => present.has(item))
const hashes = (items: readonly Buffer[], digest: Digest): Set<string> =>
  new Set(items.map((item) => hash(item, digest)))

function hash(bytes: Buffer, digest: Digest): string {
  const known = hashed.get(bytes) ?? new Map<Digest, string>()
  hashed.set(bytes, known)
  const found = known.get(digest) ?? createDigest(digest).update(bytes).digest('hex')
  known.set(digest, found)
  return found
}

/** of elements that are hashed for every archive time-stamp anew otherwise */
const hashed = new WeakMap<Buffer, Map<Digest, string>>()
const knownInputs = new WeakMap<SignerParts, readonly (readonly Buffer[])[]>()
const EMPTY = Buffer.alloc(0)
const NONE: ReadonlySet<string> = new Set()
const INDEX_TYPES: ReadonlySet<string> = new Set([
  ATTRIBUTE.atsHashIndex,
  ATTRIBUTE.atsHashIndexV2,
  ATTRIBUTE.atsHashIndexV3,
])
