/**
 * Time-stamps that hang on a signature: adding one to it, reading those that are there (ETSI EN 319 122-1 §5.3).
 */
import { createHash } from 'node:crypto'
import { SigningError } from '../errors.ts'
import type { TimestampSource } from '../timestamp/client.ts'
import { parseToken, verifyToken } from '../timestamp/token.ts'
import type { TimestampToken } from '../timestamp/token.ts'
import type { Leaf } from '../trust/online.ts'
import { attribute, readAttributes, readSignedData, writeSignedData } from './container.ts'
import type { SignerParts } from './container.ts'
import { ATTRIBUTE } from './oids.ts'

/**
 * Gives every signature in `cms` that has none a time-stamp.
 *
 * @throws SigningError `signing/timestamp-unavailable`
 */
export async function withSignatureTimestamps(cms: Buffer, timestamps: TimestampSource): Promise<Buffer> {
  const parts = readSignedData(cms)
  const signers: SignerParts[] = []
  for (const signer of parts.signers) signers.push(await withSignatureTimestamp(signer, timestamps))
  return writeSignedData({ ...parts, signers })
}

/** The time-stamp is over the octets of the signature value; a signature that has one stays as it is. */
export async function withSignatureTimestamp(signer: SignerParts, timestamps: TimestampSource): Promise<SignerParts> {
  if (tokensOf(signer, ATTRIBUTE.signatureTimeStamp).length > 0) return signer
  const token = await timestamps.stamp(createHash(timestamps.digest).update(signer.value).digest())
  const added = attribute(ATTRIBUTE.signatureTimeStamp, token.der)
  return { ...signer, unsignedAttributes: [...signer.unsignedAttributes, added] }
}

/** The tokens in the unsigned attributes of this type. */
export function tokensOf(signer: SignerParts, type: string): TimestampToken[] {
  return readAttributes(signer.unsignedAttributes)
    .filter((candidate) => candidate.type === type)
    .flatMap(({ values }) => values.map(parseToken))
}

/**
 * The authority's certificate as something that needs evidence.
 *
 * @param isProtected a later time-stamp is over this one: its status then is enough, else that of today counts
 * @throws SigningError `signing/signature-broken` the token does not hold together
 */
export async function timestampLeaf(token: TimestampToken, isProtected: boolean): Promise<Leaf> {
  const verdict = await verifyToken(token)
  if (verdict.kind === 'bad') {
    throw new SigningError('signing/signature-broken', `a time-stamp does not fit: ${verdict.reason}`)
  }
  const { certificate } = verdict
  return isProtected ? { certificate, at: token.info.genTime } : { certificate }
}
