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
  const { signing, decryption } = identity
  return { cipherCertificate: decryption.certificate, signatureCertificate: signing.certificateChain[0] }
}

/** Lower-case hex SHA-256 of a DER certificate: the name under which rows and Ids know it. */
export function fingerprint(certificate: Buffer): string {
  return createHash('sha256').update(certificate).digest('hex')
}
