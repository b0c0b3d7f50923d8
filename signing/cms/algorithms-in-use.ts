/**
 * The algorithms of one SignerInfo, for the algorithm policy: the signature with its key, the digest over the content.
 */
import { SigningError } from '../errors.ts'
import { readDigest } from '../trust/algorithm-identifier.ts'
import type { Certificate } from '../trust/certificate.ts'
import { algorithmFacts } from '../trust/signature-value.ts'
import type { AlgorithmInUse } from '../validation/facts.ts'
import type { SignerParts } from './container.ts'

/** @param certificate null: only the digest can be told */
export function algorithmsInUse(signer: SignerParts, certificate: Certificate | null): AlgorithmInUse[] {
  const { digestAlgorithm, signatureAlgorithm } = signer
  try {
    const digest: AlgorithmInUse = { place: 'message-digest', use: { digest: readDigest(digestAlgorithm) } }
    if (certificate === null) return [digest]
    return [{ place: 'signature', use: algorithmFacts(signatureAlgorithm, certificate.spki, digestAlgorithm) }, digest]
  } catch (error) {
    if (error instanceof SigningError) return []
    throw error
  }
}
