/**
 * A seal laid out: the update with all but the signature itself, and what is signed. Sealing one document (seal.ts) and
 * many (seal-many.ts) begin here.
 */
import type { Hash } from 'node:crypto'
import { signedDataBytes } from '../cms/signed-data.ts'
import { SigningError } from '../errors.ts'
import { checkUsable } from '../keys/usable.ts'
import type { SigningIdentity } from '../keys/signing-key.ts'
import type { RandomAccess } from '../random-access.ts'
import { fillByteRange, fillContents } from './byte-range.ts'
import type { ByteRange } from './byte-range.ts'
import { planSeal } from './seal-plan.ts'
import type { SealNotice, SealRequest } from './seal-request.ts'

export interface SealLayout {
  /** with /ByteRange filled and /Contents empty, until the signature is there */
  update: Buffer
  range: ByteRange
  field: string
  notices: SealNotice[]
}

/**
 * Reads the structure of the document, checks document and key, lays out the update.
 *
 * @param tokenBytes room for a time-stamp; 0 for none
 * @throws SigningError as sealPdf
 */
export async function layOutSeal(
  source: RandomAccess,
  key: SigningIdentity,
  request: SealRequest,
  tokenBytes = request.timestamps?.tokenBytes ?? 0,
): Promise<SealLayout> {
  const signer = checkUsable(key, request.signedAt)
  const reserved = signedDataBytes(key) + (tokenBytes === 0 ? 0 : tokenBytes + FRAME_BYTES)
  const plan = await planSeal(source, key, request, { signerName: signer.commonName, reservedBytes: reserved })
  const { update, field, notices } = plan
  return { update, field, notices, range: fillByteRange(update, plan.signatureAt, source.size) }
}

/** @param hash over the document before the update */
export function digestWithUpdate(hash: Hash, { update, range }: SealLayout, sourceBytes: number): Buffer {
  hash.update(update.subarray(0, range.gapStart - sourceBytes))
  return hash.update(update.subarray(range.gapEnd - sourceBytes)).digest()
}

/**
 * A copy of the update with the signature in it; the layout may be used again.
 *
 * @throws SigningError `signing/no-room`
 */
export function completeUpdate({ update, range }: SealLayout, sourceBytes: number, cms: Buffer): Buffer {
  const complete = Buffer.from(update)
  fillContents(complete, range, sourceBytes, cms)
  return complete
}

/**
 * Runs `attempt`, and once more with twice the room when the time-stamp did not fit (only the update changes).
 *
 * @param tokenBytes room for the first attempt
 */
export async function withRoom<T>(tokenBytes: number, attempt: (tokenBytes: number) => Promise<T>): Promise<T> {
  try {
    return await attempt(tokenBytes)
  } catch (error) {
    if (!(error instanceof SigningError) || error.code !== 'signing/no-room') throw error
    return attempt(Math.max(2 * tokenBytes, LARGE_TOKEN_BYTES))
  }
}

/** tags and lengths around the time-stamp */
const FRAME_BYTES = 64
/** larger than any token seen: one with a long chain of RSA-4096 and revocation data inside */
const LARGE_TOKEN_BYTES = 64 * 1024
