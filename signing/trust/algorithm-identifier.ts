/**
 * What an AlgorithmIdentifier of a signature means: scheme, digest, parameters.
 *
 * RFC 4055 (RSA), RFC 5758 and 3279 (ECDSA, DSA), BSI TR-03111 §5.2.1.1 (plain ECDSA), RFC 8410 (EdDSA), NIST CSOR
 * (SHA-3). A table and a reader; whether an algorithm is still good enough, policies/algorithms.ts says.
 */
import { TAG, childrenOf, decode, expect, readOid } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { readCount } from './fields.ts'

export type Scheme = 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa' | 'ecdsa-plain' | 'eddsa' | 'dsa'

/** Digest names are those of node:crypto; SHAKE256 is always that of 512 bits. */
export type Digest = (typeof DIGESTS)[keyof typeof DIGESTS]

export interface SignatureScheme {
  readonly scheme: Scheme
  /** null: EdDSA, which hashes in its own way, and identifiers that leave the digest to another field */
  readonly digest: Digest | null
  /** RSASSA-PSS only */
  readonly pss: PssParameters | null
}

export interface PssParameters {
  readonly digest: Digest
  readonly maskDigest: Digest
  readonly saltLength: number
}

/**
 * The scheme of this AlgorithmIdentifier; null when it is unknown or uses an unknown digest.
 *
 * @param der AlgorithmIdentifier
 * @throws SigningError `signing/asn1-damaged`
 */
export function readSignatureScheme(der: Buffer): SignatureScheme | null {
  const [id, parameters] = childrenOf(decode(der), TAG.sequence)
  const oid = readOid(id)
  if (oid === RSASSA_PSS) {
    const pss = readPss(parameters)
    return pss === null ? null : { scheme: 'rsa-pss', digest: pss.digest, pss }
  }
  const row = SCHEMES.get(oid)
  return row === undefined ? null : { ...row, pss: null }
}

/** The digest that a digest AlgorithmIdentifier names; null when it is unknown. */
export function readDigest(der: Buffer): Digest | null {
  const [id, parameters] = childrenOf(decode(der), TAG.sequence)
  const oid = readOid(id)
  if (oid !== SHAKE256_WITH_LENGTH) return digestOf(oid)
  const bits = parameters === undefined ? 0 : readCount(expect(parameters, TAG.integer).content)
  return bits === 512 ? 'shake256' : null
}

/** The digest of this object identifier; null when it is unknown. */
export function digestOf(oid: string): Digest | null {
  return (DIGESTS as Readonly<Record<string, Digest | undefined>>)[oid] ?? null
}

/** The object identifier of this digest. */
export function digestOid(digest: Digest): string {
  return Object.entries(DIGESTS).find(([, name]) => name === digest)?.[0] ?? ''
}

/** The object identifier inside an AlgorithmIdentifier. */
export function algorithmOid(der: Buffer): string {
  return readOid(childrenOf(decode(der), TAG.sequence)[0])
}

/** RFC 4055 §3.1. The defaults are SHA-1 with a salt of 20 bytes; a trailer other than 1 is not in use. */
function readPss(parameters: Element | undefined): PssParameters | null {
  if (parameters?.tag !== TAG.sequence) return null
  const fields = new Map(childrenOf(parameters, TAG.sequence).map((field) => [field.tag, field.content]))
  const hash = fields.get(0xa0)
  const digest = hash === undefined ? 'sha1' : readDigest(hash)
  const maskDigest = readMaskDigest(fields.get(0xa1))
  const saltLength = readWrappedCount(fields.get(0xa2), 20)
  if (digest === null || maskDigest === null || readWrappedCount(fields.get(0xa3), 1) !== 1) return null
  return { digest, maskDigest, saltLength }
}

function readMaskDigest(mask: Buffer | undefined): Digest | null {
  if (mask === undefined) return 'sha1'
  const [id, hash] = childrenOf(decode(mask), TAG.sequence)
  return readOid(id) === MGF1 && hash !== undefined ? readDigest(hash.encoding) : null
}

function readWrappedCount(content: Buffer | undefined, absent: number): number {
  return content === undefined ? absent : readCount(expect(decode(content), TAG.integer).content)
}

const DIGESTS = {
  '1.2.840.113549.2.5': 'md5',
  '1.3.14.3.2.26': 'sha1',
  '1.3.36.3.2.1': 'ripemd160',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.5': 'sha512-224',
  '2.16.840.1.101.3.4.2.6': 'sha512-256',
  '2.16.840.1.101.3.4.2.7': 'sha3-224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
  '2.16.840.1.101.3.4.2.12': 'shake256',
} as const

