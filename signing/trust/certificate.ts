/**
 * One certificate, parsed once (RFC 5280 §4): everything that building and judging a path asks for.
 *
 * Reads strictly and trusts nobody. What an extension that only the path judgement needs says, extensions.ts reads.
 */
import { createHash, createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TAG, children, childrenOf, decode, expect, readOid, readTime } from '../asn1/der.ts'
import type { Element } from '../asn1/der.ts'
import { SigningError } from '../errors.ts'
import { readBits, readBoolean, readCount, readExtensions, readNamedBits, splitSigned } from './fields.ts'
import type { Extension } from './fields.ts'
import { parseName, sameName } from './name.ts'
import type { Name } from './name.ts'

export { sameName } from './name.ts'
export type { Name } from './name.ts'
export { readExtensionList } from './fields.ts'
export type { Extension } from './fields.ts'

export interface Certificate {
  readonly der: Buffer
  /** of `der`, lower-case hexadecimal */
  readonly sha256: string
  /** 1, 2 or 3 */
  readonly version: number
  readonly subject: Name
  readonly issuer: Name
  /** content octets of the INTEGER as transmitted, sign included */
  readonly serial: Buffer
  /** SubjectPublicKeyInfo, DER */
  readonly spki: Buffer
  /** null: a key that this program cannot use (unknown algorithm, inherited parameters) */
  readonly publicKey: KeyObject | null
  readonly notBefore: Date
  readonly notAfter: Date
  /** subject key identifier */
  readonly ski: Buffer | null
  readonly aki: AuthorityKeyIdentifier | null
  /** null: no such extension, nothing is excluded */
  readonly keyUsage: ReadonlySet<KeyUsageBit> | null
  /** object identifiers; null: no such extension */
  readonly extendedKeyUsage: ReadonlySet<string> | null
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength: number | null } | null
  /** by object identifier; `value` is the content of the OCTET STRING */
  readonly extensions: ReadonlyMap<string, Extension>
  /** AlgorithmIdentifier outside the signed part, DER */
  readonly signatureAlgorithm: Buffer
  /** the same inside; another one makes the signature worthless (RFC 5280 §4.1.1.2), the key may still be an anchor's */
  readonly signedAlgorithm: Buffer
  /** the signed bytes */
  readonly tbs: Buffer
  readonly signature: Buffer
  /** basicConstraints says CA */
  readonly isCa: boolean
  /** issuer and subject are the same name; says nothing about who signed */
  readonly selfIssued: boolean
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Buffer | null
}

export const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsageBit = (typeof KEY_USAGE_BITS)[number]

/**
 * Reads one DER certificate.
 *
 * Equal bytes give the same Certificate object again as long as they are among the last thousand or so: the same few
 * issuers stand behind most documents. The object holds a copy and keeps no document in memory.
 *
 * @throws SigningError `signing/asn1-damaged`
 */
export function parseCertificate(der: Buffer): Certificate {
  const sha256 = createHash('sha256').update(der).digest('hex')
  const certificate = recent.get(sha256) ?? readCertificate(Buffer.from(der), sha256)
  if (der.length <= MAX_RECENT_BYTES) remember(certificate)
  return certificate
}

/** in the order of their last use */
const recent = new Map<string, Certificate>()
let recentBytes = 0

function remember(certificate: Certificate): void {
  if (recent.delete(certificate.sha256)) recentBytes -= certificate.der.length
  recent.set(certificate.sha256, certificate)
  recentBytes += certificate.der.length
  for (const oldest of recent.values()) {
    if (recentBytes <= MAX_RECENT_BYTES_TOGETHER) break
    recent.delete(oldest.sha256)
    recentBytes -= oldest.der.length
  }
}

