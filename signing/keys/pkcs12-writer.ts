/**
 * Writes a PKCS#12 key file (RFC 7292): key and certificates each under PBES2 with PBKDF2-HMAC-SHA-256 and
 * AES-256-CBC (RFC 8018), the whole under HMAC-SHA-256. OpenSSL 1.1 and 3, Java and node-forge read it.
 */
import { createCipheriv, createHash, pbkdf2 } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import * as der from '../asn1/der.ts'
import { PKCS12, pkcs12Mac } from './pkcs12-format.ts'

export interface KeyFileContent {
  privateKey: KeyObject
  /** DER; the key's own certificate first */
  chain: readonly Buffer[]
  passphrase: string
  random: (bytes: number) => Buffer
}

/** Returns the DER of the key file. */
export async function writePkcs12({ privateKey, chain, passphrase, random }: KeyFileContent): Promise<Buffer> {
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const shrouded = await encrypt(pkcs8, passphrase, random)
  pkcs8.fill(0)
  const identifier = createHash('sha256')
    .update(chain[0] ?? Buffer.alloc(0))
    .digest()
    .subarray(0, 20)
  const keyBag = bag(
    PKCS12.shroudedKeyBag,
    der.sequence(shrouded.algorithm, der.octetString(shrouded.bytes)),
    identifier,
  )
  const certificateBags = chain.map((certificate, index) =>
    bag(PKCS12.certificateBag, certificateValue(certificate), index === 0 ? identifier : null),
  )
  const certificates = await encrypt(der.sequence(...certificateBags), passphrase, random)
  const authenticatedSafe = der.sequence(encryptedInfo(certificates), dataInfo(der.sequence(keyBag)))
  return der.sequence(der.integer(3), dataInfo(authenticatedSafe), macData(authenticatedSafe, passphrase, random))
}

interface Encrypted {
  algorithm: Buffer
  bytes: Buffer
}

async function encrypt(plain: Buffer, passphrase: string, random: (bytes: number) => Buffer): Promise<Encrypted> {
  const salt = random(16)
  const iv = random(16)
  const key = await promisify(pbkdf2)(passphrase, salt, ITERATIONS, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const bytes = Buffer.concat([cipher.update(plain), cipher.final()])
  const hash = der.sequence(der.oid(PKCS12.hmacSha256), der.derNull())
  const derivation = der.sequence(der.octetString(salt), der.integer(ITERATIONS), hash)
  const scheme = der.sequence(der.oid(PKCS12.aes256Cbc), der.octetString(iv))
  const parameters = der.sequence(der.sequence(der.oid(PKCS12.pbkdf2), derivation), scheme)
  return { algorithm: der.sequence(der.oid(PKCS12.pbes2), parameters), bytes }
}

function bag(id: string, value: Buffer, localKeyId: Buffer | null): Buffer {
  const attributes =
    localKeyId === null
      ? []
      : [der.setOf(der.sequence(der.oid(PKCS12.localKeyId), der.setOf(der.octetString(localKeyId))))]
  return der.sequence(der.oid(id), der.encode(0xa0, value), ...attributes)
}

function certificateValue(certificate: Buffer): Buffer {
  return der.sequence(der.oid(PKCS12.x509Certificate), der.encode(0xa0, der.octetString(certificate)))
}

function dataInfo(content: Buffer): Buffer {
  return der.sequence(der.oid(PKCS12.data), der.encode(0xa0, der.octetString(content)))
}

function encryptedInfo({ algorithm, bytes }: Encrypted): Buffer {
  const content = der.sequence(der.oid(PKCS12.data), algorithm, der.encode(0x80, bytes))
  return der.sequence(der.oid(PKCS12.encryptedData), der.encode(0xa0, der.sequence(der.integer(0), content)))
}

function macData(content: Buffer, passphrase: string, random: (bytes: number) => Buffer): Buffer {
  const salt = random(16)
  const hash = { name: 'sha256', blockBytes: 64 }
  const mac = pkcs12Mac(content, passphrase, { hash, salt, iterations: ITERATIONS })
  const digestInfo = der.sequence(der.sequence(der.oid(PKCS12.sha256), der.derNull()), der.octetString(mac))
  return der.sequence(digestInfo, der.octetString(salt), der.integer(ITERATIONS))
}

/** The passphrases of generated key files are random; the count protects those that a person chose. */
const ITERATIONS = 50_000