const rsa = (digest: Digest | null): Omit<SignatureScheme, 'pss'> => ({ scheme: 'rsa-pkcs1', digest })
const ecdsa = (digest: Digest | null): Omit<SignatureScheme, 'pss'> => ({ scheme: 'ecdsa', digest })
const plain = (digest: Digest): Omit<SignatureScheme, 'pss'> => ({ scheme: 'ecdsa-plain', digest })
const dsa = (digest: Digest): Omit<SignatureScheme, 'pss'> => ({ scheme: 'dsa', digest })

const SCHEMES: ReadonlyMap<string, Omit<SignatureScheme, 'pss'>> = new Map([
  ['1.2.840.113549.1.1.1', rsa(null)],
  ['1.2.840.113549.1.1.4', rsa('md5')],
  ['1.2.840.113549.1.1.5', rsa('sha1')],
  ['1.3.14.3.2.29', rsa('sha1')],
  ['1.3.36.3.3.1.2', rsa('ripemd160')],
  ['1.2.840.113549.1.1.14', rsa('sha224')],
  ['1.2.840.113549.1.1.11', rsa('sha256')],
  ['1.2.840.113549.1.1.12', rsa('sha384')],
  ['1.2.840.113549.1.1.13', rsa('sha512')],
  ['1.2.840.113549.1.1.15', rsa('sha512-224')],
  ['1.2.840.113549.1.1.16', rsa('sha512-256')],
  ['2.16.840.1.101.3.4.3.13', rsa('sha3-224')],
  ['2.16.840.1.101.3.4.3.14', rsa('sha3-256')],
  ['2.16.840.1.101.3.4.3.15', rsa('sha3-384')],
  ['2.16.840.1.101.3.4.3.16', rsa('sha3-512')],
  ['1.2.840.10045.2.1', ecdsa(null)],
  ['1.2.840.10045.4.1', ecdsa('sha1')],
  ['1.2.840.10045.4.3.1', ecdsa('sha224')],
  ['1.2.840.10045.4.3.2', ecdsa('sha256')],
  ['1.2.840.10045.4.3.3', ecdsa('sha384')],
  ['1.2.840.10045.4.3.4', ecdsa('sha512')],
  ['2.16.840.1.101.3.4.3.9', ecdsa('sha3-224')],
  ['2.16.840.1.101.3.4.3.10', ecdsa('sha3-256')],
  ['2.16.840.1.101.3.4.3.11', ecdsa('sha3-384')],
  ['2.16.840.1.101.3.4.3.12', ecdsa('sha3-512')],
  ['0.4.0.127.0.7.1.1.4.1.1', plain('sha1')],
  ['0.4.0.127.0.7.1.1.4.1.2', plain('sha224')],
  ['0.4.0.127.0.7.1.1.4.1.3', plain('sha256')],
  ['0.4.0.127.0.7.1.1.4.1.4', plain('sha384')],
  ['0.4.0.127.0.7.1.1.4.1.5', plain('sha512')],
  ['0.4.0.127.0.7.1.1.4.1.6', plain('ripemd160')],
  ['0.4.0.127.0.7.1.1.4.1.8', plain('sha3-224')],
  ['0.4.0.127.0.7.1.1.4.1.9', plain('sha3-256')],
  ['0.4.0.127.0.7.1.1.4.1.10', plain('sha3-384')],
  ['0.4.0.127.0.7.1.1.4.1.11', plain('sha3-512')],
  ['1.3.101.112', { scheme: 'eddsa', digest: null }],
  ['1.3.101.113', { scheme: 'eddsa', digest: null }],
  ['1.2.840.10040.4.3', dsa('sha1')],
  ['2.16.840.1.101.3.4.3.1', dsa('sha224')],
  ['2.16.840.1.101.3.4.3.2', dsa('sha256')],
  ['2.16.840.1.101.3.4.3.3', dsa('sha384')],
  ['2.16.840.1.101.3.4.3.4', dsa('sha512')],
])

/** RFC 8419 §2.3: the number of bits is a parameter */
const SHAKE256_WITH_LENGTH = '2.16.840.1.101.3.4.2.18'
const RSASSA_PSS = '1.2.840.113549.1.1.10'
const MGF1 = '1.2.840.113549.1.1.8'
