/**
 * `Upload-Checksum` (tus 1.0.0, checksum extension): `<algorithm> <base64 digest>` of the body of this one request.
 */
import { GatewayError } from '../errors.ts'

/** Digest length in bytes, by algorithm name as it stands in `Tus-Checksum-Algorithm`. sha1 is a MUST. */
const DIGEST_BYTES = { sha1: 20, sha256: 32, crc32c: 4 } as const

export type ChecksumAlgorithm = keyof typeof DIGEST_BYTES

/** The value of `Tus-Checksum-Algorithm`. */
export const CHECKSUM_ALGORITHMS = Object.keys(DIGEST_BYTES).join(',')

export interface UploadChecksum {
  algorithm: ChecksumAlgorithm
  expected: Buffer
}

/**
 * @throws GatewayError `gateway/bad-input` an algorithm that we do not offer, or a digest that is not its base64
 */
export function parseUploadChecksum(header: string): UploadChecksum {
  const [algorithm = '', digest = '', ...rest] = header.split(' ')
  if (rest.length > 0 || !isAlgorithm(algorithm)) {
    // checksum extension: an algorithm that the server does not know MUST be answered with 400
    throw bad(`Upload-Checksum must name one of ${CHECKSUM_ALGORITHMS}`)
  }
  const expected = Buffer.from(digest, 'base64')
  if (expected.length !== DIGEST_BYTES[algorithm] || expected.toString('base64') !== digest) {
    throw bad(`a ${algorithm} digest is ${DIGEST_BYTES[algorithm]} bytes in base64`)
  }
  return { algorithm, expected }
}

function isAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(DIGEST_BYTES, name)
}

function bad(message: string): GatewayError {
  return new GatewayError('gateway/bad-input', { message, facts: { header: 'Upload-Checksum' } })
}
