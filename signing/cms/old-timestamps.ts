/**
 * What the time-stamps of extended and older CAdES forms are over: archive-time-stamp v2, CAdES-C-timestamp and
 * time-stamped references (RFC 5126 §6.3.5, §6.3.6, §6.4.1; ETSI EN 319 122-1 annex A). Read, never written.
 */
import type { Hash } from 'node:crypto'
import * as der from '../asn1/der.ts'
import type { RandomAccess } from '../random-access.ts'
import { copyDigest, createDigest } from '../trust/digest.ts'
import { readAttributes } from './container.ts'
import type { Attribute, SignedDataParts, SignerParts } from './container.ts'
import { hashSource } from './content.ts'
import { ATTRIBUTE } from './oids.ts'

/**
 * Digest for an archive-time-stamp v2: type and content, certificates, CRLs, all fields of the signer, and of its
 * unsigned attributes those that were there already. It depends on their order; whoever changes it breaks it.
 *
 * @param content null: it is inside
 * @param earlier encodings of the unsigned attributes that the time-stamp is over
 */
export async function archiveV2Digest(
  { parts, signer, content }: { parts: SignedDataParts; signer: SignerParts; content: RandomAccess | null },
  earlier: readonly Buffer[],
  digest: string,
): Promise<Buffer> {
  const hash = copyDigest(await beginning(parts, content, digest), digest)
  for (const field of signer.fields) hash.update(field)
  if (earlier.length > 0) hash.update(der.encode(0xa1, ...earlier))
  return hash.digest()
}

/** What is the same for all time-stamps of a document, and may be long. */
function beginning(parts: SignedDataParts, content: RandomAccess | null, digest: string): Promise<Hash> {
  const known = begun.get(parts) ?? new Map<string, Promise<Hash>>()
  begun.set(parts, known)
  const found = known.get(digest) ?? begin(parts, content, digest)
  known.set(digest, found)
  return found
}

async function begin(parts: SignedDataParts, content: RandomAccess | null, digest: string): Promise<Hash> {
  const hash = createDigest(digest)
  const inside = parts.contentEncoding === null ? [] : [parts.contentEncoding]
  hash.update(der.sequence(parts.contentTypeEncoding, ...inside))
  if (parts.contentEncoding === null && content !== null) await hashSource(content, hash)
  // the order is that of the sets as transmitted, so nothing is sorted
  for (const [tag, items] of [
    [0xa0, parts.certificates],
    [0xa1, parts.crls],
  ] as const) {
    if (items.length > 0) hash.update(der.encode(tag, ...items))
  }
  return hash
}

const begun = new WeakMap<SignedDataParts, Map<string, Promise<Hash>>>()

/**
 * What a CAdES-C-timestamp is over: the signature value, its time-stamps, and the references.
 */
export function escInput(signer: SignerParts): Buffer {
  const attributes = readAttributes(signer.unsignedAttributes)
  const stamps = attributes.filter(({ type }) => type === ATTRIBUTE.signatureTimeStamp)
  return Buffer.concat([signer.value, ...stamps.map(typeAndValues), referencesInput(signer)])
}

/** What a time-stamp over the references alone is over. */
export function referencesInput(signer: SignerParts): Buffer {
  const attributes = readAttributes(signer.unsignedAttributes)
  const types: string[] = [ATTRIBUTE.completeCertificateReferences, ATTRIBUTE.completeRevocationReferences]
  return Buffer.concat(types.flatMap((type) => attributes.filter((item) => item.type === type).map(typeAndValues)))
}

/** Type and set of values, each with tag and length, without the SEQUENCE around them. */
function typeAndValues({ typeEncoding, values }: Attribute): Buffer {
  return Buffer.concat([typeEncoding, der.encode(der.TAG.set, ...values)])
}
