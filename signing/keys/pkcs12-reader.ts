/**
 * Reads modern PKCS#12 files in DER (RFC 7292; PBES2 with AES-CBC, RFC 8018) with Node's own cryptography.
 *
 * Answers null for a file in another encoding or with older algorithms: pkcs12.ts hands those to node-forge.
 */
import { createDecipheriv, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { TAG, children, childrenOf, decode, decodeFirst, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { PKCS12, pkcs12Mac } from './pkcs12-format.ts'
import type { MacHash } from './pkcs12-format.ts'

/** What a key file holds, in the order of the file. */
export interface Bags {
  /** PKCS#8, DER */
  keys: Bag[]
  /** X.509, DER */
  certificates: Bag[]
}

export interface Bag {
  bytes: Buffer
  /** friendly name; empty: none */
  alias: string
}

/**
 * @returns null when the file is not of the modern kind
 * @throws SigningError `signing/bad-passphrase`
 */
export async function readModernPkcs12(bytes: Buffer, passphrase: string): Promise<Bags | null> {
  try {
    const [version, authSafe, macData] = childrenOf(decode(bytes), TAG.sequence)
    if (!expect(version, TAG.integer).content.equals(VERSION_3)) throw new NotModern('other version')
    const content = dataOf(expect(authSafe, TAG.sequence))
    checkMac(content, passphrase, expect(macData, TAG.sequence))
    const bags: Bags = { keys: [], certificates: [] }
    for (const info of childrenOf(decode(content), TAG.sequence)) await readSafe(info, passphrase, bags)
    return bags
  } catch (error) {
    if (error instanceof NotModern) return null
    if (error instanceof SigningError && error.code === 'signing/asn1-damaged') return null
    throw error
  }
}

/** Leaves the modern path; never leaves this file. */
class NotModern extends Error {}

function dataOf(info: Element): Buffer {
  const [type, wrapper] = childrenOf(info, TAG.sequence)
  if (readOid(type) !== PKCS12.data) throw new NotModern('no data')
  return expect(children(expect(wrapper, 0xa0))[0], TAG.octetString).content
}

function checkMac(content: Buffer, passphrase: string, macData: Element): void {
  const [digestInfo, salt, count] = children(macData)
  const [algorithm, expected] = childrenOf(digestInfo, TAG.sequence)
  const hash = MAC_HASHES[readOid(childrenOf(algorithm, TAG.sequence)[0])]
  if (hash === undefined) throw new NotModern('other MAC')
  const iterations = count === undefined ? 1 : readCount(count)
  const parameters = { hash, salt: expect(salt, TAG.octetString).content, iterations }
  const mac = pkcs12Mac(content, passphrase, parameters)
  const given = expect(expected, TAG.octetString).content
  if (given.length !== mac.length || !timingSafeEqual(given, mac)) {
    throw new SigningError('signing/bad-passphrase', 'the passphrase does not open the key file')
  }
}

async function readSafe(info: Element, passphrase: string, bags: Bags): Promise<void> {
  const [type, wrapper] = childrenOf(info, TAG.sequence)
  const kind = readOid(type)
  const inner = children(expect(wrapper, 0xa0))[0]
  let safe: Buffer
  if (kind === PKCS12.data) safe = expect(inner, TAG.octetString).content
  else if (kind === PKCS12.encryptedData) {
    const [, algorithm, ciphertext] = childrenOf(childrenOf(inner, TAG.sequence)[1], TAG.sequence)
    safe = await decrypt(algorithm, expect(ciphertext, 0x80).content, passphrase)
  } else throw new NotModern('other content')
  for (const bag of childrenOf(decode(safe), TAG.sequence)) await readBag(bag, passphrase, bags)
}

async function readBag(bag: Element, passphrase: string, bags: Bags): Promise<void> {
  const [type, wrapper, attributes] = childrenOf(bag, TAG.sequence)
  const value = children(expect(wrapper, 0xa0))[0]
  const kind = readOid(type)
  const alias = friendlyName(attributes)
  if (kind === PKCS12.keyBag) bags.keys.push({ bytes: Buffer.from(expect(value, TAG.sequence).encoding), alias })
  if (kind === PKCS12.shroudedKeyBag) {
    const [algorithm, ciphertext] = childrenOf(value, TAG.sequence)
    const bytes = await decrypt(algorithm, expect(ciphertext, TAG.octetString).content, passphrase)
    bags.keys.push({ bytes, alias })
  }
  if (kind === PKCS12.certificateBag) {
    const [certificateType, explicit] = childrenOf(value, TAG.sequence)
    if (readOid(certificateType) !== PKCS12.x509Certificate) return
    const bytes = Buffer.from(expect(children(expect(explicit, 0xa0))[0], TAG.octetString).content)
    bags.certificates.push({ bytes, alias })
  }
}

/** A BMPString (RFC 2985 §5.5.1). */
function friendlyName(attributes: Element | undefined): string {
  for (const attribute of attributes === undefined ? [] : childrenOf(attributes, TAG.set)) {
    const [type, values] = childrenOf(attribute, TAG.sequence)
    if (readOid(type) !== PKCS12.friendlyName) continue
    const content = childrenOf(values, TAG.set)[0]?.content ?? Buffer.alloc(0)
    return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : ''
  }
  return ''
}

async function decrypt(algorithm: Element | undefined, ciphertext: Buffer, passphrase: string): Promise<Buffer> {
  const [id, parameters] = childrenOf(algorithm, TAG.sequence)
  if (readOid(id) !== PKCS12.pbes2) throw new NotModern('older encryption')
  const [derivation, scheme] = childrenOf(parameters, TAG.sequence)
  const [kdf, kdfParameters] = childrenOf(derivation, TAG.sequence)
  const [cipherId, iv] = childrenOf(scheme, TAG.sequence)
  const cipher = CIPHERS[readOid(cipherId)]
  if (readOid(kdf) !== PKCS12.pbkdf2 || cipher === undefined) throw new NotModern('other scheme')
  const [salt, count, ...rest] = childrenOf(kdfParameters, TAG.sequence)
  const prf = rest.find((field) => field.tag === TAG.sequence)
  const hash = prf === undefined ? 'sha1' : PRFS[readOid(children(prf)[0])]
  if (hash === undefined) throw new NotModern('other hash')
  const saltBytes = expect(salt, TAG.octetString).content
  const key = await promisify(pbkdf2)(
    passphrase,
    saltBytes,
    readCount(expect(count, TAG.integer)),
    cipher.keyBytes,
    hash,
  )
  try {
    const decipher = createDecipheriv(cipher.name, key, expect(iv, TAG.octetString).content)
    const plain = Buffer.concat([decipher.update(ciphertext), decipher.final()])
    return decodeFirst(plain).encoding
  } catch (cause) {
    throw new SigningError('signing/key-file-damaged', 'a part of the key file cannot be decrypted', { cause })
  }
}

function readCount(element: Element): number {
  const { content } = expect(element, TAG.integer)
  const count = content.length > 0 && content.length <= 5 ? content.readUIntBE(0, content.length) : 0
  if (count < 1 || count > MAX_ITERATIONS) {
    throw new SigningError('signing/key-file-damaged', `the iteration count is not between 1 and ${MAX_ITERATIONS}`)
  }
  return count
}

const VERSION_3 = Buffer.from([3])

/** A key file that asks for more would keep the process busy for seconds; the largest in use are 600,000. */
export const MAX_ITERATIONS = 1_000_000

const MAC_HASHES: Partial<Record<string, MacHash>> = {
  '1.3.14.3.2.26': { name: 'sha1', blockBytes: 64 },
  '2.16.840.1.101.3.4.2.1': { name: 'sha256', blockBytes: 64 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', blockBytes: 128 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', blockBytes: 128 },
}
const PRFS: Partial<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const CIPHERS: Partial<Record<string, { name: string; keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
}
