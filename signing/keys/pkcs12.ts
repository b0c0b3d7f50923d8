/**
 * Software keys from PKCS#12 files: a private key and its certificates, as a SigningKey and, for RSA, a DecryptionKey.
 *
 * The private key lives as a KeyObject, never as text. Where a file holds several keys, one is chosen by its friendly
 * name (alias); a key that no certificate of the file fits is refused.
 */
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readCertificate } from '../certificate.ts'
import { SigningError } from '../errors.ts'
import type { DecryptionKey } from './decryption-key.ts'
import { readLegacyPkcs12 } from './pkcs12-legacy.ts'
import { readModernPkcs12 } from './pkcs12-reader.ts'
import type { Bag } from './pkcs12-reader.ts'
import { writePkcs12 } from './pkcs12-writer.ts'
import { rsaDecryptionKey } from './rsa-decryption.ts'
import type { SignatureAlgorithm, SigningKey } from './signing-key.ts'
import { softwareSigningKey } from './software-key.ts'

export interface Pkcs12Choice {
  /** friendly name of the key or of its certificate; needed where the file holds several keys */
  alias?: string
  /** what the key signs with; default by its kind */
  algorithm?: SignatureAlgorithm
}

/**
 * Opens a key file. Whether the certificate allows what the key is used for is checked at the use.
 *
 * @returns `decryption` is null for keys of elliptic curves
 * @throws SigningError `signing/bad-passphrase`
 * @throws SigningError `signing/key-file-damaged` not a PKCS#12 file, larger than 1 MiB, or not exactly one key with its
 * certificate (of that name)
 * @throws SigningError `signing/algorithm-refused` the key does not sign so
 */
export async function openPkcs12(
  bytes: Buffer,
  passphrase: string,
  { alias, algorithm }: Pkcs12Choice = {},
): Promise<{ signing: SigningKey; decryption: DecryptionKey | null }> {
  const { privateKey, chain } = await readPkcs12(bytes, passphrase, alias)
  const key = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
  privateKey.fill(0)
  const decryption = key.asymmetricKeyType === 'rsa' ? rsaDecryptionKey(key, chain[0]) : null
  return { signing: softwareSigningKey(key, chain, algorithm), decryption }
}

/** One key of a key file. */
export interface Pkcs12Entry {
  /** empty: none */
  alias: string
  /** PKCS#8, DER; the caller wipes it */
  privateKey: Buffer
  /** own certificate first */
  chain: [Buffer, ...Buffer[]]
}

/** The key of this friendly name, or the only one. Throws as openPkcs12. */
export async function readPkcs12(bytes: Buffer, passphrase: string, alias?: string): Promise<Pkcs12Entry> {
  const entries = await readPkcs12Entries(bytes, passphrase)
  const [entry, another] = alias === undefined ? entries : entries.filter((one) => one.alias === alias)
  if (entry === undefined) throw unusable('the key file holds no private key of that name')
  if (another !== undefined) throw unusable('the key file holds several private keys; choose one by its friendly name')
  for (const other of entries) if (other !== entry) other.privateKey.fill(0)
  return entry
}

/** Every key of a key file that a certificate of the file fits. Throws as openPkcs12. */
async function readPkcs12Entries(bytes: Buffer, passphrase: string): Promise<Pkcs12Entry[]> {
  if (bytes.length > MAX_FILE_BYTES) throw unusable('the key file is larger than 1 MiB')
  const bags = (await readModernPkcs12(bytes, passphrase)) ?? (await readLegacyPkcs12(bytes, passphrase))
  if (bags.keys.length === 0) throw unusable('the key file holds no private key')
  if (bags.keys.length > MAX_KEYS || bags.certificates.length > MAX_KEYS) throw unusable('the key file holds too much')
  const certificates = bags.certificates.map(parse)
  const entries = bags.keys.flatMap((key) => entryOf(key, certificates))
  if (entries.length === 0) throw unusable('the key file holds no certificate for its private key')
  return entries
}

interface Certificate extends Bag {
  x509: X509Certificate
  spki: Buffer
}

function entryOf(key: Bag, certificates: readonly Certificate[]): Pkcs12Entry[] {
  const spki = publicKeyOf(key.bytes)
  const own = certificates.find((certificate) => certificate.spki.equals(spki))
  if (own === undefined) return []
  return [{ alias: key.alias || own.alias, privateKey: key.bytes, chain: chainOf(own, certificates) }]
}

/**
 * A key file of our own making (PBES2, AES-256) with one key of another file, and other certificates when given.
 *
 * @throws SigningError as openPkcs12; `signing/key-file-damaged` the certificates belong to another key
 */
export async function repackPkcs12(
  source: { bytes: Buffer; passphrase: string; alias?: string },
  target: { passphrase: string; random: (bytes: number) => Buffer; certificates?: readonly Buffer[] },
): Promise<{ pkcs12: Buffer; certificate: Buffer }> {
  const { privateKey: pkcs8, chain } = await readPkcs12(source.bytes, source.passphrase, source.alias)
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const bags = (target.certificates ?? chain).map((bytes) => parse({ bytes, alias: '' }))
  const [entry] = entryOf({ bytes: pkcs8, alias: '' }, bags)
  pkcs8.fill(0)
  if (entry === undefined) throw unusable('the certificates belong to another key')
  softwareSigningKey(privateKey, entry.chain) // refuses kinds of keys that are not used here
  const { passphrase, random } = target
  return {
    pkcs12: await writePkcs12({ privateKey, chain: entry.chain, passphrase, random }),
    certificate: entry.chain[0],
  }
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
function chainOf(own: Certificate, certificates: readonly Certificate[]): [Buffer, ...Buffer[]] {
  const chain: [Buffer, ...Buffer[]] = [own.bytes]
  for (let current = own; chain.length < certificates.length;) {
    const { x509 } = current
    const issuer = certificates.find((other) => other !== current && x509.checkIssued(other.x509))
    if (issuer === undefined || chain.includes(issuer.bytes)) break
    chain.push(issuer.bytes)
    current = issuer
  }
  return chain
}

function parse({ bytes, alias }: Bag): Certificate {
  try {
    readCertificate(bytes)
    const x509 = new X509Certificate(bytes)
    return { bytes, alias, x509, spki: x509.publicKey.export({ type: 'spki', format: 'der' }) }
  } catch (cause) {
    throw unusable('a certificate in the key file cannot be read', cause)
  }
}

function unusable(message: string, cause?: unknown): SigningError {
  return new SigningError('signing/key-file-damaged', message, { cause })
}

const MAX_FILE_BYTES = 1024 * 1024
const MAX_KEYS = 200