function readCertificate(der: Buffer, sha256: string): Certificate {
  if (der.length > MAX_BYTES) throw damaged('a certificate is too large')
  const { tbs, algorithm, signature } = splitSigned(der)
  const fields = childrenOf(tbs, TAG.sequence)
  const version = fields[0]?.tag === CONTEXT_0 ? readVersion(fields.shift()) : 1
  const [serial, innerAlgorithm, issuerField, validity, subjectField, spki] = fields
  const extensions = readExtensions(fields.find((field) => field.tag === CONTEXT_3))
  const issuer = parseName(issuerField)
  const subject = parseName(subjectField)
  const [notBefore, notAfter] = childrenOf(validity, TAG.sequence)
  const keyBytes = checkedSpki(spki)
  const basicConstraints = readBasicConstraints(extensions.get(EXTENSION.basicConstraints))
  return {
    der,
    sha256,
    version,
    subject,
    issuer,
    serial: expect(serial, TAG.integer).content,
    spki: keyBytes,
    get publicKey() {
      return publicKeyOf(keyBytes)
    },
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    ski: readSubjectKeyIdentifier(extensions.get(EXTENSION.subjectKeyIdentifier)),
    aki: readAuthorityKeyIdentifier(extensions.get(EXTENSION.authorityKeyIdentifier)),
    keyUsage: readKeyUsage(extensions.get(EXTENSION.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(extensions.get(EXTENSION.extendedKeyUsage)),
    basicConstraints,
    extensions,
    signatureAlgorithm: algorithm,
    signedAlgorithm: expect(innerAlgorithm, TAG.sequence).encoding,
    tbs: tbs.encoding,
    signature,
    isCa: basicConstraints?.ca ?? false,
    selfIssued: sameName(issuer, subject),
  }
}

/** SubjectPublicKeyInfo whose outer form is right; what is inside the key is left to the library. */
function checkedSpki(element: Element | undefined): Buffer {
  const [algorithm, key] = childrenOf(element, TAG.sequence)
  readOid(childrenOf(algorithm, TAG.sequence)[0])
  readBits(key)
  return expect(element, TAG.sequence).encoding
}

/**
 * The key of a SubjectPublicKeyInfo; null when it is of a kind or curve that this program cannot use.
 *
 * Curves with explicit parameters are refused: a forged generator would make every key anybody's key.
 */
export function publicKeyOf(spki: Buffer): KeyObject | null {
  const known = keys.get(spki)
  if (known !== undefined) return known
  const key = hasExplicitCurve(spki) ? null : makeKey(spki)
  keys.set(spki, key)
  return key
}

const keys = new WeakMap<Buffer, KeyObject | null>()

function makeKey(spki: Buffer): KeyObject | null {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return null // the library names no reason apart from "not understood", which is what null says
  }
}

function hasExplicitCurve(spki: Buffer): boolean {
  const [algorithm] = childrenOf(decode(spki), TAG.sequence)
  const [id, parameters] = childrenOf(algorithm, TAG.sequence)
  return readOid(id) === EC_PUBLIC_KEY && parameters?.tag !== TAG.oid
}

function readVersion(wrapper: Element | undefined): number {
  const [version] = wrapper === undefined ? [] : children(wrapper)
  return readCount(expect(version, TAG.integer).content) + 1
}

function readBasicConstraints(extension: Extension | undefined): Certificate['basicConstraints'] {
  if (extension === undefined) return null
  const fields = childrenOf(decode(extension.value), TAG.sequence)
  const ca = fields[0]?.tag === TAG.boolean ? readBoolean(fields[0]) : false
  const length = fields.find(({ tag }) => tag === TAG.integer)
  return { ca, pathLength: length === undefined ? null : readCount(length.content) }
}

function readSubjectKeyIdentifier(extension: Extension | undefined): Buffer | null {
  return extension === undefined ? null : expect(decode(extension.value), TAG.octetString).content
}

/** AuthorityKeyIdentifier (§4.2.1.1); the pair of issuer and serial in it is a hint that nobody needs. */
export function readAuthorityKeyIdentifier(extension: Extension | undefined): AuthorityKeyIdentifier | null {
  if (extension === undefined) return null
  const fields = childrenOf(decode(extension.value), TAG.sequence)
  return { keyIdentifier: fields.find(({ tag }) => tag === 0x80)?.content ?? null }
}

function readKeyUsage(extension: Extension | undefined): ReadonlySet<KeyUsageBit> | null {
  if (extension === undefined) return null
  return readNamedBits(expect(decode(extension.value), TAG.bitString).content, KEY_USAGE_BITS)
}

function readExtendedKeyUsage(extension: Extension | undefined): ReadonlySet<string> | null {
  if (extension === undefined) return null
  return new Set(childrenOf(decode(extension.value), TAG.sequence).map(readOid))
}

function damaged(message: string): SigningError {
  return new SigningError('signing/asn1-damaged', message)
}

/** Object identifiers of the extensions that path and revocation judgement know. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  qcStatements: '1.3.6.1.5.5.7.1.3',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const

const EC_PUBLIC_KEY = '1.2.840.10045.2.1'
const CONTEXT_0 = 0xa0
const CONTEXT_3 = 0xa3
/** far above real ones; a certificate with a logo inside is some 100 kB */
const MAX_BYTES = 256 * 1024
/** Real ones have 1 to 3 KiB. What is made of a hostile one takes some thirty times its bytes. */
const MAX_RECENT_BYTES = 8 * 1024
const MAX_RECENT_BYTES_TOGETHER = 2 * 1024 * 1024
