/**
 * The archive-time-stamp-v3 of CAdES and its index of hashes (ETSI EN 319 122-1 §5.5.2, §5.5.3).
 *
 * The index names, by hash, each certificate, each revocation value and each value of an unsigned attribute that is there
 * when the time-stamp is made. What is added later is simply not in it; what is in it and gone breaks the time-stamp.
 */
import { createHash } from 'node:crypto'
import { berChildren, readBer } from '../asn1/ber.ts'
import * as der from '../asn1/der.ts'
import { digestOf, digestOid } from '../trust/algorithm-identifier.ts'
import type { Digest } from '../trust/algorithm-identifier.ts'
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
    list(hashes(attributeValues(signer), digest)),
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

/**
 * Compares an index with what is there.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function checkHashIndex(parts: SignedDataParts, signer: SignerParts, index: Buffer): IndexVerdict | null {
  const [algorithm, ...lists] = berChildren(readBer(index), der.TAG.sequence)
  const digest = digestOf(der.readOid(berChildren(algorithm, der.TAG.sequence)[0]))
  if (digest === null || lists.length !== 3) return null
  const [certificates, crls, values] = lists.map(
    (list) => new Set(berChildren(list, der.TAG.sequence).map(({ content }) => content.toString('hex'))),
  )
  if (certificates === undefined || crls === undefined || values === undefined) return null
  const present = attributeValues(signer)
  return {
    complete:
      isWithin(certificates, hashes(parts.certificates, digest)) &&
      isWithin(crls, hashes(parts.crls, digest)) &&
      isWithin(values, hashes(present, digest)),
    certificates: parts.certificates.map((item) => certificates.has(hash(item, digest))),
    crls: parts.crls.map((item) => crls.has(hash(item, digest))),
    unsignedAttributes: signer.unsignedAttributes.map((encoding) =>
      attributeInputs(encoding).every((value) => values.has(hash(value, digest))),
    ),
  }
}

function attributeValues(signer: SignerParts): Buffer[] {
  return signer.unsignedAttributes.flatMap(attributeInputs)
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
const hash = (bytes: Buffer, digest: Digest): string => createHash(digest).update(bytes).digest('hex')
