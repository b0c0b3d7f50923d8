/**
 * Names for the objects that a time-stamp can prove: what the proofs of existence are kept by (ETSI EN 319 102-1 §5.6.2.3).
 */
import { createHash } from 'node:crypto'

/**
 * SHA-256, lower-case hexadecimal, of the object as it was received: the octets of a signature value, the DER of a
 * certificate, CRL, OCSP answer or time-stamp token (without padding behind it).
 */
export function objectId(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
