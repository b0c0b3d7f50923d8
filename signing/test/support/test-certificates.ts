/** Certificates for tests: a small authority that issues what it is told. */
import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import * as der from '../../asn1/der.ts'

export interface Holder {
  /** DER of the Name */
  name: Buffer
  spki: Buffer
  key: KeyObject
  certificate: Buffer
}

export interface CertificateWish {
  commonName: string
  key: KeyObject
  /** null: signs itself */
  issuer: Holder | null
  from: Date
  until: Date
  extensions: Buffer[]
}

let serial = 0x1000

export function issue({ commonName, key, issuer, from, until, extensions }: CertificateWish): Holder {
  const name = distinguishedName(commonName)
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = signatureAlgorithm(issuer?.key ?? key)
  const tbs = der.sequence(
    der.encode(0xa0, der.integer(2)),
    der.integer(serial++),
    algorithm,
    issuer?.name ?? name,
    der.sequence(der.time(from), der.time(until)),
    name,
    spki,
    der.encode(
      0xa3,
      der.sequence(
        extension('2.5.29.14', der.octetString(keyIdentifier(spki))),
        extension('2.5.29.35', der.sequence(der.encode(0x80, keyIdentifier(issuer?.spki ?? spki)))),
        ...extensions,
      ),
    ),
  )
  return { name, spki, key, certificate: signed(tbs, issuer?.key ?? key) }
}

/** SIGNED { tbs } as certificates, CRLs and OCSP answers are. */
export function signed(tbs: Buffer, key: KeyObject, ...more: Buffer[]): Buffer {
  return der.sequence(tbs, signatureAlgorithm(key), der.bitString(sign('sha256', tbs, key)), ...more)
}

export function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'ec'
    ? der.sequence(der.oid('1.2.840.10045.4.3.2'))
    : der.sequence(der.oid('1.2.840.113549.1.1.11'), der.derNull())
}

function distinguishedName(commonName: string): Buffer {
  const part = (type: string, value: string): Buffer => der.setOf(der.sequence(der.oid(type), der.utf8String(value)))
  return der.sequence(part('2.5.4.10', 'Amtsbote Test'), part('2.5.4.3', commonName))
}

function keyIdentifier(spki: Buffer): Buffer {
  const [, bits] = der.childrenOf(der.decode(spki), der.TAG.sequence)
  return createHash('sha1')
    .update(bits?.content.subarray(1) ?? spki)
    .digest()
}

export function extension(id: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.derTrue()] : []), der.octetString(value))
}

export const EXTENSIONS = {
  ca: (): Buffer[] => [
    extension('2.5.29.19', der.sequence(der.derTrue()), true),
    extension('2.5.29.15', der.bitString(Buffer.from([0b00000110]), 1), true),
  ],
  signer: (): Buffer[] => [extension('2.5.29.15', der.bitString(Buffer.from([0b11000000]), 6), true)],
  timeStamping: (): Buffer => extension('2.5.29.37', der.sequence(der.oid('1.3.6.1.5.5.7.3.8')), true),
  ocspSigning: (): Buffer => extension('2.5.29.37', der.sequence(der.oid('1.3.6.1.5.5.7.3.9'))),
  ocspNoCheck: (): Buffer => extension('1.3.6.1.5.5.7.48.1.5', der.derNull()),
  access: (ocsp: string | null, issuers: string | null): Buffer =>
    extension(
      '1.3.6.1.5.5.7.1.1',
      der.sequence(
        ...(ocsp === null ? [] : [der.sequence(der.oid('1.3.6.1.5.5.7.48.1'), uri(ocsp))]),
        ...(issuers === null ? [] : [der.sequence(der.oid('1.3.6.1.5.5.7.48.2'), uri(issuers))]),
      ),
    ),
  crl: (url: string): Buffer =>
    extension('2.5.29.31', der.sequence(der.sequence(der.encode(0xa0, der.encode(0xa0, uri(url)))))),
}

export const ecKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
export const rsaKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey

export function generalizedTime(at: Date): Buffer {
  return der.encode(der.TAG.generalizedTime, Buffer.from(`${at.toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`))
}

const uri = (url: string): Buffer => der.encode(0x86, Buffer.from(url, 'latin1'))
