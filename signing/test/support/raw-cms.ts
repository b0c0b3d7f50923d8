/** SignedData with a defect at a chosen place, written element by element. */
import { createHash, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import * as der from '../../asn1/der.ts'
import { ATTRIBUTE, ID_DATA, ID_SIGNED_DATA } from '../../cms/oids.ts'
import { issuerAndSerial } from './test-answers.ts'
import type { Holder } from './test-certificates.ts'

export interface RawSigner {
  holder: Holder
  /** what is signed; default: `content` of the SignedData */
  content?: Buffer
  /** signed attributes, in the order of transmission; null: none */
  attributes?: Buffer[] | null
  /** sort them for signing as DER demands; default: yes */
  sorted?: boolean
  digestAlgorithm?: Buffer
  /** AlgorithmIdentifier that is written down */
  signatureAlgorithm?: Buffer
  sid?: Buffer
  /** instead of the right one */
  value?: Buffer
  unsigned?: Buffer[]
  version?: number
}

export interface RawSignedData {
  /** signed content */
  content: Buffer
  /** inside the SignedData; default: none */
  inside?: Buffer | null
  contentType?: string
  signers: RawSigner[]
  certificates?: Buffer[]
  /** the list of digests; default: SHA-256 */
  digests?: Buffer[]
  version?: number
}

export const SHA256 = der.sequence(der.oid('2.16.840.1.101.3.4.2.1'))
export const SHA512 = der.sequence(der.oid('2.16.840.1.101.3.4.2.3'))
export const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'))
export const RSA = der.sequence(der.oid('1.2.840.113549.1.1.1'), der.derNull())
export const RSA_SHA256 = der.sequence(der.oid('1.2.840.113549.1.1.11'), der.derNull())

export const attribute = (type: string, ...values: Buffer[]): Buffer =>
  der.sequence(der.oid(type), der.setOf(...values))
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

export const contentType = (type = ID_DATA): Buffer => attribute(ATTRIBUTE.contentType, der.oid(type))
export const messageDigest = (content: Buffer): Buffer =>
  attribute(ATTRIBUTE.messageDigest, der.octetString(sha256(content)))
const signingTime = (at: Date): Buffer => attribute(ATTRIBUTE.signingTime, der.time(at))
/** ESSCertIDv2 with SHA-256, the default of its algorithm */
const signingCertificate = (certificate: Buffer): Buffer =>
  attribute(
    ATTRIBUTE.signingCertificateV2,
    der.sequence(der.sequence(der.sequence(der.octetString(sha256(certificate))))),
  )

/** The attributes of a CAdES-B signature. */
export const cadesAttributes = (content: Buffer, { certificate }: Holder, at: Date): Buffer[] => [
  contentType(),
  signingTime(at),
  messageDigest(content),
  signingCertificate(certificate),
]

export const bySerial = ({ certificate }: Holder): Buffer => {
  const { issuer, serial } = issuerAndSerial(certificate)
  return der.sequence(issuer, serial)
}

/** ContentInfo with SignedData. */
export function rawSignedData({
  content,
  inside = null,
  contentType: type = ID_DATA,
  signers,
  certificates = signers.map(({ holder }) => holder.certificate),
  digests = [SHA256],
  version = 1,
}: RawSignedData): Buffer {
  const encapsulated = inside === null ? [] : [der.encode(0xa0, der.octetString(inside))]
  const data = der.sequence(
    der.integer(version),
    der.setOf(...digests),
    der.sequence(der.oid(type), ...encapsulated),
    ...unlessEmpty(0xa0, certificates),
    der.encode(der.TAG.set, ...signers.map((signer) => rawSigner({ content, ...signer }))),
  )
  return der.sequence(der.oid(ID_SIGNED_DATA), der.encode(0xa0, data))
}

function rawSigner({ holder, attributes = null, unsigned = [], ...signer }: RawSigner): Buffer {
  const { content = Buffer.alloc(0), sorted = true, version = 1 } = signer
  const signed = attributes === null ? content : toBeSigned(attributes, sorted)
  const { sid = bySerial(holder), digestAlgorithm = SHA256, signatureAlgorithm = algorithmOf(holder) } = signer
  return der.sequence(
    der.integer(version),
    sid,
    digestAlgorithm,
    ...(attributes === null ? [] : [der.encode(0xa0, ...attributes)]),
    signatureAlgorithm,
    der.octetString(signer.value ?? valueOver(signed, holder.key)),
    ...unlessEmpty(0xa1, unsigned),
  )
}

const unlessEmpty = (tag: number, values: readonly Buffer[]): Buffer[] =>
  values.length === 0 ? [] : [der.encode(tag, ...values)]

const algorithmOf = ({ key }: Holder): Buffer => (key.asymmetricKeyType === 'ec' ? ECDSA_SHA256 : RSA_SHA256)

const toBeSigned = (attributes: Buffer[], sorted: boolean): Buffer =>
  sorted ? der.setOf(...attributes) : der.encode(der.TAG.set, ...attributes)

const valueOver = (signed: Buffer, key: KeyObject): Buffer => sign('sha256', signed, key)
