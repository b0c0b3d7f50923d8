/**
 * Who takes part in OSCI: one signature key and one cipher key (house.md: Originator, Intermediär, Addressee).
 *
 * The identity of a mailbox is its cipher certificate (osci 1.2: only its owner can read the Challenge of ResponseToInitDialog).
 */
import { createHash } from 'node:crypto'
import type { DecryptionKey, SigningKey } from '../../signing/index.ts'

/** Opened keys of one party of this server. Certificates are DER. */
export interface OsciIdentity {
  signing: SigningKey
  decryption: DecryptionKey
}

/** Public half of a party: what others need to write to it. Both are DER certificates. */
export interface OsciParty {
  cipherCertificate: Buffer
  signatureCertificate: Buffer
}

/** The public half of an identity. */
export function partyOf(identity: OsciIdentity): OsciParty {
  const signatureCertificate = identity.signing.certificateChain[0]
  if (!signatureCertificate) throw new TypeError('a signing key carries its certificate first in the chain')
  return { cipherCertificate: identity.decryption.certificate, signatureCertificate }
}

/** Lower-case hex SHA-256 of a DER certificate: the name under which rows and Ids know it. */
export function fingerprint(certificate: Buffer): string {
  return createHash('sha256').update(certificate).digest('hex')
}
