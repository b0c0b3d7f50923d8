/**
 * Software keys from PKCS#12 files: one private key and its certificates, as a SigningKey and a DecryptionKey.
 *
 * The private key lives as a KeyObject, never as text. A file with several keys or with none that fits a certificate
 * is refused. Elliptic-curve keys are refused here: `SignatureAlgorithm` names RSA only.
 */
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import type { DecryptionKey } from './decryption-key.ts'
import { readLegacyPkcs12 } from './pkcs12-legacy.ts'
import { readModernPkcs12 } from './pkcs12-reader.ts'
import { rsaDecryptionKey } from './rsa-decryption.ts'
import { rsaSigningKey } from './rsa-signing.ts'
import type { SigningKey } from './signing-key.ts'

/**
 * Opens a key file. Whether the certificate allows what the key is used for is checked at the use.
 *
 * @throws SigningError `signing/bad-passphrase`
 * @throws SigningError `signing/key-file-damaged` not a PKCS#12 file, larger than 1 MiB, or not exactly one RSA key with
 * its certificate
 */
export async function openPkcs12(
  bytes: Buffer,
  passphrase: string,
): Promise<{ signing: SigningKey; decryption: DecryptionKey }> {
  const { privateKey, chain } = await readPkcs12(bytes, passphrase)
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  privateKey.fill(0)
  if (key.asymmetricKeyType !== 'rsa') throw unusable('the key file holds no RSA key')
  return { signing: rsaSigningKey(key, chain), decryption: rsaDecryptionKey(key, chain[0]) }
}

/** Key file to PKCS#8 (the caller wipes it) and chain, own certificate first. */
export async function readPkcs12(
  bytes: Buffer,
  passphrase: string,
): Promise<{ privateKey: Buffer; chain: [Buffer, ...Buffer[]] }> {
  if (bytes.length > MAX_FILE_BYTES) throw unusable('the key file is larger than 1 MiB')
  const bags = (await readModernPkcs12(bytes, passphrase)) ?? readLegacyPkcs12(bytes, passphrase)
  const [privateKey, another] = bags.keys
  if (privateKey === undefined) throw unusable('the key file holds no private key')
  if (another !== undefined) throw unusable('the key file holds several private keys')
  return { privateKey, chain: chainOf(publicKeyOf(privateKey), bags.certificates) }
}

function publicKeyOf(pkcs8: Buffer): Buffer {
  try {
    const key: KeyObject = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    return createPublicKey(key).export({ type: 'spki', format: 'der' })
  } catch (cause) {
    throw unusable('the private key in the key file cannot be read', cause)
  }
}

/** From the key's own certificate upwards as far as the file goes; what does not belong to the chain is left out. */
function chainOf(publicKey: Buffer, certificates: readonly Buffer[]): [Buffer, ...Buffer[]] {
  const parsed = certificates.map(parse)
  const own = parsed.find(({ x509 }) => x509.publicKey.export({ type: 'spki', format: 'der' }).equals(publicKey))
  if (own === undefined) throw unusable('the key file holds no certificate for its private key')
  const chain: [Buffer, ...Buffer[]] = [own.bytes]
  for (let current = own; chain.length < parsed.length;) {
    const { x509 } = current
    const issuer = parsed.find((other) => other !== current && x509.checkIssued(other.x509))
    if (issuer === undefined || chain.includes(issuer.bytes)) break
    chain.push(issuer.bytes)
    current = issuer
  }
  return chain
}

function parse(bytes: Buffer): { bytes: Buffer; x509: X509Certificate } {
  try {
    readCertificate(bytes)
    return { bytes, x509: new X509Certificate(bytes) }
  } catch (cause) {
    throw unusable('a certificate in the key file cannot be read', cause)
  }
}

function unusable(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/key-file-damaged', message, { cause })
}

const MAX_FILE_BYTES = 1024 * 1024
