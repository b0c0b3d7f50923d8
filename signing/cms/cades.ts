/**
 * CAdES signatures, level B-B (ETSI EN 319 122-1): detached or with the content inside, by one signer or several.
 *
 * A further signer changes nothing of the ones before, byte by byte.
 */
import * as der from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { checkUsable } from '../keys/usable.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import type { RandomAccess } from '../random-access.ts'
import { contentDigests, contentOf, digestSource } from './content.ts'
import { merged, readSignedData, writeSignedData } from './container.ts'
import type { SignedDataParts } from './container.ts'
import { contentHash, signDigest } from './signed-data.ts'
import { verifySigner } from './signer.ts'

export interface CadesRequest {
  /** claimed time, a signed attribute; the certificate must be valid then */
  signedAt: Date
  /** `attached`: the content, at most 64 MiB, is inside the signature (.p7m) */
  form: 'detached' | 'attached'
  /** of the content (RFC 6838), a signed attribute: tells later readers what lies beside the signature */
  mimeType?: string
}

/**
 * Signs `content`.
 *
 * @returns DER of a ContentInfo
 * @throws SigningError `signing/key-unusable`, `signing/signature-failed`, `signing/source-changed`, `signing/bad-text`
 */
export async function signCades(content: RandomAccess, key: SigningKey, request: CadesRequest): Promise<Buffer> {
  const parts = await makeOne(content, key, request)
  if (request.form === 'detached') return writeSignedData(parts)
  if (content.size > MAX_ATTACHED_BYTES) {
    throw new SigningError('signing/no-room', 'a content of more than 64 MiB is signed detached')
  }
  const octets = der.octetString(await content.read(0, content.size))
  return writeSignedData({ ...parts, contentEncoding: der.encode(0xa0, octets) })
}

/**
 * Adds a signer to an existing signature over the same content.
 *
 * @param content null when it is inside
 * @throws SigningError `signing/signature-broken` an existing signature does not fit; codes as signCades
 */
export async function addCadesSigner(
  cms: Buffer,
  content: RandomAccess | null,
  key: SigningKey,
  signedAt: Date,
): Promise<Buffer> {
  const before = readSignedData(cms)
  const source = contentOf(before, content)
  await checkSigners(before, source)
  const added = await makeOne(source, key, { signedAt })
  return writeSignedData({
    ...before,
    digestAlgorithms: merged(before.digestAlgorithms, added.digestAlgorithms),
    certificates: merged(before.certificates, added.certificates),
    signers: [...before.signers, ...added.signers],
  })
}

/** @throws SigningError `signing/signature-broken` one of the signatures does not fit: nothing is built upon it */
export async function checkSigners(parts: SignedDataParts, content: RandomAccess): Promise<void> {
  const digests = contentDigests(content)
  if (parts.signers.length === 0) throw new SigningError('signing/signature-broken', 'there is no signature')
  for (const signer of parts.signers) {
    const verdict = await verifySigner(parts, signer, digests)
    if (verdict.kind === 'bad') {
      throw new SigningError('signing/signature-broken', `a signature does not fit: ${verdict.reason}`)
    }
  }
}

async function makeOne(
  content: RandomAccess,
  key: SigningKey,
  { signedAt, mimeType = null }: { signedAt: Date; mimeType?: string | null },
): Promise<SignedDataParts> {
  checkUsable(key, signedAt)
  if (mimeType !== null && !MIME_TYPE.test(mimeType)) throw new SigningError('signing/bad-text', 'no media type')
  const digest = await digestSource(content, contentHash(key))
  return readSignedData(await signDigest(digest, key, signedAt, mimeType))
}

/** RFC 6838 §4.2, without parameters */
const MIME_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/
const MAX_ATTACHED_BYTES = 64 * 1024 * 1024
